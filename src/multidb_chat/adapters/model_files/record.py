"""What is recorded of a model, as a JSON file beside its folder."""

import json
from datetime import datetime
from pathlib import Path

from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.domain.models import InstalledModel, ModelFile

STORE = "models"


def written(model: InstalledModel) -> bytes:
    """Return a record's bytes."""
    record = {
        "source": model.source,
        "licence": model.licence,
        "added_at": model.added_at.isoformat(),
        "files": {name: {"size_bytes": size, "sha256": digest} for name, (size, digest) in model.files.items()},
    }
    return json.dumps(record, indent=2).encode()


def read(path: Path) -> InstalledModel:
    """Return what a record says. Raises `StoreCorrupt`."""
    try:
        record = json.loads(path.read_bytes())
        files = {name: ModelFile(file["size_bytes"], file["sha256"]) for name, file in record["files"].items()}
        at = datetime.fromisoformat(record["added_at"])
        return InstalledModel(path.stem, path.with_suffix(""), record["source"], record["licence"], at, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreCorrupt(STORE, f"{path} cannot be read ({error}); add the model again: models add NAME") from error
