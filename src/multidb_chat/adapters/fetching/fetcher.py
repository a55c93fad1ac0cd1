"""`UrlFetcher`: the port `Fetcher` with the standard library, in a thread."""

import asyncio
import contextlib
import http.client
import os
import ssl
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urljoin

from multidb_chat.adapters.fetching.addresses import Network, Target, resolved, target
from multidb_chat.adapters.fetching.bodies import BadBody, body
from multidb_chat.adapters.fetching.connection import PinnedConnection
from multidb_chat.adapters.fetching.naming import file_name
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import FetchedFile
from multidb_chat.domain.text import clean_line

_MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {
    "User-Agent": "multidb-chat (reads single documents at a user's request)",
    "Accept": "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost: bytes (unpacked), seconds to connect and between two answers, seconds altogether."""

    max_bytes: int
    wait_seconds: float
    total_seconds: float


class UrlFetcher:
    """Fetches http and https URLs of public addresses into temporary files, without cookies, proxies or credentials.

    `allow` names networks that may be reached although they are not public; it is for tests with a local server.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 50_000_000,
        wait_s: float = 15.0,
        total_s: float = 120.0,
        allow: Sequence[Network] = (),
    ) -> None:
        self._limits = Limits(max_bytes, wait_s, total_s)
        self._allow = tuple(allow)

    async def fetch(self, url: str) -> FetchedFile:
        """Return the file behind a URL; see the port. The caller removes it."""
        download = _Download(target(url), self._limits, self._allow)
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                return await asyncio.to_thread(download.run)
        except TimeoutError:
            download.abort()
            raise UnreadableDocument(clean_line(url), f"took longer than {self._limits.total_seconds:g} s") from None
        except BaseException:
            download.abort()
            raise


class _Download:
    """One fetch, in a thread of its own; `abort` may be called from another one at any time."""

    def __init__(self, goal: Target, limits: Limits, allow: Sequence[Network]) -> None:
        self._goal = goal
        self._limits = limits
        self._allow = allow
        self._connection: PinnedConnection | None = None
        self._path: str | None = None
        self._lock = threading.Lock()
        self._aborted = False

    def run(self) -> FetchedFile:
        """Return the file. Raises `InvalidInput` or `UnreadableDocument`."""
        name = clean_line(self._goal.url)
        try:
            return self._followed()
        except BadBody as error:
            raise UnreadableDocument(name, str(error)) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnreadableDocument(name, _reason(error, self._limits)) from error

    def abort(self) -> None:
        """Break what is going on: the thread ends by itself, and no file is left behind."""
        with self._lock:
            self._aborted = True
            if self._connection is not None:
                self._connection.abort()
            if self._path is not None:
                os.unlink(self._path)
                self._path = None

    def _followed(self) -> FetchedFile:
        goal = self._goal
        for _ in range(_MOST_REDIRECTS + 1):
            with contextlib.closing(self._prepared(goal)) as connection:
                connection.connect()
                self._check()
                connection.request("GET", goal.path, headers=_HEADERS)
                response = connection.getresponse()
                location = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not location:
                    return self._saved(goal, response)
            goal = target(urljoin(goal.url, location))
        raise BadBody(f"more than {_MOST_REDIRECTS} redirects")

    def _prepared(self, goal: Target) -> PinnedConnection:
        connection = PinnedConnection(goal, resolved(goal, self._allow), self._limits.wait_seconds)
        with self._lock:
            self._check()
            self._connection = connection
        return connection

    def _saved(self, goal: Target, response: HTTPResponse) -> FetchedFile:
        if response.status != http.client.OK:
            raise BadBody(f"the server answered {response.status} {clean_line(response.reason)[:60]}".rstrip())
        if (response.length or 0) > self._limits.max_bytes:
            raise BadBody(_too_large(response.length or 0, self._limits.max_bytes))
        descriptor, path = tempfile.mkstemp(prefix="multidb-chat-")
        try:
            self._write(descriptor, response)
            with self._lock:
                self._check()
                self._path = path
        except BaseException:
            os.unlink(path)
            raise
        content_type = clean_line(response.headers.get("Content-Type", ""))[:200]
        return FetchedFile(Path(path), goal.url, file_name(goal, response.headers), content_type)

    def _write(self, descriptor: int, response: HTTPResponse) -> None:
        size = 0
        with os.fdopen(descriptor, "wb") as file:
            for chunk in body(response):
                size += len(chunk)
                if size > self._limits.max_bytes:
                    raise BadBody(_too_large(size, self._limits.max_bytes))
                self._check()
                file.write(chunk)

    def _check(self) -> None:
        if self._aborted:
            raise BadBody("given up")


def _too_large(size: int, limit: int) -> str:
    return f"too large ({size / 1e6:,.1f} MB, limit {limit / 1e6:,.1f} MB)"


def _reason(error: OSError | http.client.HTTPException, limits: Limits) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid ({clean_line(error.verify_message)})"
    if isinstance(error, TimeoutError):
        return f"no answer for {limits.wait_seconds:g} s"
    if isinstance(error, http.client.HTTPException):
        return f"broken: not a proper answer ({type(error).__name__})"
    return f"no connection ({clean_line(error.strerror or str(error))[:100]})"
