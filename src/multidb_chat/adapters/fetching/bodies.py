"""The body of an answer: unpacked as it comes, never beyond the limit."""

import zlib
from collections.abc import Iterator
from http.client import HTTPResponse

_CHUNK = 65_536
_AUTO = 32 + zlib.MAX_WBITS  # gzip or zlib, by its header.


class BadBody(Exception):
    """A body is broken or too large; `str(error)` is the reason."""


def body(response: HTTPResponse) -> Iterator[bytes]:
    """Yield the bytes of a response, unpacked. Raises `BadBody`."""
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding == "identity":
        yield from _raw(response)
    elif encoding in ("gzip", "x-gzip", "deflate"):
        yield from _unpacked(response, encoding)
    else:
        raise BadBody(f"broken: sent as {encoding[:20]}, which was not asked for")


def _raw(response: HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk
    if response.length:
        raise BadBody("broken: the connection ended early")


def _unpacked(response: HTTPResponse, encoding: str) -> Iterator[bytes]:
    """Yield at most a chunk at a time: a bomb must not unfold in memory."""
    unpacker = None
    try:
        for chunk in _raw(response):
            if unpacker is None:
                # Some servers send "deflate" without the header that belongs to it (RFC 9110, 8.4.1.2).
                bare = encoding == "deflate" and (chunk[0] & 0x0F) != 8
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS if bare else _AUTO)
            waiting = chunk
            while waiting and not unpacker.eof:
                yield unpacker.decompress(waiting, _CHUNK)
                waiting = unpacker.unconsumed_tail
        if unpacker is not None:
            yield unpacker.flush()  # At most what its window still holds.
    except zlib.error:
        raise BadBody("broken: badly compressed") from None
    if unpacker is not None and not unpacker.eof:
        raise BadBody("broken: the connection ended early")
