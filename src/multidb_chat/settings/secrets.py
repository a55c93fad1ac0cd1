"""Secrets that lie elsewhere: passwords of the stores' servers, in their URLs, and keys of models' providers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.settings.loading import Settings

EMBEDDED = "embedded"


def server_url(
    settings: Settings, store: str, keyring: Callable[[str], str | None], environ: Mapping[str, str]
) -> str | None:
    """Return the URL of the server that a store (`accounts`, `cache` ...) lives on, with its password; None: embedded.

    `keyring` returns the secret of a name. Raises `InvalidSetting` when the password is not where the settings say.
    """
    url = str(settings.value(f"stores.{store}"))
    if url == EMBEDDED:
        return None
    password = secret(settings, f"stores.{store}_password", keyring, environ)
    return url if password is None else _with_password(url, password)


def secret(
    settings: Settings, key: str, keyring: Callable[[str], str | None], environ: Mapping[str, str]
) -> str | None:
    """Return the secret whose place a setting names; None where it names none.

    `keyring` returns the secret of a name. Raises `InvalidSetting` when it is not where the setting says.
    """
    kind, _, name = str(settings.value(key)).partition(":")
    if not name:
        return None
    places: Mapping[str, Callable[[str], str | None]] = {"env": environ.get, "file": _from_file, "keyring": keyring}
    try:
        found = places[kind](name)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{settings.origin(key)}: {key}: {name} cannot be read: {error}") from error
    if not found:
        what = {"env": f"the variable {name} is not set", "file": f"{name} is empty"}.get(
            kind, f"the keyring has no secret named {name}"
        )
        raise InvalidSetting(f"{settings.origin(key)}: {key}: {what}")
    return found


def _from_file(name: str) -> str:
    return Path(name).expanduser().read_text("utf-8").rstrip("\r\n")


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{hosts}"))
