"""Paths however they are typed, pasted or dropped, and their completion."""

import os
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.tui.paths import being_typed, common_start, completions, dropped_paths, inputs_in, quoted

# Any name but those with the characters that part lines; a name begins and ends with something to see.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
NAMES = st.text(CHARACTERS, min_size=1, max_size=12).map(lambda name: f"a{name.replace('/', '')}z")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
FORMS = {
    "single quotes": shlex.quote,
    "double quotes": lambda path: '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "backslashes": quoted,
    "address": lambda path: "file://" + quote(path),
    "local address": lambda path: "file://localhost" + quote(path),
    "quoted address": lambda path: f"'file://{quote(path)}'",
}


@given(st.lists(st.tuples(PATHS, st.sampled_from(sorted(FORMS))), min_size=1, max_size=4), st.sampled_from(" \n"))
def test_dropped_paths_are_known_in_the_way_of_any_terminal(dropped: list[tuple[str, str]], between: str) -> None:
    paths = [path for path, _ in dropped]
    text = between.join(FORMS[form](path) for path, form in dropped)
    assert dropped_paths(text + between, set(paths).__contains__) == paths
    assert inputs_in(text) == paths


@given(st.lists(PATHS, min_size=1, max_size=3))
def test_paths_with_spaces_that_nobody_quoted_are_known_line_by_line(paths: list[str]) -> None:
    exists = {path.strip() for path in paths}.__contains__
    assert dropped_paths("\n".join(paths), exists) == [path.strip() for path in paths]


@given(st.text(max_size=40), PATHS)
def test_a_text_is_no_path_unless_all_of_it_exists(text: str, path: str) -> None:
    assert dropped_paths(text, lambda _: False) == []
    assert dropped_paths(f"{quoted(path)} and more", {path}.__contains__) == []


@pytest.mark.parametrize(
    "text", ["notes.md", "see /etc/hosts", "/help", "file://server/share/a.md", "https://example.org/", "", "/\0"]
)
def test_what_only_resembles_a_path_is_a_text(text: str) -> None:
    assert dropped_paths(text) == []


def test_a_home_folder_is_known_by_its_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a b.md").touch()
    assert dropped_paths("~/a\\ b.md") == ["~/a b.md"]


@given(st.lists(PATHS, max_size=3), PATHS)
def test_the_path_that_is_typed_is_the_last_one(before: list[str], path: str) -> None:
    front = "".join(f"{shlex.quote(one)} " for one in before)
    for form in (quoted, shlex.quote):
        typing = being_typed(front + form(path))
        assert typing == (front, path)
        assert inputs_in(typing.before + quoted(typing.path)) == [*before, path]
    assert being_typed(front) == (front, "")


def test_a_quote_that_is_still_open_belongs_to_the_path() -> None:
    assert being_typed("a.md '/my pap") == ("a.md ", "/my pap")
    assert inputs_in("it's.md") == ["it's.md"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a few files."""
    for name in ("alpha.md", "Alps.md", "beta.md", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a b.pdf").touch()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["alpha.md", "Alps.md", "beta.md", "gone", "papers/"]),
        ("al", ["alpha.md"]),
        ("aLP", ["alpha.md", "Alps.md"]),
        (".", [".hidden"]),
        ("papers/", ["papers/a b.pdf"]),
        ("nothing/", []),
        ("x", []),
        ("alpha.md/", []),
    ],
)
def test_files_and_folders_are_completed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str, found: list[str]
) -> None:
    monkeypatch.chdir(folder)
    assert completions(typed) == found
    assert completions(f"{folder}/{typed}") == [f"{folder}/{name}" for name in found]


def test_the_home_folder_is_completed_as_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert completions("~") == ["~/"]
    assert completions("~/al") == ["~/alpha.md"]
    assert completions("https://exa") == []
    assert completions("\0") == []


def test_a_large_folder_gives_its_first_names(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"n{number:02}").touch()
    assert completions(f"{tmp_path}/n", 5) == [f"{tmp_path}/n{number:02}" for number in range(5)]
    assert common_start(completions(f"{tmp_path}/n1")) == f"{tmp_path}/n1"
    assert common_start([]) == ""


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_completes_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    assert completions(f"{tmp_path}/") == []
