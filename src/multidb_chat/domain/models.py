"""Models that lie on the disk as files: which there are, what is known of each, and the port that keeps them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol


class ModelSource(NamedTuple):
    """A model that can be added by its name.

    `repository` is where it is published (https://huggingface.co/...), `patterns` which of its files are needed, in
    folders of it too: none that is run as code. `size_bytes` is about what they take together.
    """

    name: str
    title: str
    repository: str
    licence: str
    size_bytes: int
    patterns: tuple[str, ...]


class ModelFile(NamedTuple):
    """A file of a model as it was when it was added."""

    size_bytes: int
    sha256: str


class InstalledModel(NamedTuple):
    """A model on the disk; `files` by their paths within `folder`, `source` where they came from."""

    name: str
    folder: Path
    source: str
    licence: str
    added_at: datetime
    files: Mapping[str, ModelFile]

    @property
    def size_bytes(self) -> int:
        """What the files take together."""
        return sum(file.size_bytes for file in self.files.values())


Told = Callable[[int], None]
"""Takes how many bytes more were copied or read. Never waits."""


class Models(Protocol):
    """The models of an installation. The methods read and write gigabytes: they are for threads.

    A model is there whole or not at all: it gets its name when all its files are on the disk and their sha256 recorded.
    Raises `StoreFull` and `StoreUnavailable`.
    """

    def installed(self) -> list[InstalledModel]:
        """Return the models that were added, in order of name."""

    def folder(self, name: str) -> Path:
        """Return where the files of a model are or would be."""

    def copy(self, model: ModelSource, origin: Path, told: Told) -> InstalledModel:
        """Add a model from a folder; one of this name is replaced. Raises `InvalidInput` when the folder has none."""

    def download(self, model: ModelSource) -> InstalledModel:
        """Add a model from where it is published; what an interrupted download left is gone on with.

        Raises `InvalidSetting` when the library that downloads is not installed.
        """

    def verify(self, name: str, told: Told) -> list[str]:
        """Return what differs from what was recorded, a line each. Raises `NotFound`."""

    def remove(self, name: str) -> InstalledModel:
        """Remove a model; return what it was. Raises `NotFound`."""
