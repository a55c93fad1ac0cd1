"""HTTP connections to an address that was checked before, under the name the URL gave."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Sequence

from multidb_chat.adapters.fetching.addresses import Address, Target


class PinnedConnection(http.client.HTTPConnection):
    """A connection to one of `addresses` and no other; the host's name is in `Host`, in SNI and in the certificate."""

    def __init__(self, goal: Target, addresses: Sequence[Address], seconds: float) -> None:
        super().__init__(goal.host, goal.port, timeout=seconds)
        self._goal = goal
        self._addresses = addresses
        self._seconds = seconds

    def connect(self) -> None:
        """Connect to the first address that answers. Raises `OSError`."""
        self.sock = self._reached()
        if self._goal.scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._goal.host)

    def abort(self) -> None:
        """Break the connection from another thread, so that whatever waits on it returns."""
        if self.sock is not None:
            with contextlib.suppress(OSError):  # Gone already.
                self.sock.shutdown(socket.SHUT_RDWR)

    def _reached(self) -> socket.socket:
        failure: OSError | None = None
        for address in self._addresses:
            try:
                return socket.create_connection((str(address), self._goal.port), self._seconds)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")
