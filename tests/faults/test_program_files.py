"""Folders and files that are barred, endless, hostile, or change while they are read."""

import json
import os
import threading
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Program, unsafe
from tests.faults.program import unprivileged

ESCAPING = "ev\x1b[31mil\nna\x07me.txt"
LATIN = os.fsdecode(b"caf\xe9.txt")


def failures(program: Program, *paths: Path) -> dict[str, str]:
    """Add the paths; return why what was not read was not, by source (without its folder) and part."""
    done = program("docs", "add", "--json", *paths)
    figures = json.loads(done.stdout)
    assert done.returncode == (1 if figures["failures"] else 0)
    found = figures["failures"]
    return {Path(one["source"]).name + (one["name"] and f"/{one['name']}"): one["reason"] for one in found}


def names(program: Program) -> set[str]:
    """Return the names of all documents."""
    return {one["name"] for one in json.loads(program("docs", "list", "--json").stdout)["documents"]}


def locked_pdf() -> bytes:
    """Return a PDF whose key is made from a password (ISO 32000-1, 7.6.3): the empty one does not fit its check `U`."""
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        f"<</Filter/Standard/V 1/R 2/O<{'5a' * 32}>/U<{'a5' * 32}>/P -4>>",
    )
    data, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n"
    table = "0000000000 65535 f \n" + "".join(f"{place:010} 00000 n \n" for place in places)
    identity = f"[<{'1f' * 16}><{'1f' * 16}>]"
    trailer = f"trailer\n<</Root 1 0 R/Size 5/Encrypt 4 0 R/ID{identity}>>\nstartxref\n{len(data)}\n%%EOF\n"
    return (data + f"xref\n0 5\n{table}" + trailer).encode("ascii")


def test_a_folder_without_permission_is_told_and_the_rest_is_added(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.txt").write_text("nobody reads this")
    (folder / "open.txt").write_text("The door of the library is open.")
    (folder / "shut.txt").write_text("nobody reads this either")
    (folder / "inner").chmod(0)
    (folder / "shut.txt").chmod(0)
    try:
        done = unprivileged(empty, "docs", "add", folder)
        given = unprivileged(empty, "ask", "Who reads this?", "-f", folder / "shut.txt")
    finally:
        (folder / "inner").chmod(0o700)
    assert done.returncode == 1
    assert done.stdout.startswith("1 added, 2 failed")
    assert done.stderr.splitlines() == [
        f"not read: {folder / 'inner'}: no permission",
        f"not read: {folder / 'shut.txt'}: no permission",
    ]
    assert (given.returncode, given.stderr) == (6, f"error: {folder / 'shut.txt'}: no permission\n")


def test_links_in_circles_and_links_to_nowhere_end(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    (folder / "a" / "otter.txt").write_text("Otters live in the river.")
    for link, target in {"a/b": "../b", "b/a": "../a", "all": ".", "itself": "itself", "gone.txt": "nowhere"}.items():
        (folder / link).symlink_to(target)
    os.mkfifo(folder / "pipe.txt")
    assert failures(empty, folder) == {
        "itself": "too many levels of symbolic links",
        "gone.txt": "no such file or folder",
    }
    assert names(empty) == {"otter.txt"}


def test_archives_that_unpack_to_too_much_or_lead_outside_are_refused(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "papers"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.txt", b" " * 60_000_000)
    nested = (folder / "bomb.zip").read_bytes()
    for _ in range(3):
        with zipfile.ZipFile(folder / "nested.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", nested)
        nested = (folder / "nested.zip").read_bytes()
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        for name in ("../../above.txt", "/tmp/absolute.txt", "..\\windows.txt", "good.txt"):
            archive.writestr(name, "The good file speaks of Alice.")
    outside = "its name leads outside the archive"
    assert failures(empty, folder) == {
        "bomb.zip": "nothing in it could be read: it unpacks to too much for its size",
        "nested.zip": "nothing in it could be read: archives in archives in archives are not opened",
        "slip.zip/../../above.txt": outside,
        "slip.zip//tmp/absolute.txt": outside,
        "slip.zip/..\\windows.txt": outside,
    }
    assert names(empty) == {"good.txt"}
    assert {path.name for path in (tmp_path / "deep").rglob("*.txt")} == set()


def test_a_pdf_with_a_password_is_told(empty: Program, tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(locked_pdf())
    assert "password" in failures(empty, tmp_path / "locked.pdf")["locked.pdf"]
    done = empty("ask", "What does it say?", "-f", tmp_path / "locked.pdf")
    assert done.returncode == 6
    assert "password" in done.stderr


def test_a_file_that_changes_while_it_is_read_is_whole_or_told(empty: Program, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    stop = threading.Event()

    def rewrite() -> None:
        version = 0
        while not stop.is_set():
            path.write_text(f"Version {version} of the log. " * 40_000)
            version += 1

    path.write_text("Version 0 of the log. " * 40_000)
    writing = threading.Thread(target=rewrite)
    writing.start()
    try:
        told = failures(empty, path)
    finally:
        stop.set()
        writing.join()
    assert set(told.values()) <= {"changed while it was read", "empty"}
    if not told:  # it was read between two versions
        assert len(set(empty("docs", "export", "log.txt").stdout.strip().split(". "))) <= 2
    path.write_text("The last version of the log speaks of Ludvig.")
    assert failures(empty, path) == {}
    assert empty("docs", "export", "log.txt").stdout.strip() == path.read_text()


def test_a_name_with_escapes_and_line_breaks_is_harmless_and_can_be_used(empty: Program, tmp_path: Path) -> None:
    (tmp_path / ESCAPING).write_text("A jellyfish named Pelle swims in the jar.")
    empty("docs", "add", tmp_path / ESCAPING)
    (tmp_path / ("gone" + ESCAPING)).symlink_to("nowhere")
    for arguments, code in (
        (("docs", "list"), 0),
        (("docs", "show", ESCAPING), 0),
        (("docs", "show", "evil name.txt"), 0),
        (("docs", "show", tmp_path / ESCAPING), 0),
        (("docs", "search", "jellyfish"), 0),
        (("ask", "Who swims in the jar?"), 0),
        (("docs", "add", tmp_path / ("gone" + ESCAPING)), 1),
        (("docs", "show", "no" + ESCAPING), 6),
        (("docs", "list", "-c", "no" + ESCAPING), 6),
    ):
        done = empty.inside(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert not unsafe(done.stdout + done.stderr), arguments
    assert empty("docs", "list").stdout.count("\n") == 1
    assert json.loads(empty("docs", "list", "--json").stdout)["documents"][0]["name"] == ESCAPING
    done = empty("docs", "remove", "--yes", "evil name.txt")
    assert (done.returncode, done.stdout) == (0, "removed evil name.txt\n")
    assert names(empty) == set()


@pytest.mark.skipif(os.fsencode("\udce9") != b"\xe9", reason="the file system's names are always Unicode here")
def test_a_name_that_is_not_utf_8_can_be_used(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / LATIN).write_text("A jellyfish named Nisse swims in the jar.")
    assert failures(empty, folder) == {}
    listed = empty("docs", "list")
    assert not unsafe(listed.stdout)
    shown = listed.stdout.split()[1]
    for reference in (LATIN, shown, folder / LATIN, listed.stdout.split()[0]):
        done = empty.inside("docs", "show", reference)
        assert done.returncode == 0, done.stderr
        assert not unsafe(done.stdout)
    assert "[1]" in empty("ask", "Who swims in the jar?").stdout
    assert failures(empty, folder) == {}
    assert empty("docs", "remove", "--yes", folder / LATIN).returncode == 0
    assert names(empty) == set()
