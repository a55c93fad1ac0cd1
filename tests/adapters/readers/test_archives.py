"""Zip archives: their members, and what is made to break out of them or to fill the memory."""

import io
import stat
import zipfile

import pytest

from multidb_chat.adapters.readers.parsing import documents
from multidb_chat.adapters.readers.source import Budget, Refusal, Source
from multidb_chat.domain.reading import ParsedDocument, Unreadable
from tests.adapters.readers.making import zipped
from tests.adapters.readers.rules import parts_of


def _read(data: bytes, budget: Budget) -> list[ParsedDocument | Unreadable]:
    return list(documents(Source("a.zip", io.BytesIO(data), len(data), budget=budget)))


def test_members_are_read_by_their_formats_and_named_by_their_paths() -> None:
    inner = zipped({"c.txt": b"Three"})
    data = zipped({"x/a.md": b"# One", "b.txt": b"Two", "deep/in.zip": inner, "empty.txt": b"", "d/": b""})
    one, two, three, empty = parts_of("a.zip", data)
    assert isinstance(one, ParsedDocument)
    assert (one.name, one.title, one.kind) == ("x/a.md", "One", "markdown")
    assert isinstance(two, ParsedDocument)
    assert (two.name, two.title) == ("b.txt", "b")
    assert isinstance(three, ParsedDocument)
    assert three.name == "deep/in.zip/c.txt"
    assert empty == Unreadable("empty.txt", "empty")


def test_what_the_system_put_in_is_passed_over() -> None:
    data = zipped({"__MACOSX/._a.txt": b"junk", ".DS_Store": b"junk", "b/._a.txt": b"junk", "a.txt": b"A text"})
    assert [part.name for part in parts_of("a.zip", data)] == ["a.txt"]


def test_archives_are_opened_two_deep_and_no_deeper() -> None:
    data = zipped({"a.txt": b"text"})
    for _ in range(3):
        data = zipped({"in.zip": data, "beside.txt": b"beside"})
    found = {part.name: part for part in parts_of("a.zip", data)}
    assert isinstance(found["in.zip/beside.txt"], ParsedDocument)
    assert found["in.zip/in.zip"] == Unreadable("in.zip/in.zip", "archives in archives in archives are not opened")


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "C:/evil.txt", "..\\evil.txt"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    evil, good = parts_of("a.zip", zipped({name: b"evil", "good.txt": b"Good"}))
    assert isinstance(evil, Unreadable)
    assert evil.reason == "its name leads outside the archive"
    assert isinstance(good, ParsedDocument)


def test_links_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.txt", "Good")
    assert parts_of("a.zip", target.getvalue())[0] == Unreadable("link.txt", "a link")


def test_two_members_of_one_name_give_one_document() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.txt", "First")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "Second")
    first, second = parts_of("a.zip", target.getvalue())
    assert isinstance(first, ParsedDocument)
    assert second == Unreadable("a.txt", "another part has the same name")


def test_a_member_that_unpacks_to_a_thousandfold_is_refused() -> None:
    bomb, good = parts_of("a.zip", zipped({"bomb.txt": b"0" * 20_000_000, "good.txt": b"Good"}))
    assert bomb == Unreadable("bomb.txt", "it unpacks to too much for its size")
    assert isinstance(good, ParsedDocument)


def test_a_member_over_the_limit_is_refused() -> None:
    parts = _read(zipped({"a.txt": b"x" * 3_000_000, "b.txt": b"Good"}), Budget(member_bytes=1_000_000))
    assert parts[0] == Unreadable("a.txt", "too large (3.0 MB, limit 1.0 MB)")
    assert isinstance(parts[1], ParsedDocument)


def test_the_total_is_limited_over_all_depths() -> None:
    inner = zipped({f"{n}.txt": b"y" * 1000 for n in range(5)}, zipfile.ZIP_STORED)
    data = zipped({"in.zip": inner, **{f"{n}.txt": b"x" * 1000 for n in range(5)}}, zipfile.ZIP_STORED)
    parts = _read(data, Budget(total_bytes=len(inner) + 7500))
    assert sum(isinstance(part, ParsedDocument) for part in parts) == 7
    assert {part.reason for part in parts if isinstance(part, Unreadable)} == {"the archive unpacks to too much"}


def test_the_number_of_members_is_limited() -> None:
    parts = _read(zipped({f"{n}.txt": b"x" for n in range(10)}), Budget(members=4))
    assert sum(isinstance(part, ParsedDocument) for part in parts) == 4


@pytest.mark.parametrize(("suffix", "part"), [("docx", "word/document.xml"), ("xlsx", "xl/workbook.xml"), ("epub", "")])
def test_a_bomb_in_a_package_is_refused(suffix: str, part: str) -> None:
    bomb = zipped({part or "META-INF/container.xml": b"<a>" + b" " * 60_000_000 + b"</a>"})
    with pytest.raises(Refusal, match=r"unpacks to too much|too large"):
        parts_of(f"a.{suffix}", bomb)


def test_an_encrypted_member_needs_a_password() -> None:
    data = bytearray(zipped({"a.txt": b"secret", "b.txt": b"open"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # The flags of the first member, in both places.
        data[data.index(signature) + offset] |= 1
    assert parts_of("a.zip", bytes(data))[0] == Unreadable("a.txt", "needs a password")


def test_an_archive_of_nothing_readable_says_so() -> None:
    with pytest.raises(Refusal, match="nothing in it could be read"):
        parts_of("a.zip", zipped({"a.png": b"\x89PNG\r\n\x1a\n"}))
    with pytest.raises(Refusal, match="empty"):
        parts_of("a.zip", zipped({}))


def test_a_damaged_member_does_not_hide_the_others() -> None:
    data = bytearray(zipped({"a.txt": b"first text, long enough", "b.txt": b"second"}, zipfile.ZIP_STORED))
    data[data.index(b"first")] ^= 0xFF
    broken, good = parts_of("a.zip", bytes(data))
    assert isinstance(broken, Unreadable)
    assert broken.reason.startswith("broken: ")
    assert isinstance(good, ParsedDocument)
