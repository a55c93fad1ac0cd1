"""The language model that the settings name, and what else finding passages may be done with."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.domain.errors import InvalidSetting

if TYPE_CHECKING:
    from multidb_chat.adapters.security.keyring_secrets import KeyringSecret
    from multidb_chat.domain.language import LanguageModel
    from multidb_chat.domain.search import Reranker
    from multidb_chat.services.modelled.paying import PaidModel
    from multidb_chat.services.rewriting import Rewriter
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


def load_early(model: "LanguageModel | None") -> None:
    """Begin to load what the first question to a provider waits for, in a thread that keeps nobody from leaving."""
    from multidb_chat.adapters.language_models import remote

    if isinstance(model, remote.RemoteModel):
        threading.Thread(target=remote.load, args=(model.provider,), daemon=True).start()


def reranker(settings: "Settings", model: Callable[[], "PaidModel | None"]) -> "Reranker | None":
    """Return what puts passages in order, None where nothing does; `model` gives the language model.

    Raises `InvalidSetting` without the extra, the folder or the model that it needs.
    """
    kind, _, place = settings.search.rerank.partition(":")
    if kind == NONE:
        return None
    if kind == "model":
        from multidb_chat.services.modelled.reranking import ModelReranker

        return ModelReranker(_there("search.rerank", model()))
    from multidb_chat.adapters.embedders.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(Path(place).expanduser(), settings.embedder.device, settings.embedder.precision)


def rewriter(settings: "Settings", model: Callable[[], "PaidModel | None"]) -> "Rewriter | None":
    """Return what says questions in other words, None where nothing does. Raises like `reranker`."""
    if settings.search.rewrite == NONE:
        return None
    if settings.search.rewrite == "model":
        from multidb_chat.services.modelled.wordings import ModelRewriter

        return ModelRewriter(_there("search.rewrite", model()))
    from multidb_chat.services.rewriting import FeedbackRewriter

    return FeedbackRewriter()


def _there(key: str, model: "PaidModel | None") -> "PaidModel":
    if model is None:
        raise InvalidSetting(f"{key}: there is no language model yet; choose one: multidb-chat models use NAME")
    return model
