"""No bytes under any name break the rules: there are documents or a reason, never anything else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.readers import SubprocessReader
from multidb_chat.adapters.readers.source import Refusal
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import ParsedDocument
from tests.adapters.readers import making
from tests.adapters.readers.rules import Part, assert_well_formed, collected, parts_of

_SUFFIXES = sorted({name.rpartition(".")[2] for name in making.SAMPLES} | {"bin", "mbox", "tsv", "log", "toml", ""})
_MADE = {name: make() for name, make in making.SAMPLES.items()}
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=300) | st.text("#-*=|`>\n \t<>&;:{}[]\",'\\a1.", max_size=300)


class _Sync:
    """The reader, for tests that are not asynchronous."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._reader = SubprocessReader()
        self._folder = folder

    def read(self, name: str, data: bytes) -> list[Part] | str:
        path = self._folder / "file"
        path.write_bytes(data)
        try:
            return self._runner.run(collected(self._reader, path, name))
        except UnreadableDocument as error:
            return error.reason

    def close(self) -> None:
        self._runner.run(self._reader.close())
        self._runner.close()


@pytest.fixture(scope="module")
def sync_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Sync]:
    reader = _Sync(tmp_path_factory.mktemp("any"))
    yield reader
    reader.close()


def _check(found: list[Part] | str) -> None:
    if isinstance(found, str):
        assert found
        assert "\n" not in found
        assert "amiss" not in found
        return
    assert found
    for part in found:
        if isinstance(part, ParsedDocument):
            assert_well_formed(part)


@given(data=st.binary(max_size=400), suffix=st.sampled_from(_SUFFIXES))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_come_back_as_documents_or_a_reason(sync_reader: _Sync, data: bytes, suffix: str) -> None:
    _check(sync_reader.read(f"a.{suffix}", data))


@given(data=st.data(), name=st.sampled_from(sorted(_MADE)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_come_back_as_documents_or_a_reason(sync_reader: _Sync, data: st.DataObject, name: str) -> None:
    content = bytearray(_MADE[name])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    _check(sync_reader.read(name, bytes(content)))


@given(
    text=_TEXTS, suffix=st.sampled_from(["md", "txt", "rst", "html", "py", "c", "csv", "json", "jsonl", "xml", "eml"])
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_covered_by_its_blocks(text: str, suffix: str) -> None:
    try:
        parts = parts_of(f"a.{suffix}", text.encode())
    except Refusal:
        return
    if suffix in ("md", "txt", "rst", "py", "c"):
        (document,) = parts
        assert isinstance(document, ParsedDocument)
        if document.kind not in ("html", "xml"):
            shown = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", " ")
            assert document.text == shown.lstrip("\ufeff")
