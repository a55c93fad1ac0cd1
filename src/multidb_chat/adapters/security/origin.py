"""From where the program is used."""

from collections.abc import Mapping

LOCAL = "local"


def origin(environ: Mapping[str, str]) -> str:
    """Return the address of whoever came by SSH (`SSH_CONNECTION`, see sshd(8)), else `local`."""
    address = environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"ssh {address}" if address else LOCAL
