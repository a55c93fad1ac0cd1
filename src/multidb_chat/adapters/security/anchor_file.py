"""`AnchorFile`: the port `Anchor` in a small file beside the keys."""

import asyncio
import json
from pathlib import Path

from multidb_chat.adapters.security.private_file import PrivateFile
from multidb_chat.domain.audit import Head


class AnchorFile:
    """The port `Anchor` in the file `path`, which is made when there is a first head."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path, "audit anchor")

    async def head(self) -> Head | None:
        return await asyncio.to_thread(self._head)

    async def advance(self, head: Head) -> None:
        await asyncio.to_thread(self._advance, head)

    def _head(self) -> Head | None:
        try:
            stored = json.loads(self._file.read() or b"null")
            return Head(int(stored["seq"]), str(stored["mac"]), str(stored["seal"]))
        except (ValueError, TypeError, KeyError):
            return None

    def _advance(self, head: Head) -> None:
        with self._file.locked():
            known = self._head()
            if known is None or known.seq < head.seq:
                self._file.write(json.dumps({"seq": head.seq, "mac": head.mac, "seal": head.seal}).encode())
