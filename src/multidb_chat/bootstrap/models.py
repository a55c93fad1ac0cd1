"""The language model that the settings name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.adapters.security.keyring_secrets import KeyringSecret
    from multidb_chat.domain.language import LanguageModel
    from multidb_chat.settings import Settings

NONE = "none"


def kept_key(name: str) -> "KeyringSecret":
    """Return where a provider's key of this name is kept."""
    from multidb_chat.adapters.security.keyring_secrets import KeyringSecret

    return KeyringSecret(name)


def language_model(
    settings: "Settings", keyring: Callable[[str], str | None], environ: Mapping[str, str]
) -> "LanguageModel | None":
    """Return the model, None where answers are quoted.

    Raises `InvalidSetting` without the extra that the model needs, for a file that is none, and for a key that is not
    where the settings say.
    """
    model = settings.model
    if model.name == NONE:
        return None
    provider, _, name = model.name.partition(":")
    if provider == "gguf":
        from multidb_chat.adapters.language_models.gguf import GgufModel

        return GgufModel(Path(name).expanduser(), context=model.context, timeout=model.timeout_s)
    from multidb_chat.adapters.language_models.remote import RemoteModel
    from multidb_chat.settings.secrets import secret

    url = None if model.url == "provider" else model.url
    key = secret(settings, "model.key", keyring, environ)
    return RemoteModel(provider, name, url=url, key=key, timeout=model.timeout_s)  # type: ignore[arg-type] # the rule's
