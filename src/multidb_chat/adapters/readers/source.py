"""What a format's reader is given: the bytes with their name, and the budget that archives spend."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import PurePosixPath
from typing import BinaryIO

from multidb_chat.adapters.readers.decoding import decode, normal


class Refusal(Exception):
    """Nothing can be read from a source; `str(refusal)` is the stable, lower-case reason."""


@dataclass(slots=True)
class Budget:
    """What all archives within one file may unpack together: a bomb is refused before it fills the memory.

    The figures leave room for any honest archive: OWASP ASVS 5.2.3 asks for limits of size and count.
    """

    member_bytes: int = 50_000_000
    total_bytes: int = 1_000_000_000
    members: int = 20_000

    def spend(self, size: int) -> None:
        """Take one member of `size` bytes; raises `Refusal` when it is over what is left."""
        if size > self.member_bytes:
            raise too_large(size, self.member_bytes)
        if size > self.total_bytes or not self.members:
            raise Refusal("the archive unpacks to too much")
        self.total_bytes -= size
        self.members -= 1


def too_large(size: int, limit: int) -> Refusal:
    """Return the refusal of `size` bytes where `limit` are allowed."""
    return Refusal(f"too large ({size / 1e6:,.1f} MB, limit {limit / 1e6:,.1f} MB)")


@dataclass
class Source:
    """A file, a member of an archive or an attachment: `file` is open at its begin, `size` in bytes.

    `depth` counts the archives around it; `charset` is what the carrier (HTTP, e-mail) said of the encoding.
    """

    name: str
    file: BinaryIO
    size: int
    content_type: str = ""
    charset: str = ""
    depth: int = 0
    budget: Budget = field(default_factory=Budget)

    @classmethod
    def of(cls, name: str, data: bytes, parent: "Source", content_type: str = "", charset: str = "") -> "Source":
        """Return the source of bytes found inside `parent`, one level deeper, spending the same budget."""
        return cls(name, BytesIO(data), len(data), content_type, charset, parent.depth + 1, parent.budget)

    @cached_property
    def data(self) -> bytes:
        """All bytes: those there were at the begin, even if the file grows."""
        self.file.seek(0)
        return self.file.read(self.size)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines one by one, up to the size the file had at the begin."""
        self.file.seek(0)
        left = self.size
        while left > 0 and (line := self.file.readline(left)):
            left -= len(line)
            yield line

    @cached_property
    def head(self) -> bytes:
        """The first 4 KiB."""
        self.file.seek(0)
        return self.file.read(4096)

    @cached_property
    def text(self) -> str:
        """The bytes as text with `\\n` line ends. Raises `Refusal` when they are no text in any encoding."""
        text = decode(self.data, self.charset)
        if text is None:
            raise Refusal("unknown format")
        return normal(text)

    @property
    def suffix(self) -> str:
        """The last suffix of the name, lower case, without the dot."""
        return PurePosixPath(self.name).suffix.lower().lstrip(".")

    @property
    def stem(self) -> str:
        """The name without folders and suffix."""
        return PurePosixPath(self.name).stem or self.name
