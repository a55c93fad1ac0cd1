"""The settings and the colours in the app: looked at, changed, kept."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList

from multidb_chat.settings import load_settings
from multidb_chat.tui.screens.settings import SettingsScreen
from tests.tui.driving import (
    NARROW,
    WIDE,
    app_in,
    area,
    ask,
    lines,
    member_app_in,
    prepared,
    quiet,
    send,
    shown,
    toasts,
    until,
)


async def opened(pilot: Pilot[int]) -> None:
    """Open the settings and wait until they are there."""
    await prepared(pilot)
    await send(pilot, "/settings")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and "search.limit" in shown(pilot))


async def choose(pilot: Pilot[int], key: str) -> None:
    """Put the cursor on a setting."""
    table = pilot.app.screen.query_one(DataTable)
    row = next(row for row in range(table.row_count) if str(table.get_row_at(row)[0]) == key)
    table.move_cursor(row=row)
    await pilot.pause()


def row_of(pilot: Pilot[int], key: str) -> list[str]:
    """Return what the table says of a setting."""
    table = pilot.app.screen.query_one(DataTable)
    rows = [list(map(str, table.get_row_at(row))) for row in range(table.row_count)]
    return next((row for row in rows if row[0] == key), [])


def config(home: Path) -> str:
    """Return the configuration file."""
    return (home / "config.toml").read_text() if (home / "config.toml").exists() else ""


async def test_a_setting_is_changed_in_the_file_and_used_at_once(home: Path) -> None:
    (home / "config.toml").write_text("# mine\n[search]\n# limit = 10\n")
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await choose(pilot, "search.limit")
        assert row_of(pilot, "search.limit")[1:] == ["10", "default"]
        assert "Expected: a whole number between 1 and 100. It comes from: default. A change counts at once." in (
            " ".join(shown(pilot).split())
        )
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query(Input))
        pilot.app.screen.query_one(Input).value = "many"
        await pilot.press("enter")
        await until(pilot, lambda: shown(pilot).count("Expected: a whole number between 1 and 100.") == 2)
        pilot.app.screen.query_one(Input).value = "1"
        await pilot.press("enter")
        await until(pilot, lambda: row_of(pilot, "search.limit")[1:2] == ["1"])
        assert row_of(pilot, "search.limit")[2] == "file, config.toml line 4"
        assert config(home) == "# mine\n[search]\n# limit = 10\nlimit = 1\n"
        assert "search.limit is 1 now; it counts at once." in toasts(pilot)
        await pilot.press("escape")
        answer = (await ask(pilot, "Who founded the Kestrel observatory?")).answer
        assert answer is not None
        assert len(answer.citations) == 1
        services = await pilot.app._serving.services()
        assert services.settings.search.limit == 1
        await opened(pilot)
        await choose(pilot, "search.limit")
        await pilot.press("d")
        await until(pilot, lambda: row_of(pilot, "search.limit")[1:] == ["10", "default"])
        assert config(home) == "# mine\n[search]\n# limit = 10\n"


async def test_choices_go_round_and_colours_change_at_once(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await choose(pilot, "tui.theme")
        for theme in ("paper", "high-contrast", "ink"):
            await pilot.press("enter")
            await until(pilot, lambda theme=theme: pilot.app.theme == theme and theme in row_of(pilot, "tui.theme")[1])
            assert f'theme = "{theme}"' in config(home)
        await choose(pilot, "tui.bell")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app._bell == "bell")


async def test_what_one_may_not_change_says_who_does(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await choose(pilot, "plans.free_messages")
        await until(pilot, lambda: "multidb-chat config set plans.free_messages VALUE" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "changed by an administrator" in toasts(pilot))
        await choose(pilot, "search.limit")
        await pilot.press("d")
        await until(pilot, lambda: "search.limit is changed by an administrator" in toasts(pilot))
        assert config(home) == ""


async def test_a_file_that_is_broken_meanwhile_is_told_and_left_alone(home: Path) -> None:
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        (home / "config.toml").write_text("[search\n")
        await choose(pilot, "tui.theme")
        await pilot.press("enter")
        await until(pilot, lambda: "this is not TOML" in toasts(pilot))
        assert config(home) == "[search\n"


async def test_the_environment_is_told_to_decide(home: Path) -> None:
    from multidb_chat import bootstrap
    from multidb_chat.tui.app import ChatApp

    environ = {"MULTIDB_CHAT_HOME": str(home), "MULTIDB_CHAT_TUI_THEME": "ink"}
    settings = load_settings(environ=environ)
    app = ChatApp(lambda: bootstrap.open_application(settings, "guest"))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await choose(pilot, "tui.theme")
        await pilot.press("enter")
        await until(pilot, lambda: "the environment MULTIDB_CHAT_TUI_THEME decides tui.theme" in toasts(pilot))
        assert app.theme == "ink"


async def test_typing_narrows_the_settings(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"megabytes")
        await until(pilot, lambda: pilot.app.screen.query_one(DataTable).row_count < 10)
        assert row_of(pilot, "ingest.max_file_mb")
        await pilot.press("enter", "slash", *"zzz")
        await until(pilot, lambda: "No setting fits what you typed. Esc shows all again." in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: bool(row_of(pilot, "search.limit")))
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_a_theme_is_kept_for_the_next_time(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await send(pilot, "/theme paper")
        await until(pilot, lambda: 'theme = "paper"' in config(home))
        assert pilot.app.theme == "paper"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: 'theme = "high-contrast"' in config(home))
        await send(pilot, "/theme nothing")
        await until(pilot, lambda: "There is no theme nothing" in toasts(pilot))
    assert load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}).tui.theme == "high-contrast"


async def test_help_tells_the_keys_of_the_screen_one_comes_from_and_is_searched(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await prepared(pilot)
        await pilot.press("f3")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys here" in shown(pilot))
        for key, what in (("Enter", "Read"), ("s", "Sort"), ("F1, ?", "Help")):
            assert any(key in line and what in line for line in lines(pilot)), key
        await pilot.press(*"retry")
        await until(pilot, lambda: "/retry" in shown(pilot) and "Keys here" not in shown(pilot))
        await pilot.press(*"zz")
        await until(pilot, lambda: "Nothing here is about that." in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Keys here" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])


@pytest.mark.parametrize("key", ["f3", "f10", "f8", "f9"])
async def test_f1_helps_and_the_palette_offers_the_actions_of_every_screen(home: Path, key: str) -> None:
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        await prepared(pilot)
        chat = pilot.app.screen
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen is not chat)
        await pilot.pause()
        offered = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert {"Back", "Help", "Documents" if key == "f3" else "Docs", "Theme: paper"} <= {*offered, "Documents"}
        await pilot.press("f1")
        await until(pilot, lambda: "Keys here" in shown(pilot) and "Back" in shown(pilot))
        await pilot.press("f1")
        await until(pilot, lambda: "Keys here" not in shown(pilot))


async def test_an_action_and_a_command_are_carried_out_from_the_palette_of_another_screen(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await prepared(pilot)
        await pilot.press("f3")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        for typed, then in (("sort", "by title first"), ("theme: paper", ""), ("settings", " Settings")):
            await pilot.press("ctrl+p", *typed)
            await until(pilot, lambda: quiet(pilot))
            await until(pilot, lambda: pilot.app.screen.query_one(OptionList).highlighted is not None)
            await pilot.press("enter")
            await until(pilot, lambda then=then: then in lines(pilot)[0])
        assert pilot.app.theme == "paper"
