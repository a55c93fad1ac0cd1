"""Downloading what a model is published as, through the hub's own library."""

import sys
from pathlib import Path

from multidb_chat.adapters.model_files.record import STORE
from multidb_chat.domain.errors import InvalidSetting, StoreUnavailable
from multidb_chat.domain.models import ModelSource

_HUB = "https://huggingface.co/"


def fetch(model: ModelSource, folder: Path) -> None:
    """Download the model's files into the folder; files that are there already are not downloaded again.

    Raises `InvalidSetting` without the library, `StoreUnavailable` when the hub cannot be reached, `OSError`.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise InvalidSetting(
            f"Downloading needs the extra `stella`: {sys.executable} -m pip install 'torch>=2.9'"
            f" 'sentence-transformers>=5.1'; or copy the files of {model.repository} here and add them: multidb-chat"
            f" models add {model.name} --from FOLDER"
        ) from None
    try:
        snapshot_download(model.repository.removeprefix(_HUB), local_dir=folder, allow_patterns=list(model.patterns))
    except Exception as error:  # the library raises kinds of its own, some of them as OSError without a number
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise  # the disk's
        raise _unreachable(model, error) from error


def _unreachable(model: ModelSource, error: Exception) -> StoreUnavailable:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return StoreUnavailable(
        STORE,
        f"{model.repository} cannot be downloaded ({reason}); what has come stays, and the same command goes on with"
        f" it. Offline: multidb-chat models add {model.name} --from FOLDER",
    )
