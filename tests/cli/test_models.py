"""`models` and `docs reprocess` in the real program, without the extra: hints, and never an ImportError."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import Program

needs_no_extra = pytest.mark.skipif(find_spec("torch") is not None, reason="the extra stella is installed here")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Files that look as those of a model, with nothing in the weights."""
    folder = tmp_path / "stella"

    def write(name: str, content: object) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))

    write("config.json", {"model_type": "qwen2", "hidden_size": 8, "eos_token_id": 151_643})
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense_1024": "Dense"}
    write(
        "modules.json", [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()]
    )
    write("1_Pooling/config.json", {"pooling_mode_mean_tokens": True})
    write("2_Dense_1024/config.json", {"in_features": 8, "out_features": 1_024})
    write("sentence_bert_config.json", {"max_seq_length": 512})
    write("config_sentence_transformers.json", {"prompts": {"s2p_query": "p", "s2s_query": "s"}})
    write("tokenizer.json", {"added_tokens": [{"id": 151_643, "content": "<|endoftext|>"}]})
    for name in ("model.safetensors", "2_Dense_1024/model.safetensors"):
        (folder / name).write_bytes(b"weights")
    (folder / "modeling_qwen.py").write_text("raise SystemExit")
    return folder


def test_a_model_is_added_listed_checked_and_removed(program: Program, checkpoint: Path):
    listed = json.loads(program("models", "list", "--json").stdout)
    assert (listed["language_model"], listed["embedder"]) == ("none", "minilm")
    assert listed["models"][0]["installed"] is None
    added = json.loads(program("models", "add", "stella", "--from", checkpoint, "--json").stdout)
    assert added["licence"] == "MIT"
    assert "modeling_qwen.py" not in added["files"]
    assert program("models", "path", "stella").stdout.strip() == added["folder"]
    assert program("models", "verify", "stella").returncode == 0
    (Path(added["folder"]) / "model.safetensors").write_bytes(b"changed")
    checked = program("models", "verify", "stella", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["wrong"]) == (
        1, ["model.safetensors: its sha256 is not the recorded one"],
    )  # fmt: skip
    assert program("models", "remove", "stella").returncode == 4
    assert program("models", "remove", "stella", "--yes").returncode == 0
    assert not Path(added["folder"]).exists()


def test_what_is_downloaded_is_said_and_asked_first(program: Program):
    refused = program("models", "add", "stella")
    assert refused.returncode == 4
    assert "6.32 GB" in refused.stderr
    assert "licence MIT" in refused.stderr


def test_the_list_says_which_models_are_in_use(program: Program):
    chosen = program("models", "list", MULTIDB_CHAT_MODEL_NAME="openai:qwen3", MULTIDB_CHAT_EMBEDDER_NAME="minilm")
    assert chosen.stdout.startswith("Answers are written by openai:qwen3 and held against your documents.")
    assert "Vectors of new collections are made by minilm." in chosen.stdout


def test_a_folder_of_something_else_is_refused(program: Program, checkpoint: Path):
    (checkpoint / "config.json").write_text('{"model_type": "llama"}')
    refused = program("models", "add", "stella", "--from", checkpoint)
    assert refused.returncode == 6
    assert "not of a Stella model" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_an_unknown_model_is_answered_with_those_that_are_known(program: Program):
    refused = program("models", "add", "stelar", "--yes")
    assert refused.returncode == 6
    assert "there are: stella" in refused.stderr


@needs_no_extra
def test_without_the_extra_one_line_says_how_to_install_it(program: Program, checkpoint: Path):
    program("models", "add", "stella", "--from", checkpoint)
    for setting in ("stella", f"sentence-transformers:{checkpoint}"):
        for command in (("ask", "why?"), ("docs", "reprocess", "--embedder", setting)):
            refused = program("--set", f"embedder.name={setting}", *command)
            assert refused.returncode == 6, refused.stderr
            assert refused.stderr.startswith("error: torch is not installed; it comes with the extra `stella`")
            assert refused.stderr.count("\n") == 1


@needs_no_extra
def test_by_default_a_model_that_cannot_run_changes_nothing(program: Program, checkpoint: Path):
    program("models", "add", "stella", "--from", checkpoint)
    found = json.loads(program("admin", "doctor", "--json").stdout)["findings"]
    (told,) = [one for one in found if one["about"] == "embedder"]
    assert (told["severity"], "minilm-l6-v2-int8" in told["text"]) == ("ok", True)


@needs_no_extra
def test_the_doctor_says_what_an_embedder_lacks(program: Program):
    found = json.loads(program("--set", "embedder.name=stella", "admin", "doctor", "--json").stdout)["findings"]
    (told,) = [one for one in found if one["about"] == "embedder"]
    assert told["severity"] == "wrong"
    assert "models add stella" in told["text"]


def test_models_that_were_added_stay_when_a_backup_is_restored(program: Program, checkpoint: Path, tmp_path: Path):
    init = ("admin", "init", "--email", "root@example.org", "--password-stdin")
    assert program(*init, stdin=b"turning the brass key\n").returncode == 0
    program("models", "add", "stella", "--from", checkpoint)
    assert program("admin", "backup", tmp_path / "backup.zip").returncode == 0
    restored = program("admin", "restore", tmp_path / "backup.zip", "--yes")
    assert restored.returncode == 0, restored.stderr
    assert program("models", "verify", "stella").returncode == 0


def test_reprocessing_with_the_same_embedder_leaves_everything(program: Program, tmp_path: Path):
    (tmp_path / "a.md").write_text("# A\n\nThe mill was built in 1871.\n")
    program("docs", "add", tmp_path / "a.md")
    done = program("docs", "reprocess", "--embedder", "minilm", "--json")
    (collection,) = json.loads(done.stdout)["collections"]
    assert (collection["name"], collection["unchanged"], collection["documents"]) == ("documents", 1, 0)
    queued = program("docs", "reprocess", "--embedder", "minilm", "--background", "--json")
    assert json.loads(queued.stdout)["kind"] == "reprocess"
