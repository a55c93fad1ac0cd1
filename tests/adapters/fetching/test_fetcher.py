"""The fetcher against a real server on this machine, which it must be allowed to reach first."""

import asyncio
import gzip
import ipaddress
import socket
import ssl
import subprocess
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from multidb_chat.adapters.fetching import UrlFetcher
from multidb_chat.domain.errors import InvalidInput, UnreadableDocument

LOCAL = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def _ok(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _to(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


class _Server:
    """Answers each path with the bytes given for it, and keeps what it was asked."""

    def __init__(self, answers: dict[str, bytes], drip: float = 0.0) -> None:
        self._answers = answers
        self._drip = drip
        self.requests: list[str] = []
        self.port = 0

    async def handle(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        try:
            request = (await incoming.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            answer = self._answers.get(request.split()[1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            for start in range(0, len(answer), 1 if self._drip else len(answer)):
                outgoing.write(answer[start : start + 1] if self._drip else answer)
                await outgoing.drain()
                await asyncio.sleep(self._drip)
        except (OSError, asyncio.IncompleteReadError):
            pass  # The client has gone.
        finally:
            outgoing.close()

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def _serving(
    answers: dict[str, bytes], drip: float = 0.0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[_Server]:
    server = _Server(answers, drip)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def _refused(fetcher: UrlFetcher, url: str) -> str:
    with pytest.raises(UnreadableDocument) as caught:
        await fetcher.fetch(url)
    return caught.value.reason


async def test_a_page_is_fetched_with_its_type_and_name(own_temporary_folder: Path) -> None:
    async with _serving({"/docs/guide.html?v=1": _ok(b"<p>Hello", "Content-Type: text/html; charset=utf-8")}) as server:
        file = await UrlFetcher(allow=LOCAL).fetch(server.url("/docs/guide.html?v=1#part"))
    assert file.path.read_bytes() == b"<p>Hello"
    assert file.path.parent == own_temporary_folder
    assert file.path.stat().st_mode & 0o077 == 0
    assert (file.name, file.content_type) == ("guide.html", "text/html; charset=utf-8")
    assert file.url == server.url("/docs/guide.html?v=1")
    (request,) = server.requests
    assert "User-Agent: multidb-chat" in request
    assert f"Host: 127.0.0.1:{server.port}" in request
    assert "Cookie" not in request
    assert "Authorization" not in request


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/", ["Content-Type: text/html"], "127.0.0.1.html"),
        ("/paper", ["Content-Type: application/pdf"], "paper.pdf"),
        ("/v1.2", ["Content-Type: text/plain"], "v1.2.txt"),
        ("/notes.md", ["Content-Type: text/plain"], "notes.md"),
        ("/a%2Fb/%D1%84.txt", [], "ф.txt"),
        ("/x", ['Content-Disposition: attachment; filename="../../evil.txt"'], "evil.txt"),
        ("/x", ["Content-Disposition: attachment; filename*=UTF-8''%E2%80%AEfoo%1B%5B31m.txt"], "foo.txt"),
        ("/..%2f..%2fetc%2fpasswd", [], "passwd"),
    ],
)
async def test_the_name_is_safe_and_has_a_suffix_that_fits(path: str, headers: list[str], name: str) -> None:
    async with _serving({path: _ok(b"body", *headers)}) as server:
        assert (await UrlFetcher(allow=LOCAL).fetch(server.url(path))).name == name


async def test_redirects_are_followed_and_each_is_checked() -> None:
    async with _serving({}) as server:
        server._answers.update(
            {
                "/a": _to("/b"),
                "/b": _to(server.url("/c")),
                "/c": _ok(b"there"),
                "/loop": _to("/loop"),
                "/metadata": _to("http://169.254.169.254/latest/meta-data"),
                "/mapped": _to("http://[::ffff:127.0.0.1]/"),
                "/file": _to("file:///etc/passwd"),
                "/login": _to("http://user:pw@example.org/"),
            }
        )
        fetcher = UrlFetcher(allow=LOCAL[:1])
        file = await fetcher.fetch(server.url("/a"))
        assert (file.path.read_bytes(), file.url, file.name) == (b"there", server.url("/c"), "c")
        assert await _refused(fetcher, server.url("/loop")) == "more than 5 redirects"
        for path in ("/metadata", "/mapped", "/file", "/login"):
            with pytest.raises(InvalidInput):
                await fetcher.fetch(server.url(path))


async def test_this_machine_is_not_reached_unless_allowed() -> None:
    async with _serving({"/": _ok(b"inside")}) as server:
        for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433"):
            with pytest.raises(InvalidInput, match="private or special"):
                await UrlFetcher().fetch(server.url("/", host))
    assert server.requests == []


async def test_a_name_is_resolved_once_and_that_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: object, **more: object) -> object:
        if host != "rebinding.example":
            return real(host, *rest, **more)  # type: ignore[arg-type]
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.9.9.9", server.port))]

    async with _serving({"/": _ok(b"first")}) as server:
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        file = await UrlFetcher(allow=LOCAL).fetch(server.url("/", "rebinding.example"))
    assert file.path.read_bytes() == b"first"
    assert asked == ["rebinding.example"]
    assert f"Host: rebinding.example:{server.port}" in server.requests[0]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"text " * 1000, mtime=0)),
        ("deflate", zlib.compress(b"text " * 1000)),
        ("deflate", zlib.compress(b"text " * 1000)[2:-4]),
    ],
)
async def test_packed_bodies_are_unpacked(encoding: str, packed: bytes) -> None:
    async with _serving({"/": _ok(packed, f"Content-Encoding: {encoding}")}) as server:
        file = await UrlFetcher(allow=LOCAL).fetch(server.url("/"))
    assert file.path.read_bytes() == b"text " * 1000


