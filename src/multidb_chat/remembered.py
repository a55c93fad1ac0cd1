"""The log-in of this machine, apart from `bootstrap`: what the app paints first depends on it and waits for no more."""

from typing import TYPE_CHECKING

from multidb_chat.adapters.security.keyring_secrets import KeyringSecret
from multidb_chat.adapters.security.stored_log_in import LogInFile

if TYPE_CHECKING:
    from multidb_chat.domain.signing_in import Remembered
    from multidb_chat.settings import Settings


def log_in_file(settings: "Settings") -> LogInFile:
    """Return where the log-in of this machine is kept."""
    data = settings.paths.data
    return LogInFile(data / "login.json", keyring=KeyringSecret(str(data)) if settings.login.keyring else None)


def remembered(settings: "Settings") -> "Remembered | None":
    """Return how the program was used last on this machine. Raises `StoreError`."""
    return log_in_file(settings).remembered_now()
