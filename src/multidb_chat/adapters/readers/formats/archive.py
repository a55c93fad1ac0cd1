"""Zip archives: every member read as the file it is, archives within archives too, nothing written anywhere."""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from multidb_chat.adapters.readers.packages import Package, opened
from multidb_chat.adapters.readers.parsing import members
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument, Unreadable

_DEEPEST = 2
# What systems put beside the files of their users.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def read(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the documents of all members, named by their path in the archive."""
    if source.depth >= _DEEPEST:
        raise Refusal("archives in archives in archives are not opened")
    prefix = f"{source.name}/" if source.depth else ""
    with opened(source) as package:
        for member in package.members():
            if not member.is_dir() and not _is_litter(member.filename):
                yield from _member(source, package, member, prefix + member.filename)


def _member(
    source: Source, package: Package, member: zipfile.ZipInfo, name: str
) -> Iterator[ParsedDocument | Unreadable]:
    reason = _suspicious(member)
    if not reason:
        try:
            inner = Source.of(name, package.read(member), source)
        except Refusal as refusal:
            reason = str(refusal)
    if reason:
        yield Unreadable(name, reason)
    else:
        yield from members(inner)


def _suspicious(member: zipfile.ZipInfo) -> str:
    """Return why a member is not even looked at, "" when it may be: such names and links are made to break out."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        return "its name leads outside the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link"
    return ""


def _is_litter(name: str) -> bool:
    return (
        name.startswith(_LITTER[0])
        or PurePosixPath(name).name in _LITTER[1:]
        or PurePosixPath(name).name.startswith("._")
    )
