"""What a question says about where to look: names that are found narrow it, others are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import Collection
from multidb_chat.services.narrowing import Narrowing, begun, mentions, written
from tests.unit.services.ingesting import NOW, OWNER, STRANGER, Workplace

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters='"', exclude_categories=("Cc", "Cs")), min_size=1, max_size=30
)


@pytest.fixture
async def narrowing(work: Workplace) -> Narrowing:
    """The owner's two collections: the same note in both, and one more beside each."""
    other = Collection("o", OWNER.id, "Field notes", NOW)
    await work.library.create_collection(other)
    work.write("churn.md", "Churn fell to 4 percent.")
    work.write("sea water.txt", "The sea is salt.")
    await work.add(work.files)
    (work.files / "sea water.txt").unlink()
    work.write("Kites.txt", "Kites rise against the wind.")
    async for _ in work.ingestion().add(OWNER, other, [work.files]):
        pass
    return Narrowing(work.documents)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("@churn.md what fell?", [("@", "churn.md")]),
        ("What fell in @churn.md?", [("@", "churn.md")]),
        ("in #papers, #papers and #notes: what fell", [("#", "papers"), ("#", "notes")]),
        ('what is in @"sea water.txt"', [("@", "sea water.txt")]),
        ("@a\n@b", [("@", "a"), ("@", "b")]),
        ("Write to ada@kestrel.example about issue #5 or # nothing @ all", []),
        ('""@" #" @"" ##x @@y', []),
    ],
)
def test_names_begin_with_their_sign_at_the_beginning_of_a_word(question: str, names: list[tuple[str, str]]) -> None:
    assert mentions(question) == names


@given(sign=st.sampled_from(["@", "#"]), name=NAMES, before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_name_is_read_as_it_was_written_whatever_stands_around_it(
    sign: str, name: str, before: str, after: str
) -> None:
    said = written(sign, name)  # type: ignore[arg-type]
    question = f"{before.replace(chr(34), '')} {said} {after.replace(chr(34), '')}"
    assert (sign, name) in mentions(question)


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error_and_its_names_are_in_it(text: str) -> None:
    for sign, name in mentions(text):
        assert f"{sign}{name}" in text or f'{sign}"{name}"' in text
    begun(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("@", ("@", "")),
        ("what about #fie", ("#", "fie")),
        ('in @"sea w', ("@", "sea w")),
        ("mail ada@", None),
        ("@done ", None),
        ('@"sea water.txt"', None),
        ("", None),
    ],
)
def test_a_name_that_is_being_typed_is_seen_at_the_end(text: str, name: tuple[str, str] | None) -> None:
    assert begun(text) == name


async def test_a_document_that_is_named_is_the_only_one_to_search(narrowing: Narrowing) -> None:
    found = await narrowing.read(OWNER, "@churn.md what fell? #papers")
    assert found.question == "what fell?"
    assert [collection.name for collection in found.collections] == ["papers"]
    assert len(found.documents) == 1
    assert found.marks == ("#papers", "@churn.md")
    assert found.unknown == ()


async def test_inside_a_sentence_the_name_stays_as_a_word(narrowing: Narrowing) -> None:
    found = await narrowing.read(OWNER, "What does @Kites.txt say of wind?")
    assert found.question == "What does Kites.txt say of wind?"
    assert len(found.documents) == 1


async def test_a_question_that_names_nothing_stays_and_is_looked_for_everywhere(narrowing: Narrowing) -> None:
    found = await narrowing.read(OWNER, "What is  salt?")
    assert found.question == "What is  salt?"
    assert len(found.collections) == 2
    assert found.documents == found.marks == ()


async def test_names_that_are_not_found_or_not_clear_are_told_and_narrow_nothing(narrowing: Narrowing) -> None:
    found = await narrowing.read(OWNER, "@nothing.txt #papres @churn.md what fell?")
    assert found.question == "@nothing.txt #papres @churn.md what fell?"
    assert len(found.collections) == 2
    assert found.documents == ()
    assert 'no collection named "papres". Did you mean "papers"?' in found.unknown[0]
    assert 'no document "nothing.txt"' in found.unknown[1]
    assert "several documents" in found.unknown[2]


async def test_what_is_somebody_elses_is_not_found_by_its_name(narrowing: Narrowing) -> None:
    found = await narrowing.read(STRANGER, "@churn.md #papers what fell?")
    assert found.documents == ()
    assert found.collections == []
    assert len(found.unknown) == 2
    assert await narrowing.suggest(STRANGER, "@", "") == []


async def test_names_that_begin_with_what_was_typed_are_offered_first(narrowing: Narrowing) -> None:
    assert await narrowing.suggest(OWNER, "@", "") == ["churn.md", "Kites.txt", "sea water.txt"]
    assert await narrowing.suggest(OWNER, "@", "WATER") == ["sea water.txt"]
    assert await narrowing.suggest(OWNER, "@", "k") == ["Kites.txt"]
    assert await narrowing.suggest(OWNER, "#", "") == ["Field notes", "papers"]
    assert await narrowing.suggest(OWNER, "@", "", limit=1) == ["churn.md"]
