"""`models use`, `models key` and answers that a model writes, in the real program against a scripted server."""

import json
from pathlib import Path

import pytest

from tests.adapters.language_models.serving import breaking_off, failing, saying, served
from tests.cli.conftest import CHURN, Program

pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
CITED = ("Churn fell to 4.2 ", "percent in 2019 [1]. ")
KEYRING = """
import keyring.backend, os

class Kept(keyring.backend.KeyringBackend):
    priority = 5
    where = os.environ["KEPT_AT"]

    def get_password(self, service, name):
        return open(self.where).read() if os.path.exists(self.where) else None

    def set_password(self, service, name, secret):
        open(self.where, "w").write(secret)

    def delete_password(self, service, name):
        os.unlink(self.where)
"""


def config_of(program: Program) -> str:
    return Path(json.loads(program("config", "path", "--json").stdout)["config"]).read_text()


def config_exists(program: Program) -> bool:
    return Path(json.loads(program("config", "path", "--json").stdout)["config"]).exists()


def test_a_model_that_is_used_writes_answers_that_cite(program: Program) -> None:
    with served(saying(*CITED)) as (url, came):
        used = program("models", "use", "openai:scripted", "--url", url, "--key", "env:THE_KEY", THE_KEY="sk-of-mine")
        assert used.returncode == 0, used.stderr
        assert "written by openai:scripted" in used.stdout
        assert "multidb-chat models use none quotes them" in used.stdout
        asked = json.loads(program("ask", "--json", CHURN, THE_KEY="sk-of-mine").stdout)
    assert (asked["method"], asked["found"]) == ("model", True)
    assert asked["text"] == "Churn fell to 4.2 percent in 2019. [1]"
    assert asked["citations"][0]["document_name"] == "report.md"
    assert asked["model"] == {
        "name": f"openai:scripted@{url}", "tokens_in": 120, "tokens_out": 12, "cost": None, "dropped": 0,
        "estimated": 0,
    }  # fmt: skip
    assert came[0].headers["authorization"] == "bearer sk-of-mine"
    assert "sk-of-mine" not in config_of(program)
    assert "sk-of-mine" not in "".join(path.read_text("utf-8", "replace") for path in program.home.rglob("*.log"))


def test_a_model_is_asked_before_it_is_used_where_that_is_wanted(program: Program) -> None:
    with served(saying("The sky is blue.")) as (url, _):
        used = program("models", "use", "openai:scripted", "--url", url, "--check", "--json")
    told = json.loads(used.stdout)
    assert (told["name"], told["url"], told["key"]) == ("openai:scripted", url, "none")
    assert (told["check"]["text"], told["check"]["tokens_out"]) == ("The sky is blue.", 12)


