"""Which documents a list shows, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import Collection, Document
from multidb_chat.tui.shelf import ORDERS, Shelf

DAY = datetime(2026, 1, 1, tzinfo=UTC)
COLLECTIONS = {
    key: Collection(key, "me", name, DAY) for key, name in (("a", "Zoo"), ("b", "apes"), ("handbook", "handbook"))
}


def a_document(key: str, title: str, collection: str = "a", **more: object) -> Document:
    made = Document(key, collection, f"/papers/{key}.md", f"{key}.md", title, "markdown", "", DAY, DAY)
    return replace(made, **more)  # type: ignore[arg-type]


DOCUMENTS = [
    a_document("1", "Whales", size_bytes=5, added_at=DAY + timedelta(2)),
    a_document("2", "apes and men", "b", size_bytes=50, kind="pdf"),
    a_document("3", "The guide", "handbook", size_bytes=7),
    a_document("4", "Ants", size_bytes=500, added_at=DAY + timedelta(1)),
    a_document("5", "", "gone"),
]


def ids(shelf: Shelf) -> str:
    return "".join(document.id for document in shelf.view())


def test_each_order_puts_first_what_people_look_for() -> None:
    shelf = Shelf(COLLECTIONS, list(DOCUMENTS))
    orders = {}
    for _ in ORDERS:
        orders[shelf.order] = ids(shelf)
        shelf.order = shelf.next_order()
    assert shelf.order == "collection"
    assert orders == {
        "collection": "52413",
        "title": "54231",
        "newest": "14523",
        "largest": "42315",
        "kind": "54312",
    }


def test_all_typed_words_must_be_in_title_name_or_source_in_any_case() -> None:
    shelf = Shelf(COLLECTIONS, list(DOCUMENTS), order="title")
    for words, found in (
        ("APES", "2"),
        ("papers md", "54231"),
        ("ants 4.md", "4"),
        ("ants whales", ""),
        (" ", "54231"),
    ):
        shelf.words = words
        assert ids(shelf) == found
    shelf.words, shelf.collection_id = "papers", "a"
    assert ids(shelf) == "41"


@given(st.permutations(DOCUMENTS), st.sampled_from(ORDERS), st.text("apes ", max_size=4))
def test_the_view_does_not_depend_on_the_order_of_arrival(documents: list[Document], order: str, words: str) -> None:
    one, other = Shelf(COLLECTIONS, list(documents)), Shelf(COLLECTIONS, list(DOCUMENTS))
    for shelf in (one, other):
        shelf.order, shelf.words = order, words  # type: ignore[assignment]
    assert ids(one) == ids(other)
