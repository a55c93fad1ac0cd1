"""The process that reads files: takes one request at a time from its client and streams the documents back.

A request comes over the socket that is standard input, with the open file beside it: the worker is handed the bytes to
read and needs no path. What it finds goes out as frames over standard output.
"""

import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from multidb_chat.adapters.readers import sandbox
from multidb_chat.adapters.readers.parsing import documents
from multidb_chat.adapters.readers.source import Budget, Refusal, Source
from multidb_chat.adapters.readers.wire import document_frame, frame, unreadable_frame
from multidb_chat.domain.reading import ParsedDocument, Unreadable

_LENGTH = struct.Struct(">I")  # Before each request.
_CHUNK = 16_384


def main() -> None:
    """Serve requests until the client closes its end or this process has grown too large for another file."""
    memory_bytes = int(sys.argv[1])
    requests = socket.socket(fileno=0)
    answers = _own_output()
    sandbox.enter(memory_bytes)
    baseline = sandbox.mapped_bytes()
    _send(answers, frame({"ready": True}))
    while request := _next_request(requests):
        end = _serve(*request, answers, memory_bytes)
        # What earlier files left behind must not count against the next one, nor what a lack of memory left half built.
        spent = end.endswith("of memory") or sandbox.mapped_bytes() - baseline > memory_bytes // 2
        _send(answers, frame({"end": end, "spent": spent}))
        if spent:
            break


def _own_output() -> BinaryIO:
    """Keep standard output for frames alone: what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answers


def _next_request(requests: socket.socket) -> tuple[dict[str, Any], int] | None:
    """Return the next request and the file to read, None when the client has gone."""
    data, files, _, _ = socket.recv_fds(requests, _CHUNK, 1)
    while len(data) < _LENGTH.size or len(data) < _LENGTH.size + _LENGTH.unpack_from(data)[0]:
        more = requests.recv(_CHUNK) if data else b""
        if not more:
            return None
        data += more
    return json.loads(data[_LENGTH.size :]), files[0]


def _serve(request: dict[str, Any], descriptor: int, answers: BinaryIO, memory_bytes: int) -> str:
    """Send a frame for each document; return "", or the reason why the file as a whole gave nothing."""
    sandbox.allow_seconds(request["seconds"])
    with os.fdopen(descriptor, "rb") as file:
        try:
            for part in _parts(request, file):
                _send(answers, document_frame(part) if isinstance(part, ParsedDocument) else unreadable_frame(part))
        except Refusal as refusal:
            return str(refusal)
        except MemoryError:
            return f"needed more than {memory_bytes // 1_000_000:,} MB of memory"
    return ""


def _parts(request: dict[str, Any], file: BinaryIO) -> Iterator[ParsedDocument | Unreadable]:
    size = os.fstat(file.fileno()).st_size
    budget = Budget(member_bytes=request["member_bytes"])
    source = Source(request["name"], file, size, request["content_type"], request["charset"], budget=budget)
    return documents(source)


def _send(answers: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[answers.write(view) :]


if __name__ == "__main__":
    main()
