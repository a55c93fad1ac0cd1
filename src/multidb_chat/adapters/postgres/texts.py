"""How text lies in PostgreSQL: as it is, but for NUL, which the server refuses in text.

NUL becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002: exact both ways, and neither the order of texts (by code
point, collation "C") nor what begins with what changes. Every text that is bound or read passes here, so that stores
need not think of it; a comparison inside the server compares texts that were both written so.
"""

from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown, TextLoader

_ESCAPE = "\x01"
_STORED = {"\x00": "\x01\x01", "\x01": "\x01\x02"}


def stored(text: str) -> str:
    """Return the text as it lies in the server."""
    if "\x00" not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, _STORED["\x01"]).replace("\x00", _STORED["\x00"])


def loaded(text: str) -> str:
    """Return the text that lies in the server."""
    if _ESCAPE not in text:
        return text
    return text.replace(_STORED["\x00"], "\x00").replace(_STORED["\x01"], _ESCAPE)


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return stored(obj).encode()


class _Loader(TextLoader):
    def load(self, data: Buffer) -> str:
        return loaded(str(data, "utf-8"))


def adapt(connection: AsyncConnection) -> None:
    """Let all text of a connection pass here."""
    connection.adapters.register_dumper(str, _Dumper)
    connection.adapters.register_loader("text", _Loader)
