"""A PostgreSQL server of a test's own, which it may kill, freeze, restart and set up as it likes."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg
import pytest

PASSWORD = "p@ss/w0rd"
PATIENCE = 60.0


class PostgresServer:
    """A server in a folder of its own, on a free port of 127.0.0.1; passwords (SCRAM) are asked for."""

    def __init__(self, folder: Path) -> None:
        self._programs = _programs()
        self._home = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def url(
        self,
        user: str = "postgres",
        password: str = "p%40ss%2Fw0rd",
        parameters: str = "",
        database: str = "postgres",
    ) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}?schema=chat{parameters}"

    def make(self) -> Self:
        """Make the data folder, with the password of the user `postgres`, and a certificate for `localhost`."""
        secret = self._home / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self._home, secret):
                shutil.chown(path, "postgres", "postgres")
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self._certify()
        return self

    @property
    def certificate(self) -> Path:
        """The certificate that signed itself, which TLS is checked against (`sslrootcert`)."""
        return self._home / "server.crt"

    def start(self, *settings: str) -> Self:
        """Start it and wait until it takes connections."""
        options = [word for setting in settings for word in ("-c", setting)]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_as_postgres(), self._programs / "postgres", "-D", self._data, "-p", str(self.port),
                    # Processes are killed here, never the machine: what the disk has not got yet is not lost.
                    "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", self._home,
                    "-c", "ssl=on", "-c", f"ssl_cert_file={self.certificate}",
                    "-c", f"ssl_key_file={self._home / 'server.key'}", *options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url().replace("?schema=chat", ""), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._home / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.02)
            else:
                return self

    def stop(self) -> None:
        """Stop it and break all connections ("fast shutdown")."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it and all its processes at once, as a power cut does."""
        assert self._process
        self._signal_all(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def replace(self) -> None:
        """Let a server take its place that has the same data and goes on from there, as a standby does."""
        self.kill()
        (self._data / "standby.signal").touch()
        self.start()
        with psycopg.connect(self.url().replace("?schema=chat", ""), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def freeze(self) -> None:
        """Let none of its processes do anything until `thaw`."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def copy(self, one: str, other: str) -> None:
        """Dump the program's schema of a database and put it into another one, by PostgreSQL's own tools."""
        dump, place = self._home / "dump", self.url().partition("postgres?")[0]
        self._run("pg_dump", "--schema=chat", "--format=custom", f"--file={dump}", f"--dbname={place}{one}")
        self._run("pg_restore", "--exit-on-error", f"--dbname={place}{other}", dump)

    def close(self) -> None:
        """End it, where it runs, for good."""
        if self.runs():
            self.kill()

    def _signal_all(self, how: signal.Signals) -> None:
        assert self._process
        pid = self._process.pid
        self._process.send_signal(signal.SIGSTOP)  # it shall start no others meanwhile
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), how)
        self._process.send_signal(how)

    def _end(self, how: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def _certify(self) -> None:
        key = self._home / "server.key"
        self._run(
            shutil.which("openssl") or pytest.skip("there is no openssl to make a certificate with"),
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", key, "-out", self.certificate,
        )  # fmt: skip
        key.chmod(0o600)

    def _run(self, program: str, *arguments: object) -> None:
        command = [*_as_postgres(), str(self._programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, cwd=self._home)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    if program := shutil.which("postgres"):
        return Path(program).parent
    pytest.skip("there is no PostgreSQL to start here (apt-get install postgresql)")


def _as_postgres() -> Sequence[str]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("a server of its own needs the user postgres where tests run as root")
    return "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
