"""Changing the configuration file: one key changes, and nothing else is lost."""

import os
import stat
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.settings.changing import SettingsFile
from multidb_chat.settings.editing import with_setting, without_setting
from multidb_chat.settings.loading import RULES
from multidb_chat.settings.rules import Value
from multidb_chat.settings.texts import example_toml
from tests.unit.test_settings import good_values

KEYS = sorted(RULES)
# No line ends and no control characters, which TOML has no place for; everything else that a person may write.
COMMENTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def _without_mark(value: Value) -> bool:
    """Tell whether a value has no mark of a comment in it; the place of a key may."""
    return "#" not in str(value)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, Value]]:
    """Return a configuration file as a person might have written it, and what it says."""
    said = draw(st.dictionaries(st.sampled_from(KEYS), st.none(), max_size=6))
    values = {key: draw(good_values(RULES[key]).filter(_without_mark)) for key in said}
    sections = draw(st.permutations(sorted({key.split(".")[0] for key in values})))
    dotted = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines: list[str] = []
    for section in sections:
        if not dotted:
            lines.append(draw(st.sampled_from([f"[{section}]", f'["{section}"]', f" [ {section} ] # mine"])))
        for key in [key for key in values if key.split(".")[0] == section]:
            name = key if dotted else key.split(".")[1]
            space = draw(st.sampled_from(["", " ", "\t "]))
            comment = draw(st.just("") | COMMENTS.map("  # {}".format))
            lines.append(f"{space}{name}{space}={space}{RULES[key].written(values[key])}{comment}")
            lines += draw(st.lists(st.just("") | COMMENTS.map("#{}".format), max_size=2))
    text = end.join([*draw(st.lists(COMMENTS.map("#{}".format), max_size=2)), *lines])
    return text + draw(st.sampled_from(["", end])), values


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Value]:
    """Return a key and a good value for it."""
    key = draw(st.sampled_from(KEYS))
    return key, draw(good_values(RULES[key]).filter(_without_mark))


def said_by(text: str) -> dict[str, Value]:
    """Return what a file says, by `section.key`."""
    return {f"{section}.{key}": value for section, table in tomllib.loads(text).items() for key, value in table.items()}


def comments_of(text: str) -> list[str]:
    """Return the comments, each from its first mark on; the values drawn here hold no such mark."""
    return sorted(line[line.index("#") :].rstrip("\r") for line in text.split("\n") if "#" in line)


@given(files(), changes())
def test_a_setting_is_written_and_everything_else_stays(
    file: tuple[str, dict[str, Value]], change: tuple[str, Value]
) -> None:
    (text, said), (key, value) = file, change
    section, name = key.split(".")
    after = with_setting(text, section, name, RULES[key].written(value))
    assert said_by(after) == {**said, key: value}
    assert comments_of(after) == comments_of(text)
    remaining = iter(_bare(line) for line in after.split("\n"))
    assert all(_bare(line) in remaining for line in text.split("\n") if name not in line)
    assert with_setting(after, section, name, RULES[key].written(value)) == after


def _bare(line: str) -> str:
    """Return a line without its end."""
    return line.rstrip("\r")


@given(files(), st.data())
def test_a_setting_is_taken_out_and_everything_else_stays(
    file: tuple[str, dict[str, Value]], data: st.DataObject
) -> None:
    text, said = file
    key = data.draw(st.sampled_from(KEYS))
    section, name = key.split(".")
    after = without_setting(text, section, name)
    assert said_by(after) == {other: value for other, value in said.items() if other != key}
    lost = len(text.split("\n")) - len(after.split("\n"))
    assert lost == (key in said) or not text.endswith("\n")


@given(changes())
def test_a_key_goes_below_its_example(change: tuple[str, Value]) -> None:
    key, value = change
    section, name = key.split(".")
    lines = with_setting(example_toml(), section, name, RULES[key].written(value)).split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{name} = "))
    assert lines[place - 1].startswith(f"# {name} = ")
    assert [line for number, line in enumerate(lines) if number != place] == example_toml().split("\n")


