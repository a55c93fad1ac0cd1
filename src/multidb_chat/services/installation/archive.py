"""The backup file: a zip whose comment is the SHA-256 of everything before it, so that any changed byte is found.

Besides the copies of the stores it holds `manifest.json`, which says what they are. It can be looked into with any
program that reads zip files. Everything here is synchronous.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from multidb_chat.domain.errors import InvalidInput, StoreCorrupt
from multidb_chat.domain.text import clean_line

KeysIn = Literal["plain", "sealed", "none"]
FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys"
SPOOL = "spool.tar"
_PREFIX = b"sha256:"
_COMMENT = len(_PREFIX) + 64
_CHUNK = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: when the backup was made stands in the manifest


@dataclass(frozen=True, slots=True)
class Copy:
    """One file in the backup; `schema` is that of the store, 0 for other files."""

    name: str
    size: int
    sha256: str
    schema: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. `made_at` is ISO 8601 in UTC, `keys` how the installation's keys are in it.

    `elsewhere` are the stores that are not in it, since they were on servers.
    """

    program: str
    made_at: str
    keys: KeysIn
    copies: tuple[Copy, ...]
    format: int = FORMAT
    elsewhere: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of everything in it."""
        return sum(copy.size for copy in self.copies)


def write(path: Path, manifest: Manifest, folder: Path) -> None:
    """Write the files that the manifest names, which lie in `folder`, as a new file that only its owner can read."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(_entry(MANIFEST), json.dumps(asdict(manifest), indent=2) + "\n")
            for copy in manifest.copies:
                entry = archive.open(_entry(copy.name), "w", force_zip64=True)
                with (folder / copy.name).open("rb") as source, entry as target:
                    for chunk in _chunks(source):
                        target.write(chunk)
            archive.comment = b"." * _COMMENT
        file.seek(-_COMMENT, os.SEEK_END)
        digest = _digest_before(file, file.tell())
        file.write(_PREFIX + digest.encode())
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Manifest:
    """Return what a backup says of itself, every byte of it checked. Raises `InvalidInput` or `StoreCorrupt`."""
    try:
        with path.open("rb") as file:
            _check_digest(file, clean_line(str(path)))
            with zipfile.ZipFile(file) as archive:
                return _manifest(json.loads(archive.read(MANIFEST)), set(archive.namelist()) - {MANIFEST})
    except OSError as error:
        raise InvalidInput(f"{clean_line(str(path))}: it cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{clean_line(str(path))} is no backup of multidb-chat") from error


def extract(path: Path, manifest: Manifest, folder: Path) -> None:
    """Write what is in the backup into an existing folder, each file checked. Raises `StoreCorrupt` or `OSError`."""
    with zipfile.ZipFile(path) as archive:
        for copy in manifest.copies:
            digest = hashlib.sha256()
            descriptor = os.open(folder / copy.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as target, archive.open(copy.name) as source:
                for chunk in _chunks(source):
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            if digest.hexdigest() != copy.sha256:
                raise StoreCorrupt("backup", f"{clean_line(str(path))} is damaged: {copy.name} was changed.")


def copy_of(path: Path, schema: int = 0) -> Copy:
    """Return a file as the manifest names it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
    return Copy(path.name, path.stat().st_size, digest.hexdigest(), schema)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; it is removed in the end, unless it was renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _manifest(data: Mapping[str, object], names: set[str]) -> Manifest:
    copies = tuple(Copy(**one) for one in data["copies"])  # type: ignore[attr-defined] # TypeError says it is none
    elsewhere: tuple[str, ...] = tuple(data.get("elsewhere", ()))  # type: ignore[arg-type] # older ones do not say
    manifest = Manifest(**{**data, "copies": copies, "elsewhere": elsewhere})  # type: ignore[arg-type]
    if manifest.format != FORMAT:
        raise StoreCorrupt("backup", "The backup was made by a newer version of multidb-chat: update the program.")
    if {copy.name for copy in copies} != names or any(os.sep in name or name in (".", "..") for name in names):
        raise ValueError("other files than the manifest says")
    return manifest


def _check_digest(file: IO[bytes], name: str) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _COMMENT))
    comment = file.read()
    if not comment.startswith(_PREFIX):
        raise InvalidInput(f"{name} is no backup of multidb-chat, or its end is missing or damaged")
    if _digest_before(file, size - _COMMENT).encode() != comment.removeprefix(_PREFIX):
        raise StoreCorrupt("backup", f"{name} is damaged: it is not what was written. Use another backup.")
    file.seek(0)


def _digest_before(file: IO[bytes], end: int) -> str:
    """Return the digest of the bytes before `end`, where the file stands then."""
    digest = hashlib.sha256()
    file.seek(0)
    while (left := end - file.tell()) > 0 and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
