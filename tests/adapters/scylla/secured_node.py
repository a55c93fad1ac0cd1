"""A Cassandra node of a test's own that asks for a log-in and speaks TLS alone, with the program of `TEST_SERVERS`."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import pytest

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.cluster import connect
from tests.certificates import Certificates

T = TypeVar("T")

ADDRESS = "127.0.0.11"
PORT, STORAGE_PORT = 19_052, 17_010
USER, PASSWORD = "chat", "p@ss/w0rd"
_PATIENCE = 400.0
_SECURITY = """
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
client_encryption_options:
  enabled: true
  optional: false
  require_client_auth: {clients}
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: {folder}/node.pem
  truststore: {folder}/ca.pem
"""


class SecuredNode:
    """The node, in a folder of its own; `clients` have to bring a certificate, too."""

    def __init__(self, folder: Path, *, clients: bool = False) -> None:
        program = os.environ.get("TEST_SERVERS")
        place = Path(program).parent / "cassandra" if program else None
        if place is None or not (place / "lib").is_dir() or shutil.which("java") is None:
            pytest.skip("a node cannot be started: TEST_SERVERS is not set, or starts containers")
        self._place = place
        self.folder = folder
        self.certificates = Certificates(folder, ADDRESS)
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(clients)

    def url(self, user: str = USER, keyspace: str = "multidb_chat", *, with_client: bool = False) -> str:
        """Return the URL without a password, as the settings have it."""
        own = f"&tls_cert_file={self.folder}/client.pem&tls_key_file={self.folder}/client.key" if with_client else ""
        return (
            f"scylla://{user}@{ADDRESS}:{PORT}/{keyspace}?datacenter=datacenter1&replication_factor=1"
            f"&tls=true&tls_ca_file={self.folder}/ca.pem{own}"
        )

    def _configure(self, clients: bool) -> None:
        key, signed = (self.folder / f"server.{end}" for end in ("key", "pem"))
        (self.folder / "node.pem").write_text(key.read_text() + signed.read_text())
        lines = (self._place / "conf" / "cassandra.yaml.in").read_text().splitlines()
        kept = [line for line in lines if not line.startswith(("authenticator:", "authorizer:", "cluster_name:"))]
        text = "\n".join(["cluster_name: secured", *kept]) + _SECURITY.format(
            clients=str(clients).lower(), folder=self.folder
        )
        for wrong, right in {
            '"127.0.0.1:17000"': f'"{ADDRESS}:{STORAGE_PORT}"',
            "storage_port: 17000": f"storage_port: {STORAGE_PORT}",
            "native_transport_port: 19042": f"native_transport_port: {PORT}",
            "@ADDRESS@": ADDRESS,
            "@DIR@": str(self.folder),
        }.items():
            assert wrong in text, f"cassandra.yaml.in says {wrong} no more"
            text = text.replace(wrong, right)
        (self.folder / "cassandra.yaml").write_text(text)

    def start(self) -> Self:
        """Start it and wait until it takes connections."""
        conf = self._place / "conf"
        command = [
            "java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"@{conf}/jvm-modules.args",
            "-Djdk.attach.allowAttachSelf=true", "-Dio.netty.tryReflectionSetAccessible=true",
            "-Dcassandra-foreground=yes", f"-Dcassandra.config=file://{self.folder}/cassandra.yaml",
            f"-Dcassandra.storagedir={self.folder}", f"-Dlogback.configurationFile={conf}/logback.xml",
            "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=5000",
            "-Dcassandra.superuser_setup_delay_ms=0", "-cp", f"{self._place}/lib/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + _PATIENCE
        while not _listens():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-3_000:]
            assert time.monotonic() < end, (self.folder / "log").read_text()[-3_000:]
            time.sleep(0.2)
        return self

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def make_role(self) -> None:
        """Make the program's role, with the rights that docs/servers.md names, as the default superuser."""
        address = address_of(self.url("cassandra:cassandra", with_client=True))
        cluster, session = patiently(lambda: connect(address))  # the superuser is made after it takes connections
        try:
            session.execute(f"CREATE ROLE {USER} WITH PASSWORD = '{PASSWORD}' AND LOGIN = true", timeout=30)
            session.execute(f"GRANT CREATE ON ALL KEYSPACES TO {USER}", timeout=30)
        finally:
            cluster.shutdown()


def patiently(work: Callable[[], T]) -> T:
    """Do the work until the node, which may have just started, is ready for it."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _listens() -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((ADDRESS, PORT)) == 0