@pytest.mark.parametrize(
    "text",
    ["search = { limit = 3 }\n", '[log]\nlevel = """\ninfo"""\n[search]\nlimit = """\n3"""\n', "[search.limit]\n"],
)
def test_a_file_that_cannot_be_changed_line_by_line_is_left_alone(text: str) -> None:
    with pytest.raises(InvalidSetting, match=r"write search\.limit = 4 yourself"):
        with_setting(text, "search", "limit", "4")


def a_file(tmp_path: Path, text: str | None = None, **environ: str) -> SettingsFile:
    """Return the configuration file of a home of its own, with this text."""
    if text is not None:
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    return SettingsFile(environ={"MULTIDB_CHAT_HOME": str(tmp_path), **environ})


def test_the_first_setting_makes_the_file_for_its_owner_alone(tmp_path: Path) -> None:
    changed = a_file(tmp_path / "new").set("tui.theme", "paper")
    assert changed.file.read_text() == '[tui]\ntheme = "paper"\n'
    assert stat.S_IMODE(changed.file.stat().st_mode) == 0o600
    assert (changed.shown, changed.origin) == ('"paper"', f"file {changed.file} line 2")
    assert changed.settings.tui.theme == "paper"
    assert os.listdir(tmp_path / "new") == ["config.toml"]


def test_a_changed_file_keeps_its_permissions_its_mark_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "chat.toml"
    real.write_bytes("\ufeff[search]\r\nlimit = 3\r\n".encode())
    real.chmod(0o640)
    (tmp_path / "config.toml").symlink_to(real)
    a_file(tmp_path).set("search.limit", "20")
    assert real.read_bytes() == "\ufeff[search]\r\nlimit = 20\r\n".encode()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert (tmp_path / "config.toml").is_symlink()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("search.limit", "many", 'config: search.limit: expected a whole number between 1 and 100, got "many"'),
        ("search.threshold", "nan", "config: search.threshold: expected a number between 0 and 1"),
        ("serach.limit", "3", "config: there is no setting serach.limit; the nearest is search.limit"),
        ("search", "3", "config: search is a section"),
        ("stores.accounts", "postgresql://me:hunter2@[x", "config: stores.accounts: expected"),
    ],
)
def test_a_bad_value_or_key_is_refused_and_nothing_is_written(
    tmp_path: Path, key: str, value: str, message: str
) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        a_file(tmp_path).set(key, value)
    assert str(refusal.value).startswith(message)
    assert "hunter2" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[search]\nlimit = \n", "line 2: this is not TOML"),
        ("[search]\nlimit = 999\n", "line 2: search.limit: expected"),
        ("[search]\ntreshold = 0.5\n", "line 2: there is no setting search.treshold"),
    ],
)
def test_a_file_that_would_not_be_good_afterwards_is_left_alone(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        a_file(tmp_path, text).set("tui.theme", "paper")
    assert (tmp_path / "config.toml").read_text() == text


def test_a_bad_value_is_mended_by_a_good_one(tmp_path: Path) -> None:
    assert a_file(tmp_path, "[search]\nlimit = 999\n").set("search.limit", "9").settings.search.limit == 9


def test_what_the_environment_says_goes_on_to_decide_and_that_is_told(tmp_path: Path) -> None:
    changed = a_file(tmp_path, MULTIDB_CHAT_SEARCH_LIMIT="4").set("search.limit", "20")
    assert changed.overridden
    assert (changed.shown, changed.origin) == ("4", "environment MULTIDB_CHAT_SEARCH_LIMIT")
    assert not a_file(tmp_path).unset("search.limit").overridden


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidSetting, match=r"it cannot be written \(Permission denied\)"):
        a_file(tmp_path).set("search.limit", "4")


def test_a_folder_in_the_place_of_a_folder_above_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="it cannot be written"):
        a_file(tmp_path / "file").set("search.limit", "4")


def test_of_two_who_change_the_file_at_once_neither_loses_the_others_change(tmp_path: Path) -> None:
    barrier = threading.Barrier(len(KEYS))

    def change(key: str) -> None:
        barrier.wait()
        a_file(tmp_path).set(key, str(RULES[key].default))

    threads = [threading.Thread(target=change, args=(key,)) for key in KEYS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said_by((tmp_path / "config.toml").read_text())) == KEYS
