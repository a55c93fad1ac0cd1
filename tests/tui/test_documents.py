"""Documents in the app: listed, found, read, added, removed and put back."""

from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Checkbox, DataTable, Input

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.screens.add import AddScreen
from multidb_chat.tui.screens.documents import DocumentsScreen
from multidb_chat.tui.screens.preview import PreviewScreen
from tests.tui.driving import (
    NARROW,
    WIDE,
    app_in,
    app_over,
    area,
    ask,
    lines,
    member_app_in,
    send,
    shown,
    toasts,
    until,
)
from tests.tui.home import furnish, guest_of, member_of
from tests.tui.slowly import services_of


def titles(pilot: Pilot[int]) -> list[str]:
    """Return the titles in the table."""
    table = pilot.app.screen.query_one(DataTable)
    return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]


async def opened(pilot: Pilot[int], number: str = "4") -> None:
    """Open the list and wait until so many documents are there."""
    await pilot.press("f3")
    await until(pilot, lambda: f"Documents · {number}" in lines(pilot)[0])


async def ready(pilot: Pilot[int]) -> None:
    """Wait until it is known who is talking."""
    app = pilot.app
    assert isinstance(app, ChatApp)
    await until(pilot, lambda: app._serving.opened is not None)


async def added(pilot: Pilot[int]) -> None:
    """Wait for the end of what is being added."""
    app = pilot.app
    assert isinstance(app, ChatApp)
    runs = app._desk.additions.runs
    await until(pilot, lambda: runs and all(run.state not in ("waiting", "running") for run in runs))


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder with documents, and files that cannot be read."""
    folder = tmp_path / "my papers"
    folder.mkdir()
    (folder / "tides.md").write_text("# Tides\n\nThe tide at Reykjavik rises four metres.\n")
    (folder / "ferries.txt").write_text("The ferry to Heimaey leaves at nine.\n")
    (folder / "nothing.txt").touch()
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    return folder


async def test_the_documents_are_listed_by_title_within_their_collections(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await send(pilot, "/docs")
        await until(pilot, lambda: "Documents · 4" in shown(pilot))
        assert titles(pilot)[:2] == ["churn", "The Kestrel observatory"]
        assert titles(pilot)[2].startswith("東京の図書館")
        assert titles(pilot)[3] == "The guide"  # the handbook comes last
        assert "Passages" in shown(pilot)
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: "Passages" not in shown(pilot))
        assert "東京の図書館" in shown(pilot)
        assert "…" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_guests_with_only_the_handbook_are_told_how_to_add_documents(bare_home: Path) -> None:
    async with app_in(bare_home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: pilot.app._serving._prepared.is_set())
        await opened(pilot, "1")
        assert "Only the handbook is here yet. Guests cannot add documents: type /register" in shown(pilot)
        offered = lines(pilot)[-1]
        assert "Enter Read" in offered
        assert not any(action in offered for action in (" Add", "Remove", "Undo", "Report"))
        await pilot.press("a", "d")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DocumentsScreen)
        assert titles(pilot) == ["The guide"]


async def test_members_with_only_the_handbook_are_told_which_key_adds(bare_home: Path) -> None:
    async with member_app_in(bare_home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: pilot.app._serving._prepared.is_set())
        await opened(pilot, "1")
        assert "Only the handbook is here yet. Press a to add" in shown(pilot)


async def test_many_documents_are_all_found_and_drawn_as_far_as_one_looks(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multidb_chat.tui.screens.documents.PAGE", 25)
    monkeypatch.setattr("multidb_chat.tui.widgets.document_table.ROWS", 25)
    monkeypatch.setattr("multidb_chat.tui.screens.documents._MANY", 30)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"note-{number:02}.txt").write_text(f"Note {number}: the tide was {number} centimetres high.")
    await furnish(home, [folder])
    async with app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot, "64 ")
        assert len(titles(pilot)) == 25
        for _ in range(4):
            await pilot.press("ctrl+end")
            await pilot.pause()
        await until(pilot, lambda: len(titles(pilot)) == 64)
        assert len(set(titles(pilot))) == 64
        await pilot.press("slash", *"note-59")
        await until(pilot, lambda: "Documents · 1 of 64" in lines(pilot)[0])
        await until(pilot, lambda: titles(pilot) == ["note-59"])


async def test_typing_narrows_the_list_and_esc_shows_all_again(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"kestrel OBS")
        await until(pilot, lambda: titles(pilot) == ["The Kestrel observatory"])
        assert pilot.app.screen.query_one(DataTable).size.width == NARROW[0]
        await until(pilot, lambda: lines(pilot)[-1].split() == ["Esc", "Back", "^P", "Actions", "F1", "Help"])
        await pilot.press("x", "y")
        await until(pilot, lambda: "No document fits what you typed. Esc shows all again." in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(titles(pilot)) == 4 and "Documents · 4" in lines(pilot)[0])
        assert pilot.app.screen.query_one(DataTable).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_the_order_changes_by_a_key_and_is_named(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        for name in ("by title", "newest", "largest", "by kind"):
            await pilot.press("s")
            await until(pilot, lambda name=name: f"{name} first" in lines(pilot)[0])
        await pilot.press("s")
        await until(pilot, lambda: lines(pilot)[0].strip() == "Documents · 4")


async def test_a_document_is_read_and_searched(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "The Kestrel observatory" in lines(pilot)[0] and "northern ridge" in shown(pilot))
        assert "markdown" in lines(pilot)[1]
        assert "Next" not in lines(pilot)[-1]  # there is nowhere to go on to yet
        await pilot.press("slash", *"KESTREL")
        await until(pilot, lambda: "1 of " in lines(pilot)[1])
        total = lines(pilot)[1].split(" of ")[1].split()[0]
        await pilot.press("enter")
        await until(pilot, lambda: "n Next  N Before" in lines(pilot)[-1])
        await pilot.press("n")
        await until(pilot, lambda: f"2 of {total}" in lines(pilot)[1])
        await pilot.press("N", "N")
        await until(pilot, lambda: f"{total} of {total}" in lines(pilot)[1])
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: "These words are not in this document." in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "markdown" in lines(pilot)[1])
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, DocumentsScreen))


async def test_a_passage_is_on_the_screen_and_marked_whatever_the_width(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    words = " ".join(f"word{number}" for number in range(3_000))
    (folder / "long.txt").write_text(f"{words} needle {words}")
    await furnish(home, [folder])
    async with app_in(home).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: pilot.app._serving._prepared.is_set())
        services = await pilot.app._serving.services()
        document = await services.documents.show(services.account, "long.txt")
        start = len(words) + 1
        pilot.app.push_screen(PreviewScreen(pilot.app._serving, document, (start, start + 6)))
        await until(pilot, lambda: "needle" in shown(pilot))
        screen = pilot.app.screen
        marked = [
            segment.text for strip in screen._compositor.render_strips() for segment in strip
            if segment.style and segment.style.bold and "needle" in segment.text
        ]  # fmt: skip
        assert marked == ["needle"]
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: "needle" in shown(pilot) and "needle" not in shown(pilot)[:240])


async def test_a_document_that_is_gone_says_so(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        async with member_of(home) as other:
            await other.documents.remove(other.account, ["churn"])
        await pilot.press("enter")
        await until(pilot, lambda: "There is no document" in shown(pilot))


async def test_a_folder_is_added_while_one_chats_and_what_failed_is_read_on_the_screen(
    home: Path, papers: Path
) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        field = pilot.app.screen.query_one("#paths", Input)
        field.value = str(papers)[:-3].replace(" ", "\\ ")
        field.cursor_position = len(field.value)
        await pilot.press("tab")
        await until(pilot, lambda: field.value == str(papers).replace(" ", "\\ ") + "/")
        await pilot.press("enter")
        await pilot.press("escape")
        exchange = await ask(pilot, "Who founded the Kestrel observatory?")
        assert exchange.answer is not None
        await added(pilot)
        assert "documents: 2 added, 2 failed" in toasts(pilot)
        assert "F3 and then e" in toasts(pilot)
        await opened(pilot, "6")
        assert {"Tides", "ferries"} <= set(titles(pilot))
        await pilot.press("e")
        await until(pilot, lambda: "2 added, 2 failed" in shown(pilot))
        assert "nothing.txt" in shown(pilot)
        assert "not read: empty" in shown(pilot)
        assert "not read: broken: not a readable PDF" in shown(pilot)
        assert "added (1 document, 1 passage)" in shown(pilot)
        await pilot.press("f")
        await until(pilot, lambda: "added (1 document" not in shown(pilot))
        assert "not read: empty" in shown(pilot)
        await pilot.press("escape", "escape")
        assert "four metres" in str((await ask(pilot, "How far does the tide at Reykjavik rise?")).answer)


async def test_adding_is_stopped_by_a_key_and_what_was_stored_stays(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"n{number}.txt").write_text(f"Note {number}. " + f"The tide was {number} metres. " * 200)
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await ready(pilot)
        await send(pilot, f"/add {folder}")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        await pilot.press("enter")
        await until(pilot, lambda: " of 400 files" in shown(pilot))
        await opened(pilot, "")
        assert " of 400 files" in shown(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "reading …" in shown(pilot) and "x Stop adding" in lines(pilot)[-1])
        await pilot.press("x")
        await until(pilot, lambda: "Stopped. What was added stays" in shown(pilot))
        await added(pilot)
        await until(pilot, lambda: "Stop adding" not in lines(pilot)[-1])


async def test_the_app_is_left_while_documents_are_added(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"n{number}.txt").write_text(f"Note {number}. " + "Words of the tide. " * 300)
    app = member_app_in(home)
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot)
        await send(pilot, f"/add {folder}")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        await pilot.press("enter")
        await until(pilot, lambda: " of 200 files" in shown(pilot))
        await pilot.press("ctrl+q")
    assert app.failure is None
    assert app._desk.additions.runs[0].state == "stopped"


async def test_runs_follow_one_another(home: Path, papers: Path) -> None:
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        additions = pilot.app._desk.additions
        additions.add([str(papers / "tides.md")], "sea")
        additions.add([str(papers / "ferries.txt")], "sea")
        additions.add([str(papers / "ferries.txt")], "not/a name")
        await added(pilot)
        assert [run.state for run in additions.runs] == ["done", "done", "failed"]
        assert "cannot name a collection" in toasts(pilot)
        await opened(pilot, "6")
        await pilot.press("e")
        await until(pilot, lambda: "cannot name a collection" in shown(pilot))


async def test_nothing_added_yet_says_how(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "Nothing was added since the app was opened. Press a" in shown(pilot))
        await pilot.press("escape", "x")
        await until(pilot, lambda: "Nothing is being added." in toasts(pilot))


async def test_a_new_collection_is_asked_about_and_a_known_one_is_told(home: Path, papers: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await ready(pilot)
        await send(pilot, f"/add {papers / 'tides.md'}".replace("my papers", "my\\ papers"))
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        screen = pilot.app.screen
        box, name = screen.query_one(Checkbox), screen.query_one("#collection", Input)
        await until(pilot, lambda: box.disabled)
        assert box.value
        name.value = "diary"
        await until(pilot, lambda: not box.disabled)
        assert "▐X▌ Everybody" in shown(pilot)
        box.value = False
        await until(pilot, lambda: "▐ ▌ Everybody" in shown(pilot))
        await pilot.press("enter")
        await added(pilot)
    async with member_of(home) as application:
        (diary,) = await application.documents.resolve(application.account, ["diary"])
        assert not diary.shared
        assert [one.name for one in await application.documents.list(application.account, [diary])] == ["tides.md"]
    async with guest_of(home) as application:
        assert "diary" not in [one.name for one in await application.documents.collections(application.account)]


async def test_without_a_path_or_a_collection_nothing_is_added(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await ready(pilot)
        await send(pilot, "/add")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "Type the path of a file or a folder first." in shown(pilot))
        pilot.app.screen.query_one("#paths", Input).value = "/tmp"
        pilot.app.screen.query_one("#collection", Input).value = " "
        await pilot.click("#begin")
        await until(pilot, lambda: "Type the name of a collection first." in shown(pilot))
        await pilot.click("#cancel")
        await until(pilot, lambda: area(pilot).has_focus)
        assert pilot.app._desk.additions.runs == []


@pytest.mark.parametrize("form", ["'{}'", "file://{}", "{}"])
async def test_a_file_dropped_on_the_composer_is_offered_to_be_added(home: Path, papers: Path, form: str) -> None:
    path = str(papers / "tides.md")
    text = form.format(path.replace(" ", "%20") if "file:" in form else path)
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: area(pilot).has_focus)
        area(pilot).post_message(Paste(text))
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        assert pilot.app.screen.query_one("#paths", Input).value == path.replace(" ", "\\ ")
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).text == text)  # not wanted: it is a text
        area(pilot).put("")
        area(pilot).post_message(Paste(text))
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        await pilot.press("enter")
        await added(pilot)
        assert area(pilot).text == ""
        assert "1 added" in toasts(pilot)


async def test_a_file_dropped_by_a_guest_is_a_text_and_the_way_to_add_it_is_told(home: Path, papers: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: area(pilot).has_focus)
        area(pilot).post_message(Paste(f"'{papers}'"))
        await until(pilot, lambda: "Guests cannot add documents" in toasts(pilot))
        await until(pilot, lambda: area(pilot).text == f"'{papers}'")
        await ready(pilot)
        await send(pilot, "/add x")
        await until(pilot, lambda: "/add is for registered accounts; /register makes one" in toasts(pilot))


async def test_files_dropped_on_the_list_are_offered_and_other_texts_are_not(home: Path, papers: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        pilot.app.screen.query_one(DataTable).post_message(Paste("some words"))
        await until(pilot, lambda: "This is no path of a file or folder that exists." in toasts(pilot))
        pilot.app.screen.query_one(DataTable).post_message(Paste(f"'{papers}/tides.md'\n'{papers}/ferries.txt'"))
        await until(pilot, lambda: isinstance(pilot.app.screen, AddScreen))
        field = pilot.app.screen.query_one("#paths", Input)
        assert field.value.endswith("/my\\ papers/ferries.txt")
        field.post_message(Paste(f"file://{papers}/nothing.txt".replace(" ", "%20")))
        await until(
            pilot, lambda: field.value.endswith("/ferries.txt " + f"{papers}/nothing.txt ".replace(" p", "\\ p"))
        )
        await pilot.press("enter")
        await added(pilot)
        assert "2 added, 1 failed" in toasts(pilot)


async def test_marked_documents_are_removed_and_put_back(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("space", "space")
        await until(pilot, lambda: "2 marked" in lines(pilot)[0] and "✓ churn" in shown(pilot))
        await pilot.press("d")
        await until(pilot, lambda: "Documents · 2" in lines(pilot)[0])
        assert "Removed 2 documents from the library; u puts it back." in toasts(pilot)
        await pilot.press("escape")
        assert not (await ask(pilot, "What did the 2019 report say about churn?")).answer.found
        await opened(pilot, "2")
        await pilot.press("u")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        assert "Put back 2 documents." in toasts(pilot)
        await pilot.press("u")
        assert "Undo" not in lines(pilot)[-1]  # there is nothing left to take back
        await pilot.press("escape")
        assert (await ask(pilot, "What did the 2019 report say about churn?")).answer.found


async def test_marks_go_by_esc_and_by_the_same_key(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("space", "up", "space")
        await until(pilot, lambda: "marked" not in lines(pilot)[0])
        await pilot.press("space", "escape")
        await until(pilot, lambda: "marked" not in lines(pilot)[0] and "✓" not in shown(pilot))
        assert isinstance(pilot.app.screen, DocumentsScreen)


async def test_what_is_shared_by_somebody_else_cannot_be_removed(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("end", "ctrl+end", "d")
        await until(pilot, lambda: 'The collection "handbook" belongs to somebody else' in toasts(pilot))
        assert len(titles(pilot)) == 4


async def test_collections_are_made_shared_renamed_looked_at_and_deleted(home: Path) -> None:
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "everybody; read only" in shown(pilot))
        assert titles(pilot) == ["documents", "handbook"]
        await pilot.press("n")
        await until(pilot, lambda: "New collection" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Type something first." in shown(pilot))
        await pilot.press(*"diary", "enter")
        await until(pilot, lambda: titles(pilot) == ["diary", "documents", "handbook"])
        await pilot.press("home", "ctrl+home", "s")
        await until(pilot, lambda: "only you" in shown(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "Rename collection" in shown(pilot))
        pilot.app.screen.query_one(Input).value = "documents"
        await pilot.press("enter")
        await until(pilot, lambda: "There is a collection named" in toasts(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "Rename collection" in shown(pilot))
        await pilot.press("end", "2", "enter")
        await until(pilot, lambda: titles(pilot) == ["diary2", "documents", "handbook"])
        await pilot.press("enter")
        await until(pilot, lambda: "0 of 4 · in diary2" in lines(pilot)[0])
        assert "No document fits this collection. Esc shows all again." in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        await pilot.press("c")
        await until(pilot, lambda: "Collections" in lines(pilot)[0] and len(titles(pilot)) == 3)
        await pilot.press("down", "d")
        await until(pilot, lambda: "documents: 3 documents, " in shown(pilot))
        await pilot.press("enter")  # the harmless button
        await until(pilot, lambda: "Collections" in lines(pilot)[0])
        await pilot.press("d", "y")
        await until(pilot, lambda: titles(pilot) == ["diary2", "handbook"])
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "Rename" in lines(pilot)[-1])
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "Rename" not in lines(pilot)[-1])  # that of somebody else is only looked at
        assert "New" in lines(pilot)[-1]
        await pilot.press("d", "r", "s")
        await pilot.pause()
        assert titles(pilot) == ["diary2", "handbook"]
        await pilot.press("escape")
        await until(pilot, lambda: "Documents · 1" in lines(pilot)[0])


async def test_guests_look_at_collections_and_change_none(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/collection")
        await until(pilot, lambda: "Collections" in lines(pilot)[0] and len(titles(pilot)) == 2)
        assert "/register in the chat makes an account" in shown(pilot)
        offered = lines(pilot)[-1]
        assert "Enter Open" in offered
        assert not any(action in offered for action in ("New", "Share", "Rename", "Delete"))
        await pilot.press("n", "s", "r", "d")
        await pilot.pause()
        assert len(titles(pilot)) == 2
        await pilot.press("down", "enter")
        await until(pilot, lambda: "1 of 4 · in handbook" in lines(pilot)[0])
        await pilot.press("escape", "escape")
        await send(pilot, "/collection documents")
        await until(pilot, lambda: "3 of 4 · in documents" in lines(pilot)[0])
        await pilot.press("escape", "escape")
        await send(pilot, "/collection docments")
        await until(pilot, lambda: 'Did you mean "documents"?' in toasts(pilot))


async def test_a_store_that_is_away_is_told_in_the_place_of_the_documents(home: Path) -> None:
    class Away:
        async def resolve(self, *given: object) -> None:
            raise StoreUnavailable("library", "The library store does not answer.")

        collections = resolve

    def replaced(real: object) -> dict[str, object]:
        return {"documents": Away(), "prepare": nothing}

    async def nothing() -> None:
        """Nothing to prepare."""

    async with app_over(lambda: services_of(home, replaced)).run_test(size=NARROW) as pilot:
        for key, name in (("f3", "Documents"), ("c", "Collections")):
            await pilot.press(key)
            await until(pilot, lambda name=name: name in lines(pilot)[0] and "does not answer" in shown(pilot))
