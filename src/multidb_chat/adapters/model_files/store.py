"""`ModelFiles`: the port `Models` in a folder. A model is `NAME/` with the record `NAME.json` beside it."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from multidb_chat.adapters.model_files import hub, record
from multidb_chat.adapters.model_files.record import STORE
from multidb_chat.domain.errors import InvalidInput, NotFound, StoreFull, StoreUnavailable
from multidb_chat.domain.models import InstalledModel, ModelFile, ModelSource, Told
from multidb_chat.domain.text import clean_line

_BLOCK = 1 << 20


class ModelFiles:
    """The models below the folder `root`, which is made when one is added. All of it is for its owner alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def installed(self) -> list[InstalledModel]:
        """Return the models that were added; see the port."""
        return [record.read(path) for path in sorted(self._root.glob("*.json")) if path.with_suffix("").is_dir()]

    def folder(self, name: str) -> Path:
        """Return where the files of a model are or would be."""
        return self._root / name

    def copy(self, model: ModelSource, origin: Path, told: Told) -> InstalledModel:
        """Add a model from a folder; see the port."""
        wanted = [path for path in _below(origin) if _is_of(model, path)]
        if not wanted:
            raise InvalidInput(f"{clean_line(str(origin))} has no file of {model.title}: name the folder of its files.")
        with self._translated():
            self._require_room(sum((origin / path).stat().st_size for path in wanted))
            making = self._begun(f".adding-{model.name}")
            files = {str(path): _copied(origin / path, making / path, told) for path in wanted}
            return self._complete(model, making, str(origin.absolute()), files)

    def download(self, model: ModelSource) -> InstalledModel:
        """Add a model from where it is published; see the port."""
        with self._translated():
            making = self._root / f".downloading-{model.name}"
            there = sum((making / path).stat().st_size for path in _below(making))
            self._require_room(model.size_bytes - there)
            making.mkdir(mode=0o700, parents=True, exist_ok=True)
            hub.fetch(model, making)
            shutil.rmtree(making / ".cache", ignore_errors=True)  # what the hub's library remembers of the download
            files = {str(path): _hashed(making / path, lambda _: None) for path in _below(making)}
            return self._complete(model, making, model.repository, files)

    def verify(self, name: str, told: Told) -> list[str]:
        """Return what differs from what was recorded; see the port."""
        model = self._one(name)
        wrong = []
        for path, wanted in model.files.items():
            try:
                found = _hashed(model.folder / path, told)
            except OSError as error:
                wrong.append(f"{path}: {error.strerror}")
                continue
            if found.size_bytes != wanted.size_bytes:
                wrong.append(f"{path}: {found.size_bytes:,} bytes, not {wanted.size_bytes:,}")
            elif found.sha256 != wanted.sha256:
                wrong.append(f"{path}: its sha256 is not the recorded one")
        return wrong

    def remove(self, name: str) -> InstalledModel:
        """Remove a model; see the port."""
        model = self._one(name)
        with self._translated():
            model.folder.with_suffix(".json").unlink()  # first: without it, there is no model any more
            shutil.rmtree(model.folder)
        return model

    def _one(self, name: str) -> InstalledModel:
        models = {model.name: model for model in self.installed()}
        if name not in models:
            known = f" There are {', '.join(models)}." if models else ""
            raise NotFound(f'There is no model "{clean_line(name)}" here.{known} See: multidb-chat models list')
        return models[name]

    def _begun(self, name: str) -> Path:
        folder = self._root / name
        shutil.rmtree(folder, ignore_errors=True)  # left by a killed process
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def _complete(self, model: ModelSource, making: Path, source: str, files: dict[str, ModelFile]) -> InstalledModel:
        """Give what is whole its name, durably, and its record."""
        _tightened(making)
        made = InstalledModel(model.name, self.folder(model.name), source, model.licence, datetime.now(UTC), files)
        named = made.folder.with_suffix(".json")
        unfinished = named.with_suffix(".new")
        named.unlink(missing_ok=True)
        if made.folder.exists():
            shutil.rmtree(made.folder)
        making.rename(made.folder)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(record.written(made))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(named)
        return made

    def _require_room(self, size: int) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(self._root).free
        if free < size:
            raise StoreFull(
                STORE,
                f"{clean_line(str(self._root))}: {size / 1e9:,.2f} GB are needed and {free / 1e9:,.2f} GB are free.",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreUnavailable
            where = clean_line(str(error.filename or self._root))
            raise kind(STORE, f"{where}: {error.strerror or error}; nothing was added.") from error


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder, relative to it, in order."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _is_of(model: ModelSource, path: Path) -> bool:
    return not path.parts[0].startswith(".") and any(fnmatch(str(path), pattern) for pattern in model.patterns)


def _copied(origin: Path, goal: Path, told: Told) -> ModelFile:
    """Copy a file, hashing what goes by; it is on the disk when this returns."""
    goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with origin.open("rb") as source, open(os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
            size += len(block)
            told(len(block))
        target.flush()
        os.fsync(target.fileno())
    return ModelFile(size, digest.hexdigest())


def _hashed(path: Path, told: Told) -> ModelFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            told(len(block))
    return ModelFile(size, digest.hexdigest())


def _tightened(folder: Path) -> None:
    """Take from others what they may not, whatever made the files."""
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
