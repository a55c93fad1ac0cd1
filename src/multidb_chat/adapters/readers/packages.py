"""Zip packages (Office, EPUB, OpenDocument): members within the budget, XML that cannot reach outside."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from multidb_chat.adapters.readers.source import Budget, Refusal, Source

if TYPE_CHECKING:
    from lxml.etree import _Element

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ENCRYPTED = 0x1  # General purpose bit 0 of a member (APPNOTE 4.4.4).
# Text and XML shrink to a twentieth at most; a member that unpacks to far more is made to fill the memory.
_LARGEST_RATIO = 200
_HARMLESS = 5_000_000


def parse_xml(data: bytes) -> "_Element":
    """Return the root of an XML text. Entities, DTDs and the network are left alone. Raises `Refusal`."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Refusal(f"broken: {error.msg}") from None
    if root is None:
        raise Refusal("broken: no XML")
    return root  # type: ignore[no-any-return]


class Package:
    """The members of a zip archive; every read is counted against the budget."""

    def __init__(self, archive: zipfile.ZipFile, budget: Budget) -> None:
        self._archive = archive
        self._budget = budget
        self.names = frozenset(archive.namelist())

    def members(self) -> list[zipfile.ZipInfo]:
        """Return the members in the order of the archive."""
        return self._archive.infolist()

    def read(self, member: str | zipfile.ZipInfo) -> bytes:
        """Return a member's bytes. Raises `Refusal` with a reason for that member."""
        info = self._archive.getinfo(member) if isinstance(member, str) else member
        if info.flag_bits & _ENCRYPTED:
            raise Refusal("needs a password")
        if info.file_size > max(_HARMLESS, _LARGEST_RATIO * info.compress_size):
            raise Refusal("it unpacks to too much for its size")
        self._budget.spend(info.file_size)
        try:
            return self._archive.read(info)  # Never gives more than `file_size` bytes, whatever is packed.
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, ValueError) as error:
            raise Refusal(f"broken: {error}") from None

    def xml(self, name: str) -> "_Element | None":
        """Return the root element of a member, None when there is no such member."""
        return parse_xml(self.read(name)) if name in self.names else None

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the relationships of an Office part: id -> (last word of the type, name of the other part)."""
        folder, base = posixpath.split(name)
        root = self.xml(f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels")
        found = {}
        for item in () if root is None else root.iter(_RELATIONSHIPS):
            target = posixpath.normpath(posixpath.join("/" + folder, item.get("Target", ""))).lstrip("/")
            found[item.get("Id", "")] = (item.get("Type", "").rpartition("/")[2], target)
        return found


@contextmanager
def opened(source: Source) -> Iterator[Package]:
    """Open the zip archive that a source is. Raises `Refusal`."""
    source.file.seek(0)
    try:
        archive = zipfile.ZipFile(source.file)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError):
        raise Refusal("broken: not a readable zip archive") from None
    with archive:
        yield Package(archive, source.budget)


def core_properties(package: Package) -> dict[str, str]:
    """Return the Dublin Core properties of an Office file: title, creator, created, language ..."""
    root = package.xml("docProps/core.xml")
    found: dict[str, str] = {}
    for item in () if root is None else root.iterchildren("*"):
        name = str(item.tag).rpartition("}")[2]
        if item.text and item.text.strip():
            found[name] = item.text.strip()
    return found


def office_facts(properties: dict[str, str]) -> dict[str, Any]:
    """Return the core properties as arguments of `finished`."""
    from multidb_chat.adapters.readers.dates import moment

    return {
        "title": properties.get("title", ""),
        "language": properties.get("language", ""),
        "authored_at": moment(properties.get("created")) or moment(properties.get("modified")),
        "metadata": {
            "author": properties.get("creator", ""),
            "subject": properties.get("subject", ""),
            "keywords": properties.get("keywords", ""),
            "description": properties.get("description", ""),
        },
    }
