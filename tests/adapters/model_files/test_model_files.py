"""Models on the disk: copied whole or not at all, recorded by their sha256, checked, removed; without code."""

import hashlib
import importlib.util
from collections import namedtuple
from pathlib import Path

import pytest

from multidb_chat.adapters.model_files import ModelFiles
from multidb_chat.domain.errors import InvalidInput, InvalidSetting, NotFound, StoreCorrupt, StoreFull, StoreUnavailable
from multidb_chat.domain.models import Models, ModelSource

SOURCE = ModelSource(
    "small", "A small model", "https://huggingface.co/x/small", "MIT", 1_000, ("*.json", "*.safetensors")
)
WEIGHTS = bytes(range(256)) * 5_000


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    (folder / "2_Dense").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "2_Dense/model.safetensors").write_bytes(b"head")
    (folder / "modeling.py").write_text("raise SystemExit")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / ".cache").mkdir()
    (folder / ".cache/x.json").write_text("{}")
    return folder


@pytest.fixture
def models(tmp_path: Path) -> ModelFiles:
    made: Models = ModelFiles(tmp_path / "data/models")
    assert isinstance(made, ModelFiles)
    return made


def untold(more: int) -> None:
    pass


def test_a_model_is_copied_with_the_sha256_of_each_file_and_without_code(models: ModelFiles, origin: Path):
    told: list[int] = []
    made = models.copy(SOURCE, origin, told.append)
    assert set(made.files) == {"config.json", "model.safetensors", "2_Dense/model.safetensors"}
    assert made.files["model.safetensors"].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert sum(told) == made.size_bytes == len(WEIGHTS) + 4 + 2
    assert (models.folder("small") / "model.safetensors").read_bytes() == WEIGHTS
    assert models.installed() == [made]
    assert (made.licence, made.source) == ("MIT", str(origin))
    assert models.verify("small", untold) == []


def test_everything_is_its_owner_s_alone(models: ModelFiles, origin: Path, tmp_path: Path):
    models.copy(SOURCE, origin, untold)
    for path in (tmp_path / "data/models").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_changed_on_the_disk_is_named(models: ModelFiles, origin: Path):
    folder = models.copy(SOURCE, origin, untold).folder
    (folder / "model.safetensors").write_bytes(b"\xff" + WEIGHTS[1:])
    (folder / "config.json").write_text("{ }")
    (folder / "2_Dense/model.safetensors").unlink()
    wrong = models.verify("small", untold)
    assert sorted(line.partition(":")[0] for line in wrong) == sorted(
        ["model.safetensors", "config.json", "2_Dense/model.safetensors"]
    )
    assert any("sha256" in line for line in wrong)


def test_adding_again_replaces(models: ModelFiles, origin: Path):
    models.copy(SOURCE, origin, untold)
    (origin / "config.json").write_text("[]")
    models.copy(SOURCE, origin, untold)
    assert (models.folder("small") / "config.json").read_text() == "[]"
    assert len(models.installed()) == 1


def test_a_copy_that_breaks_off_leaves_no_model(models: ModelFiles, origin: Path, tmp_path: Path):
    def broken(more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.copy(SOURCE, origin, broken)
    assert models.installed() == []
    models.copy(SOURCE, origin, untold)
    assert {path.name for path in (tmp_path / "data/models").iterdir()} == {"small", "small.json"}


def test_a_removed_model_is_gone(models: ModelFiles, origin: Path):
    models.copy(SOURCE, origin, untold)
    assert models.remove("small").name == "small"
    assert models.installed() == []
    assert not models.folder("small").exists()
    with pytest.raises(NotFound, match="models list"):
        models.remove("small")
    with pytest.raises(NotFound):
        models.verify("small", untold)


def test_a_folder_without_such_files_is_refused(models: ModelFiles, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(InvalidInput, match="no file of A small model"):
            models.copy(SOURCE, folder, untold)


def test_too_little_room_is_said_before_anything_is_copied(
    models: ModelFiles, origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(StoreFull, match="are needed"):
        models.copy(SOURCE, origin, untold)
    assert list((tmp_path / "data/models").iterdir()) == []


def test_a_damaged_record_is_said(models: ModelFiles, origin: Path):
    models.copy(SOURCE, origin, untold).folder.with_suffix(".json").write_text("{}")
    with pytest.raises(StoreCorrupt, match="add the model again"):
        models.installed()


def test_downloading_without_a_way_to_the_hub_says_how_else(models: ModelFiles, monkeypatch: pytest.MonkeyPatch):
    kind: type[Exception] = InvalidSetting
    if importlib.util.find_spec("huggingface_hub") is not None:
        from huggingface_hub import constants

        kind = StoreUnavailable
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(kind, match="--from FOLDER") as refused:
        models.download(SOURCE)
    assert "\n" not in str(refused.value)
    assert models.installed() == []