def test_nothing_is_written_for_a_model_that_does_not_answer(program: Program) -> None:
    with served(failing) as (url, _):
        refused = program("models", "use", "openai:scripted", "--url", url, "--check")
    assert refused.returncode != 0
    assert "it hurts" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not config_exists(program)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gpt-5",), "model.name"),
        (("openai:m", "--url", "localhost"), "model.url"),
        (("openai:m", "--key", "sk-in-the-open"), "model.key"),
        (("openai:m", "--key", "env:NOT_SET"), "the variable NOT_SET is not set"),
        (("gguf:/nowhere/at-all.gguf",), "No such file"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(shared: Program, arguments: tuple[str, ...], told: str) -> None:
    refused = shared("models", "use", *arguments)
    assert refused.returncode == 6
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_none_quotes_again_and_leaves_the_rest_of_the_file(program: Program) -> None:
    program("config", "set", "search.limit", "7")
    program("models", "use", "openai:scripted", "--url", "http://127.0.0.1:9/v1")
    assert 'url = "http://127.0.0.1:9/v1"' in config_of(program)
    assert program("models", "use", "none").returncode == 0
    config = config_of(program)
    assert "127.0.0.1" not in config
    assert "limit = 7" in config
    assert json.loads(program("ask", "--json", CHURN).stdout)["method"] == "extractive"


def test_a_model_that_fails_leaves_the_answer_to_the_documents_with_one_notice(program: Program) -> None:
    with served(failing) as (url, came):
        program("models", "use", "openai:scripted", "--url", url)
        asked = program("ask", CHURN)
        assert asked.returncode == 0
        assert asked.stdout == "Churn fell to 4.2 percent in 2019, the lowest figure since 2011. [1]\n"
        assert asked.stderr.count("quoted from your documents instead") == 1
        before = len(came)
        again = program("ask", CHURN)
    assert len(came) > before, "a fall-back is not kept: the next time the model is asked again"
    assert again.stderr.count("quoted from your documents instead") == 1


def test_a_server_that_dies_in_the_middle_leaves_what_it_said(program: Program) -> None:
    with served(breaking_off(*CITED, "In 2020 it ")) as (url, _):
        program("models", "use", "openai:scripted", "--url", url)
        asked = program("ask", CHURN)
    assert asked.returncode == 0
    assert asked.stdout == "Churn fell to 4.2 percent in 2019. [1]\n"
    assert "The answer breaks off" in asked.stderr


def test_strict_leaves_out_what_nothing_supports(program: Program) -> None:
    with served(saying(*CITED, "Everybody was dancing in the streets [1].")) as (url, _):
        program("models", "use", "openai:scripted", "--url", url)
        marked = json.loads(program("ask", "--json", CHURN).stdout)
        strict = json.loads(program("ask", "--json", "--strict", CHURN).stdout)
    assert marked["text"].endswith("streets. [?]")
    assert strict["text"] == "Churn fell to 4.2 percent in 2019. [1]"
    assert strict["model"]["dropped"] == 1


def test_another_provider_gets_neither_address_nor_key_of_the_configured_one(program: Program) -> None:
    with served(saying(*CITED)) as (url, came):
        program("models", "use", "openai:scripted", "--url", url, "--key", "env:THE_KEY", THE_KEY="sk-of-mine")
        program("ask", "--model", "anthropic:claude-x", CHURN, THE_KEY="sk-of-mine")
        assert came == []
        program("ask", "--model", "openai:another", CHURN, THE_KEY="sk-of-mine")
        assert came[0].request["model"] == "another"


def test_a_key_is_kept_in_the_keyring_and_used_from_there(program: Program, tmp_path: Path) -> None:
    pytest.importorskip("keyring", reason="the extra keyring is not installed")
    (tmp_path / "kept_keyring.py").write_text(KEYRING)
    ring = {
        "PYTHON_KEYRING_BACKEND": "kept_keyring.Kept", "KEPT_AT": str(tmp_path / "ring"), "PYTHONPATH": str(tmp_path),
    }  # fmt: skip
    assert program("models", "key", "mine", "--key-stdin", stdin=b"sk-of-mine\n", **ring).returncode == 0
    with served(saying(*CITED)) as (url, came):
        used = program("models", "use", "openai:scripted", "--url", url, "--key", "keyring:mine", **ring)
        assert used.returncode == 0, used.stderr
        program("ask", CHURN, **ring)
    assert came[0].headers["authorization"] == "bearer sk-of-mine"
    assert program("models", "key", "mine", "--remove", **ring).returncode == 0
    assert not (tmp_path / "ring").exists()


def test_without_a_keyring_the_other_places_for_a_key_are_named(shared: Program) -> None:
    refused = shared("models", "key", "mine", "--key-stdin", stdin=b"sk-of-mine\n")
    assert refused.returncode != 0
    assert "env:NAME" in refused.stderr
    assert "sk-of-mine" not in refused.stdout + refused.stderr
    assert shared("models", "key", "mine", "--key-stdin", stdin=b"\n").returncode != 0


def test_a_file_is_used_by_its_path_from_every_folder(program: Program, tmp_path: Path) -> None:
    from tests.adapters.language_models.weights import gguf_file

    (tmp_path / "small model.gguf").symlink_to(gguf_file())
    used = program("models", "use", "small model.gguf", "--json", cwd=tmp_path)
    assert used.returncode == 0, used.stderr
    assert json.loads(used.stdout)["name"] == f"gguf:{tmp_path}/small model.gguf"


def test_the_model_can_be_changed_line_by_line(program: Program) -> None:
    with served(saying(*CITED)) as (url, _):
        program("models", "use", "openai:scripted", "--url", url)
        typed = f"/model\n/model none\n{CHURN}\n/model openai:scripted\n{CHURN}\n/why\n/quit\n"
        said = program("--plain", stdin=typed.encode()).stdout
    assert "the lowest figure since 2011. [1]" in said
    assert "Churn fell to 4.2 percent in 2019. [1]" in said
    assert "120 tokens read, 12 written" in said


def test_a_model_puts_passages_in_order_where_that_is_asked_for(program: Program) -> None:
    asked = ("docs", "search", "sails and churn", "--json")
    assert program("config", "set", "search.timeout_s", "300").returncode == 0  # a busy machine is no failure
    found = json.loads(program(*asked).stdout)["matches"]
    assert len(found) > 1
    assert all(match["reranked"] is None for match in found)
    backwards = ", ".join(str(number) for number in range(len(found), 0, -1))
    with served(saying(backwards)) as (url, _):
        assert program("models", "use", "openai:scripted", "--url", url).returncode == 0
        reranked = json.loads(program(*asked, "--rerank", "model").stdout)["matches"]
    assert [match["text"] for match in reranked] == [match["text"] for match in reversed(found)]
    shown = program(*asked[:3], "--rerank", "model")  # the server is gone
    assert shown.returncode == 0
    assert "reranked" not in shown.stdout
    assert "they stay as they were found" in shown.stderr


def test_what_cannot_rerank_is_told_in_one_line(program: Program, tmp_path: Path) -> None:
    for name, told in (("model", "there is no language model yet"), ("nothing", "search.rerank"), ("none", "")):
        done = program("docs", "search", "churn", "--rerank", name)
        assert (done.returncode == 0) == (not told)
        assert told in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 1


def test_what_models_take_to_find_passages_is_counted_and_ends_with_the_plan(program: Program, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text(json.dumps({"id": "a", "text": "sails and churn"}) + "\n")
    (tmp_path / "qrels.tsv").write_text("a 0 report.md 1\n")
    judged = ("--queries", tmp_path / "queries.jsonl", "--qrels", tmp_path / "qrels.tsv")
    ways: tuple[tuple[tuple[object, ...], int], ...] = (
        (("docs", "search", "sails and churn", "--rerank", "model"), 1),
        (("docs", "search", "sails and churn", "--rerank", "model", "--rewrite", "model"), 2),
        (
            ("docs", "search", "--queries", tmp_path / "queries.jsonl", "--run", tmp_path / "run", "--rerank", "model"),
            1,
        ),
        (("eval", "run", *judged, "--compare", "both:rerank=20", "--rerank", "model"), 1),
    )
    with served(saying("2, 1")) as (url, came):
        program("config", "set", "search.timeout_s", "300")
        program("models", "use", "openai:scripted", "--url", url)
        requests = 0
        for way, asks in ways:
            done = program(*map(str, way))
            assert done.returncode == 0, done.stderr
            assert "note" not in done.stderr
            requests += asks
            assert (len(came), used(program)) == (requests, requests * 132)
        scarce = ("--set", "plans.enterprise_tokens=100")
        for way, _ in ways[:3]:
            done = program(*scarce, *map(str, way))
            assert done.returncode == 0, done.stderr
            assert done.stderr.count("no model was asked to help: All 100 tokens a month") == 1
        measured = program(*scarce, *map(str, ways[3][0]))
        assert (measured.returncode, measured.stdout) == (4, "")
        assert "error: All 100 tokens a month (enterprise) are used" in measured.stderr
        asked = program(*scarce, "ask", "--rerank", "model", CHURN)
        assert asked.stdout.endswith("[1]\n")
        assert asked.stderr.count("All 100 tokens") == 1
        assert (len(came), used(program)) == (requests, requests * 132)


def test_a_search_tells_that_its_model_left_little_of_the_tokens(program: Program) -> None:
    with served(saying("2, 1")) as (url, _):
        program("config", "set", "search.timeout_s", "300")
        program("models", "use", "openai:scripted", "--url", url)
        program("config", "set", "plans.enterprise_tokens", "150")
        done = program("docs", "search", "sails and churn", "--rerank", "model")
        assert done.stderr.startswith("note: 18 of 150 tokens left (enterprise); then answers are quoted until ")
        assert "tokens left" not in program("docs", "search", "sails and churn").stderr


def test_ask_leaves_what_is_due_to_be_summed_up_and_asks_the_model_once(program: Program) -> None:
    program("config", "set", "model.memory_tokens", "100")
    with served(saying(*CITED)) as (url, came):
        program("models", "use", "openai:scripted", "--url", url)
        for number in range(1, 7):
            asked = program("ask", "--continue", "--no-cache", CHURN)
            assert asked.returncode == 0, asked.stderr
            assert (len(came), used(program)) == (number, number * 132)
        shown = program("memory", "show").stdout
        assert "Summary" not in shown
        assert "before, until they are summed up" in shown


def used(program: Program) -> int:
    """Return the tokens that are counted against the plan."""
    usage = json.loads(program("usage", "--json").stdout)["usage"]
    return sum(one["used"] for one in usage if one["resource"] == "tokens")
