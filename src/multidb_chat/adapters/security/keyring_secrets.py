"""One secret in the desktop's keyring (macOS Keychain, Secret Service, KWallet), where the extra `keyring` is there."""

import logging
from typing import Any

SERVICE = "multidb-chat"
_log = logging.getLogger(__name__)


class KeyringSecret:
    """The secret of one installation, by its `name`. Where there is no keyring that can be used, nothing is kept."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get(self) -> str | None:
        """Return the secret; None when there is none, or no keyring."""
        keyring = _usable_keyring()
        try:
            return None if keyring is None else keyring.get_password(SERVICE, self._name)
        except Exception as error:  # noqa: BLE001 - backends raise whatever their desktop raises
            _log.warning("The keyring cannot be read: %s", type(error).__name__)
            return None

    def put(self, secret: str) -> bool:
        """Keep the secret; False when it is not kept."""
        keyring = _usable_keyring()
        if keyring is None:
            return False
        try:
            keyring.set_password(SERVICE, self._name, secret)
        except Exception as error:  # noqa: BLE001
            _log.warning("The keyring cannot be written: %s", type(error).__name__)
            return False
        return True

    def remove(self) -> None:
        """Forget the secret."""
        keyring = _usable_keyring()
        try:
            if keyring is not None and keyring.get_password(SERVICE, self._name) is not None:
                keyring.delete_password(SERVICE, self._name)
        except Exception as error:  # noqa: BLE001
            _log.warning("The keyring cannot be written: %s", type(error).__name__)


def _usable_keyring() -> Any:
    """Return the keyring; None without the extra or a backend that keeps secrets (`priority` above 0)."""
    try:
        import keyring
    except ImportError:
        return None
    backend = keyring.get_keyring()
    return backend if backend.priority > 0 else None