async def test_what_goes_wrong_has_a_reason_and_leaves_no_file(own_temporary_folder: Path) -> None:
    bomb = _ok(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip")
    answers = {
        "/large": _ok(b"x" * 3_000_000),
        "/liar": _ok(b"x" * 3_000_000, length=10**12),
        "/endless": b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 3_000_000,
        "/bomb": bomb,
        "/short": _ok(b"half", length=8),
        "/cut": _ok(gzip.compress(b"text" * 100)[:-9], "Content-Encoding: gzip"),
        "/unpacked": _ok(b"not packed", "Content-Encoding: gzip"),
        "/strange": _ok(b"x", "Content-Encoding: br"),
        "/nothttp": b"SSH-2.0-OpenSSH_9\r\n\r\n",
        "/error": b"HTTP/1.1 503 Service \x1b[31mUnavailable\r\nContent-Length: 0\r\n\r\n",
    }
    async with _serving(answers) as server:
        fetcher = UrlFetcher(allow=LOCAL, max_bytes=1_000_000)
        reasons = {path: await _refused(fetcher, server.url(path)) for path in [*answers, "/nowhere"]}
    assert reasons["/large"] == "too large (3.0 MB, limit 1.0 MB)"
    assert reasons["/liar"].startswith("too large")
    assert reasons["/endless"].startswith("too large (1.0 MB")
    assert reasons["/bomb"].startswith("too large (1.0 MB")
    assert reasons["/short"] == reasons["/cut"] == "broken: the connection ended early"
    assert reasons["/unpacked"] == "broken: badly compressed"
    assert reasons["/strange"] == "broken: sent as br, which was not asked for"
    assert reasons["/nothttp"] == "broken: not a proper answer (BadStatusLine)"
    assert reasons["/error"] == "the server answered 503 Service Unavailable"
    assert reasons["/nowhere"] == "the server answered 404 Not Found"
    assert list(own_temporary_folder.iterdir()) == []


async def test_no_connection_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _serving({}) as server:
        gone = server.url("/")
    assert "refused" in await _refused(UrlFetcher(allow=LOCAL), gone)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "Name or service not known" in await _refused(UrlFetcher(), "https://nowhere.example/")


async def test_a_silent_server_and_a_dripping_one_are_given_up(own_temporary_folder: Path) -> None:
    async with _serving({"/": _ok(b"x" * 100)}, drip=0.2) as server:
        assert await _refused(UrlFetcher(allow=LOCAL, total_s=0.5), server.url("/")) == "took longer than 0.5 s"
    async with _serving({"/": _ok(b"x" * 100)}, drip=5) as server:
        assert await _refused(UrlFetcher(allow=LOCAL, wait_s=0.3), server.url("/")) == "no answer for 0.3 s"
    assert list(own_temporary_folder.iterdir()) == []


async def test_cancelling_leaves_no_file_and_no_connection(own_temporary_folder: Path) -> None:
    async with _serving({"/": _ok(b"x" * 10_000)}, drip=0.005) as server:
        fetching = asyncio.create_task(UrlFetcher(allow=LOCAL).fetch(server.url("/")))
        for _ in range(500):
            if list(own_temporary_folder.iterdir()):
                break
            await asyncio.sleep(0.02)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        for _ in range(500):
            if not list(own_temporary_folder.iterdir()):
                break
            await asyncio.sleep(0.02)
    assert list(own_temporary_folder.iterdir()) == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `localhost` that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    try:
        subprocess.run(
            [*command.split(), "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the openssl command to make a certificate")
    return certificate, key


async def test_the_certificate_must_be_trusted_and_for_this_name(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    async with _serving({"/": _ok(b"sealed")}, tls=tls) as server:
        fetcher = UrlFetcher(allow=LOCAL)
        assert "certificate is not valid (self" in await _refused(fetcher, server.url("/", "localhost", "https"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        file = await fetcher.fetch(server.url("/", "localhost", "https"))
        assert file.path.read_bytes() == b"sealed"
        mismatch = await _refused(fetcher, server.url("/", "127.0.0.1", "https"))
        assert "certificate is not valid (IP address mismatch" in mismatch
