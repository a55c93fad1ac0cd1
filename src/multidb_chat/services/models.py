"""Models for whoever runs the installation: which there are, adding, checking and removing them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from multidb_chat.domain.errors import InvalidInput, StoreCorrupt
from multidb_chat.domain.models import InstalledModel, Models, ModelSource, Told
from multidb_chat.domain.text import clean_line

CATALOGUE: Mapping[str, ModelSource] = {
    "stella": ModelSource(
        "stella",
        "Stella 1.5B v5, an embedder",
        "https://huggingface.co/NovaSearch/stella_en_1.5B_v5",
        "MIT",
        6_320_000_000,
        ("*.json", "*.txt", "*.safetensors"),
    ),
}
"""What can be added by its name: weights and descriptions, never code."""


class Listed(NamedTuple):
    """A model that can be added, and how it is here, if it is."""

    source: ModelSource
    installed: InstalledModel | None


class ModelShelf:
    """Adds, checks and removes models.

    `checks` look into a folder of a model before it is added, by the model's name, and raise `StoreCorrupt` when it
    would not do.
    """

    def __init__(self, models: Models, checks: Mapping[str, Callable[[Path], None]]) -> None:
        self._models = models
        self._checks = checks

    async def list(self) -> Sequence[Listed]:
        """Return all models that can be added."""
        here = {model.name: model for model in await asyncio.to_thread(self._models.installed)}
        return [Listed(source, here.get(name)) for name, source in CATALOGUE.items()]

    def source(self, name: str) -> ModelSource:
        """Return what can be added by a name. Raises `InvalidInput` naming what can."""
        if name not in CATALOGUE:
            raise InvalidInput(f'There is no model "{clean_line(name)}" to add; there are: {", ".join(CATALOGUE)}.')
        return CATALOGUE[name]

    def folder(self, name: str) -> Path:
        """Return where a model's files are or would be. Raises `InvalidInput`."""
        return self._models.folder(self.source(name).name)

    async def copy(self, name: str, origin: Path, told: Told) -> InstalledModel:
        """Add a model from a folder, which is looked into first. Raises `InvalidInput` when it is none of it."""
        source = self.source(name)
        try:
            await asyncio.to_thread(self._checks.get(name, _no_check), origin)
        except StoreCorrupt as error:
            raise InvalidInput(str(error)) from error
        return await asyncio.to_thread(self._models.copy, source, origin, told)

    async def download(self, name: str) -> InstalledModel:
        """Add a model from where it is published."""
        return await asyncio.to_thread(self._models.download, self.source(name))

    async def verify(self, name: str, told: Told) -> Sequence[str]:
        """Return what differs from what was recorded when the model was added, a line each. Raises `NotFound`."""
        return await asyncio.to_thread(self._models.verify, name, told)

    async def remove(self, name: str) -> InstalledModel:
        """Remove a model; return what it was. Raises `NotFound`."""
        return await asyncio.to_thread(self._models.remove, name)


def _no_check(folder: Path) -> None:
    pass
