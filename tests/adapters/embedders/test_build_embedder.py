"""`scripts/build-embedder` makes the shipped files again, byte for byte, and its arithmetic fits every processor."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import numpy_helper

from multidb_chat.adapters.embedders.minilm import FOLDER, MiniLMEmbedder
from multidb_chat.adapters.embedders.minilm_model import WINDOW
from tests.adapters.embedders.reference import weights_folder

SCRIPT = Path(__file__).parents[3] / "scripts/build-embedder"


@pytest.fixture(scope="module")
def graph() -> ModuleType:
    spec = importlib.util.spec_from_file_location("minilm_graph", SCRIPT.with_name("minilm_graph.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_building_again_gives_the_shipped_files(tmp_path: Path):
    weights_folder()
    assert run(tmp_path / "new").returncode == 0
    made = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert made == {file.name: file.read_bytes() for file in FOLDER.iterdir()}


def test_checking_names_the_file_that_differs(tmp_path: Path):
    weights_folder()
    copy = Path(shutil.copytree(FOLDER, tmp_path / "copy"))
    assert run("--check", copy).returncode == 0
    (copy / "tokenizer.json").write_bytes(b"{}")
    (copy / "NOTICE").unlink()
    done = run("--check", copy)
    assert done.returncode == 1
    assert done.stdout.strip() == "differs: tokenizer.json, NOTICE"


def test_the_record_tells_source_licence_and_the_adapters_own_figures():
    record = json.loads((FOLDER / "model.json").read_text())
    assert (record["name"], record["dimensions"], record["window"]) == (
        MiniLMEmbedder.name,
        MiniLMEmbedder.dimensions,
        WINDOW,
    )
    assert record["licence"] == "Apache-2.0"
    assert set(record["source"]["sha256"]) == {"model.safetensors", "tokenizer.json"}
    assert "Apache License, Version 2.0" in (FOLDER / "NOTICE").read_text()


def test_no_two_neighbouring_weights_of_the_shipped_model_can_overflow_sixteen_bits():
    model = onnx.load(FOLDER / "model.onnx")
    matrices = [
        numpy_helper.to_array(tensor).astype(int)
        for tensor in model.graph.initializer
        if tensor.name.endswith(".int8") and tensor.name.startswith("encoder")
    ]
    assert len(matrices) == 24
    for matrix in matrices:  # inputs x outputs
        pairs = np.abs(matrix[1:]) + np.abs(matrix[:-1])
        assert pairs.max() * 255 <= 32_767
        assert pairs.max() >= 126, "the eight bits are used"


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(2, 24)), elements=st.floats(-4, 4, width=32)
    ).filter(lambda weight: bool((np.abs(weight).max(axis=1) > 1e-3).all()))
)
def test_quantised_weights_stay_within_a_step_of_the_weights(graph: ModuleType, weight: np.ndarray):
    whole, scale = graph.quantised(weight)
    assert (np.abs(whole[:, 1:].astype(int)) + np.abs(whole[:, :-1].astype(int))).max() <= 127
    assert (np.abs(whole * scale[:, None] - weight) <= scale[:, None] * 1.51).all()
