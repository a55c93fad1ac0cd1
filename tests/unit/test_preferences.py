"""Who may change which setting in a running program, and that a change is in force afterwards."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidSetting, NotPermitted
from multidb_chat.settings import Settings, load_settings
from multidb_chat.settings.loading import RULES
from multidb_chat.settings.preferences import Preferences, model_named

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEMBER = Account("m", "user", "free", NOW)
GUEST = replace(MEMBER, role="guest")
SUPPORT = replace(MEMBER, role="support")
ADMIN = replace(MEMBER, role="admin")
MEMBERS_SECTIONS = {"tui", "search", "answers"}


class Running:
    """A program that uses the settings it was told last."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.settings: Settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(home), **environ})
        self.preferences = Preferences(lambda: self.settings, self.use)

    def use(self, settings: Settings) -> None:
        self.settings = settings


@pytest.mark.parametrize(
    ("account", "sections"),
    [
        (GUEST, {"tui"}),
        (MEMBER, MEMBERS_SECTIONS),
        (SUPPORT, MEMBERS_SECTIONS),
        (ADMIN, {key.split(".")[0] for key in RULES}),
    ],
    ids=lambda given: getattr(given, "role", ""),
)
async def test_an_account_changes_the_sections_that_are_its_and_no_other(
    tmp_path: Path, account: Account, sections: set[str]
) -> None:
    running = Running(tmp_path)
    shown = running.preferences.shown(account)
    assert {one.key for one in shown if one.may_change} == {key for key in RULES if key.split(".")[0] in sections}
    for one in shown:
        if one.may_change:
            await running.preferences.set(account, one.key, one.text)
        else:
            for refused in (
                running.preferences.set(account, one.key, one.text),
                running.preferences.unset(account, one.key),
            ):
                with pytest.raises(NotPermitted, match=f"multidb-chat config set {one.key} VALUE"):
                    await refused
    changed = {key for key in RULES if running.settings.origin(key) != "default"}
    assert changed == {one.key for one in shown if one.may_change}


async def test_a_disabled_account_sees_and_changes_nothing(tmp_path: Path) -> None:
    running, disabled = Running(tmp_path), replace(ADMIN, disabled_at=NOW)
    with pytest.raises(NotPermitted, match="disabled"):
        running.preferences.shown(disabled)
    for refused in (
        running.preferences.set(disabled, "tui.theme", "paper"),
        running.preferences.unset(disabled, "tui.theme"),
    ):
        with pytest.raises(NotPermitted, match="disabled"):
            await refused
    assert list(tmp_path.iterdir()) == []


async def test_a_change_is_in_force_and_can_be_taken_back(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await running.preferences.set(MEMBER, "search.limit", "3")
    assert running.settings.search.limit == 3
    (limit,) = [one for one in running.preferences.shown(MEMBER) if one.key == "search.limit"]
    assert (limit.shown, limit.text, limit.counts) == ("3", "3", "at once")
    assert limit.origin.startswith("file ")
    await running.preferences.unset(MEMBER, "search.limit")
    assert running.settings.search.limit == 10


async def test_a_refused_change_leaves_the_settings_as_they_were(tmp_path: Path) -> None:
    running = Running(tmp_path)
    before = running.settings
    with pytest.raises(InvalidSetting):
        await running.preferences.set(MEMBER, "search.limit", "many")
    assert running.settings is before


async def test_what_the_environment_says_stays_in_force(tmp_path: Path) -> None:
    running = Running(tmp_path, MULTIDB_CHAT_SEARCH_LIMIT="4")
    assert (await running.preferences.set(MEMBER, "search.limit", "3")).overridden
    assert running.settings.search.limit == 4


async def test_a_model_in_a_file_may_be_named_by_its_path_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(tmp_path)
    monkeypatch.chdir(tmp_path)
    for typed in ("tiny.gguf", " ./tiny.gguf ", "gguf:tiny.gguf"):
        settings = running.preferences.for_now(MEMBER, "model.name", typed)
        assert settings.model.name == f"gguf:{tmp_path / 'tiny.gguf'}"
    assert model_named("openai:tiny.gguf") == "openai:tiny.gguf", "what a server calls it"
