"""Asking in the app, over the real services."""

from pathlib import Path

import pytest
from textual.widgets import Markdown, Static

from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.widgets.sources import SourcesPanel
from tests.tui.driving import NARROW, WIDE, app_in, area, ask, exchanges, lines, outcome, send, shown, toasts, until
from tests.tui.home import furnish, guest_of

FOUNDED = "Who founded the Kestrel observatory?"
CHURN = "What did the 2019 report say about churn?"


async def test_a_question_is_answered_with_its_source(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        exchange = await ask(pilot, FOUNDED)
        assert exchange.answer is not None
        assert exchange.answer.found
        assert "founded in 1912 by Ada Lindqvist. [1]" in shown(pilot)
        assert "[1] The Kestrel observatory · History" in shown(pilot)
        assert exchange.query_one(Markdown).source == exchange.answer.text
        assert area(pilot).has_focus


async def test_a_question_asked_before_the_services_are_open_is_answered(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"2019 churn?", "enter")
        await until(pilot, lambda: exchanges(pilot) and exchanges(pilot)[-1].ended)
        assert "2.8 percent" in shown(pilot)


async def test_the_handbook_answers_a_newcomer_whose_question_comes_before_it_is_read(tmp_path: Path) -> None:
    async with app_in(tmp_path / "new").run_test(size=NARROW) as pilot:
        await ask(pilot, "How do I add my own documents?")
        assert "multidb-chat docs add PATH" in shown(pilot)


async def test_a_follow_up_leans_on_the_conversation_until_it_is_cleared(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        first = await ask(pilot, "When was the spectrograph added?")
        second = await ask(pilot, "And the main telescope?")
        assert first.answer is not None
        assert second.answer is not None
        assert second.answer.conversation_id == first.answer.conversation_id
        await send(pilot, "/new")
        assert exchanges(pilot) == []
        assert "Ask your documents" in shown(pilot)
        third = await ask(pilot, CHURN)
        assert third.answer is not None
        assert third.answer.conversation_id != first.answer.conversation_id


async def test_clear_empties_the_screen_and_leaves_the_cached_answers(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, CHURN)
        await pilot.press(*"/clear", "enter")
        await until(pilot, lambda: exchanges(pilot) == [])
        again = await ask(pilot, CHURN)
        assert again.answer is not None
        assert again.answer.cached


async def test_nothing_found_says_so_and_shows_the_nearest_passages(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        exchange = await ask(pilot, "What is the melting point of tungsten carbide?")
        assert exchange.answer is not None
        assert not exchange.answer.found
        assert "I found nothing in your documents" in shown(pilot)
        assert shown(pilot).count("he nearest passages") == 2  # below the answer and in the panel


async def test_a_bad_question_is_refused_in_one_line_and_the_chat_goes_on(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        assert "The question is empty" in outcome(await ask(pilot, "???"))
        assert (await ask(pilot, FOUNDED)).answer is not None


async def test_the_panel_shows_the_cited_words_marked_in_what_surrounds_them(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await ask(pilot, FOUNDED)
        panel = pilot.app.screen.query_one(SourcesPanel)
        passage = panel.query(".passage").first(Static).render()
        text = str(passage)
        assert "It stands on the northern ridge" in text
        (marked,) = [span for span in passage.spans if "accent-muted" in str(span.style)]
        assert text[marked.start : marked.end] == "The Kestrel observatory was founded in 1912 by Ada Lindqvist."
        assert text.count("History") == 1  # said above the passage, and not again in it
        assert "#" not in text  # the marks of headings in Markdown
        assert "excellent" in text


async def test_the_panel_shows_items_of_a_list_one_below_the_other_and_says_the_title_once(
    home: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "more").mkdir()
    lamps = "- The lamp burns with 1,000 watts\n  and has a spare one.\n- A fog horn was added in 1911.\n"
    (folder / "survey.md").write_text(f"# Survey of lighthouses\n\nThe lamp of Skerryness was lit in 1854.\n\n{lamps}")
    await furnish(home, [folder])
    async with app_in(home).run_test(size=WIDE) as pilot:
        await ask(pilot, "When was the lamp of Skerryness lit?")
        text = str(pilot.app.screen.query_one(SourcesPanel).query(".passage").first(Static).render())
        assert "\n- The lamp burns with 1,000 watts and has a spare one.\n- A fog horn was added" in text
        assert text.count("Survey of lighthouses") == 1


async def test_the_panel_shows_code_in_a_text_without_its_marks(home: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "more").mkdir()
    lit = "The lamp of Skerryness is lit by `lamp --light` at dusk."
    (folder / "keeper.md").write_text(f"The `wick` is cut daily. {lit}")
    await furnish(home, [folder])
    async with app_in(home).run_test(size=WIDE) as pilot:
        exchange = await ask(pilot, "How is the lamp of Skerryness lit?")
        passage = pilot.app.screen.query_one(SourcesPanel).query(".passage").first(Static).render()
        assert "The wick is cut daily. The lamp of Skerryness is lit by lamp --light at dusk." in str(passage)
        assert exchange.answer is not None
        assert exchange.answer.citations[0].snippet == lit


async def test_the_panel_covers_the_chat_only_where_it_is_narrow(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        panel = pilot.app.screen.query_one(SourcesPanel)
        await ask(pilot, FOUNDED)
        await until(pilot, lambda: panel.display)
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: not panel.display)
        await pilot.press("f2")
        await until(pilot, lambda: panel.display)
        await until(pilot, lambda: panel.has_focus)
        await until(pilot, lambda: "northern ridge" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not panel.display)
        await until(pilot, lambda: area(pilot).has_focus)
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: panel.display)
        await pilot.press("f2")
        await until(pilot, lambda: not panel.display)


async def test_titles_in_wide_characters_fit_the_screen(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, "How many seats has the reading room of the municipal library of Tokyo?")
        assert "420 seats" in shown(pilot)
        assert "東京の図書館" in shown(pilot)
        from rich.cells import cell_len

        assert {cell_len(line) for line in lines(pilot)} == {80}


async def test_any_size_of_terminal_is_drawn(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        for size in ((40, 10), (300, 100), (80, 24), (20, 5), (1, 1), (120, 40), (40, 10)):
            await pilot.resize_terminal(*size)
            exchange = await ask(pilot, FOUNDED)
            assert exchange.answer is not None, (size, outcome(exchange), toasts(pilot))
            await pilot.press("f2", "f2")
        await pilot.press("x")
        assert "x" in shown(pilot)


async def test_colours_change_by_key_and_by_name(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        assert pilot.app.theme == "ink"
        await pilot.press("ctrl+t")
        assert pilot.app.theme == "paper"
        await send(pilot, "/theme high-contrast")
        assert pilot.app.theme == "high-contrast"
        await send(pilot, "/theme [red]mauve")
        await until(pilot, lambda: "There is no theme [red]mauve" in toasts(pilot))


async def test_an_unknown_command_names_the_nearest_and_is_no_question(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/dosc")
        await until(pilot, lambda: "There is no command /dosc. Did you mean /docs?" in toasts(pilot))
        assert exchanges(pilot) == []


async def test_every_command_is_in_the_palette(home: Path) -> None:
    from multidb_chat.tui.commands import COMMANDS

    async with app_in(home).run_test(size=WIDE) as pilot:
        titles = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert titles >= {command.title for command in COMMANDS}
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"docs")
        await until(pilot, lambda: "Show the documents" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Documents · 4" in shown(pilot))


async def test_quitting_ends_with_code_0(home: Path) -> None:
    for way in ("/quit", "quit", "ctrl+q"):
        app = app_in(home)
        async with app.run_test(size=NARROW) as pilot:
            await (pilot.press(way) if way == "ctrl+q" else send(pilot, way))
        assert app.return_value == 0
        assert app.failure is None


async def test_ctrl_c_says_in_the_app_s_own_words_how_to_leave(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+c")
        assert toasts(pilot) == "Ctrl+C copies what is selected; Ctrl+Q leaves the app."
        assert pilot.app.is_running


async def test_that_nobody_is_there_is_told_until_somebody_presses_a_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multidb_chat.tui.app.REST", 0.02)
    told: list[bool] = []
    app = ChatApp(lambda: guest_of(home), idle=lambda: told.append(True))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: told)
        monkeypatch.setattr("multidb_chat.tui.app.REST", 3_600.0)
        await pilot.press("a")
        told.clear()
        await pilot.pause(0.1)
        assert told == []
