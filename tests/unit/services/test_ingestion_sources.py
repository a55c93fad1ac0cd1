"""Finding what can be ingested: order, what is skipped, links, patterns, what cannot be looked into."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multidb_chat.services.ingesting.events import Failure
from multidb_chat.services.ingesting.sources import Given, Input, Source, discover


def found(*inputs: Input) -> list[str]:
    """Return the keys of the sources, and of failures the reasons behind them."""
    return [one.key if isinstance(one, Source) else f"{one.source}: {one.reason}" for one in discover(list(inputs))]


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_a_folder_is_looked_through_in_order_of_name(tmp_path: Path):
    make(tmp_path, "b.md", "a/z.md", "a/b/c.md", "c.md")
    names = ["a/b/c.md", "a/z.md", "b.md", "c.md"]
    assert found(tmp_path) == [str(tmp_path / name) for name in names]
    sizes = [one.size_bytes for one in discover([tmp_path]) if isinstance(one, Source)]
    assert sizes == [len(name) for name in names]


def test_what_holds_programs_or_is_hidden_is_skipped_unless_it_is_named(tmp_path: Path):
    make(tmp_path, "a.md", ".hidden.md", ".git/x", "node_modules/x.js", "__pycache__/x", "venv/pyvenv.cfg", "venv/x.py")
    assert found(tmp_path) == [str(tmp_path / "a.md")]
    assert found(tmp_path / ".hidden.md") == [str(tmp_path / ".hidden.md")]
    assert str(tmp_path / "venv" / "x.py") in found(tmp_path / "venv")


def test_a_source_is_found_once_however_often_it_is_named(tmp_path: Path):
    make(tmp_path, "a.md", "sub/b.md")
    every = [str(tmp_path / "sub/b.md"), str(tmp_path / "a.md")]
    assert found(tmp_path / "sub", tmp_path, tmp_path / "a.md", str(tmp_path / "*.md")) == every


def test_loops_of_links_end(tmp_path: Path):
    make(tmp_path, "a/one.md")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert found(tmp_path) == [
        str(tmp_path / "a/one.md"),
        f"{tmp_path}/self: too many levels of symbolic links",
    ]
    assert len([key for key in found(f"{tmp_path}/**/*.md") if key.endswith("one.md")]) == 1


def test_folders_nested_deeper_than_python_recurses_are_walked(tmp_path: Path):
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1_200):  # the path stays below the limit of the system, the depth above that of the interpreter
            os.mkdir("d")
            os.chdir("d")
        Path("deep.md").write_text("deep")
        assert found(tmp_path)[0].endswith("d/deep.md")
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # what clears up behind the tests recurses


def test_patterns_are_expanded_and_their_folders_looked_through(tmp_path: Path):
    make(tmp_path, "a.md", "b.txt", "sub/c.md", "sub/d.txt", "we[ird].md")
    assert found(f"{tmp_path}/*.md") == [f"{tmp_path}/a.md", f"{tmp_path}/we[ird].md"]
    assert found(f"{tmp_path}/**/*.txt") == [f"{tmp_path}/b.txt", f"{tmp_path}/sub/d.txt"]
    assert found(f"{tmp_path}/s*") == [f"{tmp_path}/sub/c.md", f"{tmp_path}/sub/d.txt"]
    assert found(f"{tmp_path}/we[ird].md") == [f"{tmp_path}/we[ird].md"]
    assert found(f"{tmp_path}/*.pdf") == [f"{tmp_path}/*.pdf: no file matches"]


def test_given_bytes_and_urls_are_sources_by_name_and_address():
    (given, url) = discover([Given("log", b"words"), "HTTPS://example.org/x.pdf"])
    assert given == Source("log", "log", 5, data=b"words")
    assert isinstance(url, Source)
    assert (url.key, url.path, url.data) == ("HTTPS://example.org/x.pdf", None, None)


def test_a_url_that_is_not_fetched_is_told_as_one_unless_there_is_such_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    refused = "only http:// and https:// are fetched"
    assert found("file:///etc/hosts", "ftp://example.org/*") == [
        f"file:///etc/hosts: {refused}",
        f"ftp://example.org/*: {refused}",
    ]
    make(tmp_path, "odd:/a.md")
    assert found("odd://a.md") == [str(tmp_path / "odd:/a.md")]


def test_a_relative_path_and_a_home_path_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "sub/a.md")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    every = [str(tmp_path / "sub/a.md")]
    assert found("sub/../sub/a.md") == found("~/sub") == found(Path("sub")) == every


def test_what_is_no_file_is_told_when_it_is_named_and_skipped_in_a_folder(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == []
    assert found(tmp_path / "pipe", tmp_path / "none", "/nul\x00l") == [
        f"{tmp_path}/pipe: it is neither a file nor a folder",
        f"{tmp_path}/none: no such file or folder",
        "/nul\x00l: embedded null byte",
    ]


def test_a_folder_without_permission_is_told_and_the_rest_found(tmp_path: Path):
    make(tmp_path, "a/secret.md", "b.md")
    (tmp_path / "a").chmod(0)
    if os.geteuid():
        assert found(tmp_path) == [f"{tmp_path}/a: no permission", f"{tmp_path}/b.md"]
        return
    folder = tmp_path
    while folder != folder.parent and folder != Path("/tmp"):  # nothing stops root: look as somebody else
        folder.chmod(0o755 if folder != tmp_path / "a" else 0)
        folder = folder.parent
    code = (
        "import os, sys; from multidb_chat.services.ingesting.sources import discover, Source; os.setuid(65534)\n"
        "for one in discover([sys.argv[1]]):\n"
        "    print(one.key if isinstance(one, Source) else f'{one.source}: {one.reason}')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{tmp_path}/a: no permission", f"{tmp_path}/b.md"]


def test_a_failure_names_the_source_it_is_about(tmp_path: Path):
    assert list(discover([tmp_path / "none"])) == [Failure(str(tmp_path / "none"), "no such file or folder")]
