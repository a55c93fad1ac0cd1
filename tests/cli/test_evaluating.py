"""`eval run` in the real program."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Program


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Queries about the shared documents, and what is relevant for them."""
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    rows = [("a", "churn in 2019"), ("b", "how do sails work?"), ("c", "not judged")]
    queries.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in rows))
    qrels.write_text("a 0 report.md 1\nb 0 sails.txt 1\n")
    return queries, qrels


def test_configurations_are_measured_compared_and_saved(
    shared: Program, files: tuple[Path, Path], tmp_path: Path
) -> None:
    queries, qrels = files
    asked = ("eval", "run", "--queries", queries, "--qrels", qrels, "--compare", "both,words,vectors@documents")
    done = shared.inside(*asked, "--save", tmp_path / "figures.json", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["queries"] == 2
    assert [one["name"] for one in told["configurations"]] == ["both", "words", "vectors@documents"]
    assert all(one["mrr"] == one["ndcg"] == 1.0 for one in told["configurations"])
    assert {(one["first"], one["second"]) for one in told["comparisons"]} == {
        ("both", "words"),
        ("both", "vectors@documents"),
    }
    saved = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert saved["configurations"][0]["by_query"]["a"] == {"ndcg": 1.0, "recall": 1.0, "mrr": 1.0}
    table = shared.inside(*asked).stdout
    assert "nDCG@10" in table
    assert "against both" in table


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--compare", "both,meaning"), "'meaning' is no configuration"),
        (("--compare", "both@nowhere"), "nowhere"),
        (("--qrels", "nowhere.tsv"), "nowhere.tsv: it cannot be read"),
        (("--save", "nowhere/figures.json"), "nowhere/figures.json: it cannot be written"),
    ],
)
def test_what_is_wrong_is_one_line(
    shared: Program, files: tuple[Path, Path], wrong: tuple[str, str], told: str
) -> None:
    done = shared.inside("eval", "run", "--queries", files[0], "--qrels", files[1], *wrong)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert told in done.stderr


def test_files_of_different_collections_are_noticed(shared: Program, files: tuple[Path, Path]) -> None:
    files[1].write_text("x 0 report.md 1\n")
    done = shared.inside("eval", "run", "--queries", files[0], "--qrels", files[1])
    assert done.returncode == 6
    assert "No query has a relevant document" in done.stderr
