"""What can be said of a folder with a model in it, and of what a library raises about it."""

import hashlib
from pathlib import Path

_SAMPLE = 1 << 20


def fingerprint(folder: Path) -> str:
    """Return eight hexadecimal digits over the folder's files: their names and sizes, and how each begins and ends."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".safetensors", ".bin", ".txt"}):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE))
            file.seek(max(0, size - _SAMPLE))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:8]


def line(error: Exception) -> str:
    """Return an error on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
