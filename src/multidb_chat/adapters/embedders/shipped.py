"""The files of models that come with the program."""

import hashlib
import json
from pathlib import Path

from multidb_chat.domain.errors import StoreCorrupt


def verify(folder: Path, store: str) -> None:
    """Compare a model's files with the sha256 that `model.json` has of them; `store` names it in errors.

    Raises `StoreCorrupt` naming the first one that differs.
    """
    try:
        expected = json.loads((folder / "model.json").read_bytes())["sha256"]
        wrong = [name for name, digest in expected.items() if _sha256(folder / name) != digest]
    except (OSError, ValueError, KeyError) as error:
        raise StoreCorrupt(store, f"{folder} cannot be checked ({error}); install multidb-chat again") from error
    if wrong:
        raise StoreCorrupt(store, f"{folder / wrong[0]} is not what was shipped; install multidb-chat again")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
