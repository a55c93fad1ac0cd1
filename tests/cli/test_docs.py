"""`docs` and `collections`: documents in, out and looked at."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import REPORT, SAILS, Program, unsafe


def names(program: Program, *arguments: str) -> list[str]:
    """Return the names that `docs list` shows, hostile ones as they are."""
    return [one["name"] for one in json.loads(program.inside("docs", "list", "--json", *arguments).stdout)["documents"]]


def test_an_empty_library_says_what_to_do(empty: Program) -> None:
    for arguments in (("docs", "list"), ("docs", "search", "sails")):
        done = empty.inside(*arguments)
        assert done.stdout == ""
        assert "multidb-chat docs add" in done.stderr
    assert empty.inside("docs", "list").returncode == 0
    assert empty.inside("docs", "search", "sails").returncode == 3
    assert json.loads(empty.inside("docs", "list", "--json").stdout) == {"documents": []}


def test_adding_again_skips_what_is_the_same_and_replaces_what_changed(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "sails.txt").write_text(SAILS, encoding="utf-8")
    (folder / "report.md").write_text(REPORT, encoding="utf-8")
    assert empty.inside("docs", "add", folder).stdout.startswith("2 added (2 documents, ")
    (folder / "sails.txt").write_text(SAILS + "More wind, more speed.\n", encoding="utf-8")
    assert empty.inside("docs", "add", folder).stdout.startswith("1 replaced, 1 unchanged (1 document, ")
    (folder / "report.md").unlink()
    synced = json.loads(empty.inside("docs", "sync", "--json", folder).stdout)
    assert (synced["removed"], synced["unchanged"], synced["failures"]) == (1, 1, [])
    assert names(empty) == ["sails.txt"]


def test_what_cannot_be_read_is_listed_with_the_reason_and_the_rest_is_added(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "sails.txt").write_text(SAILS, encoding="utf-8")
    (folder / "nothing.txt").touch()
    (folder / "broken\x1b[31m\n.pdf").write_bytes(b"%PDF-1.4 and no more")
    done = empty.inside("docs", "add", folder, tmp_path / "missing")
    assert done.returncode == 1
    assert done.stdout.startswith("1 added, 3 failed")
    reasons = done.stderr.splitlines()
    assert len(reasons) == 3
    assert all(line.startswith("not read: ") for line in reasons)
    assert f"not read: {folder}/nothing.txt: empty" in reasons
    assert any(line.startswith(f"not read: {folder}/broken .pdf: ") for line in reasons)
    assert not unsafe(done.stdout + done.stderr)
    assert names(empty) == ["sails.txt"]
    failures = json.loads(empty.inside("docs", "add", "--json", folder).stdout)["failures"]
    assert {Path(failure["source"]).name for failure in failures} == {"nothing.txt", "broken\x1b[31m\n.pdf"}


def test_files_over_the_limit_are_refused(empty: Program, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("wind " * 300_000, encoding="utf-8")
    done = empty.inside("--set", "ingest.max_file_mb=1", "docs", "add", tmp_path / "long.txt")
    assert done.returncode == 1
    assert "too large (1.5 MB, limit 1.0 MB)" in done.stderr


def test_standard_input_is_added_under_its_name(program: Program) -> None:
    done = program("docs", "add", "-", "--name", "build-log", stdin=b"The build failed because the disk was full.\n")
    assert done.returncode == 0
    assert "build-log" in names(program)
    assert program("docs", "export", "build-log").stdout == "The build failed because the disk was full.\n\n"
    for wrong in (("-",), ("--name", "x", "report.md")):
        assert program("docs", "add", *wrong, stdin=b"text").returncode == 2


def test_a_list_has_a_row_for_each_document_and_counts_beside(shared: Program) -> None:
    done = shared.inside("docs", "list")
    assert done.returncode == 0
    rows = done.stdout.splitlines()
    assert len(rows) == 3
    assert any("report.md" in row and "markdown" in row and "documents" in row for row in rows)
    assert done.stderr == "3 documents\n"
    assert not unsafe(done.stdout)


def test_the_handbook_is_listed_when_it_is_named(shared: Program) -> None:
    assert "01-getting-started.md" in " ".join(names(shared, "-c", "handbook"))


def test_a_document_is_shown_by_name_title_path_and_identifier(shared: Program, documents: Path) -> None:
    record = json.loads(shared.inside("docs", "show", "--json", "report.md").stdout)
    for reference in ("Annual report 2019", str(documents / "report.md"), record["id"], record["id"][:8]):
        assert json.loads(shared.inside("docs", "show", "--json", reference).stdout) == record
    shown = shared.inside("docs", "show", "report.md").stdout
    assert all(text in shown for text in (record["id"], "Annual report 2019", "markdown"))


def test_an_unknown_document_is_bad_input(shared: Program) -> None:
    for command in ("show", "export", "remove"):
        done = shared.inside("docs", command, "nowhere.txt")
        assert (done.returncode, done.stdout) == (6, "")
        assert done.stderr == 'error: There is no document "nowhere.txt". See: multidb-chat docs list\n'


def test_removing_asks_first_and_without_a_terminal_needs_yes(program: Program) -> None:
    done = program.inside("docs", "remove", "report.md")
    assert done.returncode == 4
    assert "Add --yes" in done.stderr
    assert "report.md" in names(program)
    done = program.inside("docs", "remove", "report.md", "sails.txt", "--yes")
    assert (done.returncode, done.stdout) == (0, "removed report.md\nremoved sails.txt\n")
    assert len(names(program)) == 1


def test_export_gives_the_text_back(shared: Program, tmp_path: Path) -> None:
    assert shared("docs", "export", "report.md").stdout.rstrip("\n") == REPORT.rstrip("\n")
    target = tmp_path / "out.json"
    done = shared("docs", "export", "report.md", "--format", "json", "--output", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["text"].startswith("# Annual report")
    assert shared("docs", "export", "report.md", "--json").stdout.encode() == target.read_bytes()
    assert shared("docs", "export", "report.md", "--json", "--format", "original").returncode == 2
    assert shared("docs", "export", "report.md", "--format", "docx").returncode == 2
    done = shared("docs", "export", "report.md", "-o", tmp_path / "no" / "folder.txt")
    assert done.returncode == 6
    assert list(tmp_path.iterdir()) == [target]


def test_reindex_goes_through_all_or_some_documents(program: Program) -> None:
    done = json.loads(program.inside("docs", "reindex", "--json").stdout)
    assert done["failed"] == 0
    assert done["added"] + done["replaced"] + done["unchanged"] == 3
    some = json.loads(program.inside("docs", "reindex", "--json", "report.md").stdout)
    assert some["added"] + some["replaced"] + some["unchanged"] == 1


def test_search_shows_passages_with_all_their_scores(shared: Program) -> None:
    done = shared.inside("docs", "search", "churn")
    assert done.returncode == 0
    first = done.stdout.splitlines()[:3]
    assert first[0] == "1. Annual report 2019 (report.md), Customers"
    assert "words " in first[1]
    assert "meaning 0." in first[1]
    (match,) = json.loads(shared.inside("docs", "search", "churn", "--limit", "1", "--json").stdout)["matches"]
    assert match["text"] == REPORT[match["start"] : match["end"]]


def test_search_is_narrowed_by_kind_date_and_metadata(program: Program, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "text": "The heron fishes at dawn.", "river": "Lule", "date": "2018-05-01"},
        {"id": "b", "text": "The heron fishes at dusk.", "river": "Torne", "date": "2021-05-01"},
    ]
    (tmp_path / "herons.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert program.inside("docs", "add", tmp_path / "herons.jsonl").returncode == 0

    def found(*arguments: str) -> set[str]:
        matches = json.loads(program.inside("docs", "search", "heron", "--json", *arguments).stdout)["matches"]
        return {match["document_name"] for match in matches if "heron" in match["text"]}

    assert found() == {"a", "b"}
    assert found("--meta", "river=Lule") == {"a"}
    assert found("--since", "2020-01-01", "--until", "2021-12-31") == {"b"}
    assert found("--kind", "markdown") == set()


@pytest.mark.parametrize(
    "wrong", [("--since", "May"), ("--meta", "river"), ("--limit", "0"), ("--queries", "x"), ("--run", "y"), ("a", "b")]
)
def test_a_wrong_search_is_a_usage_error(shared: Program, wrong: tuple[str, ...]) -> None:
    done = shared.inside("docs", "search", "heron", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("query", ["", " \n\t", "?!"])
def test_a_search_for_no_word_is_refused_and_does_not_say_that_nothing_was_found(shared: Program, query: str) -> None:
    done = shared.inside("docs", "search", query)
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == "error: The query is empty: write what to look for.\n"


def test_a_file_of_queries_gives_the_same_trec_run_each_time(shared: Program, tmp_path: Path) -> None:
    queries, runs = tmp_path / "queries.jsonl", [tmp_path / "one.run", tmp_path / "two.run"]
    texts = ["churn in 2019", "how sails work", "lighthouse"]
    queries.write_text("".join(json.dumps({"id": f"q{n}", "text": t}) + "\n" for n, t in enumerate(texts)))
    for run in runs:
        assert shared.inside("docs", "search", "--queries", queries, "--run", run, "--limit", "100").returncode == 0
    assert runs[0].read_bytes() == runs[1].read_bytes()
    queries.write_text('{"id": "q", "text": "churn in 2019"}')
    done = shared.inside("docs", "search", "--queries", queries, "--run", tmp_path / "run", "--limit", "1")
    assert done.stderr == f"1 query, 1 hit written to {tmp_path / 'run'}\n"
    rows = [line.split(" ") for line in runs[0].read_text(encoding="utf-8").splitlines()]
    assert all(len(row) == 6 and row[1] == "Q0" and row[5] == "multidb-chat" for row in rows)
    for number, best in enumerate(["report.md", "sails.txt"]):
        mine = [row for row in rows if row[0] == f"q{number}"]
        assert mine[0][2] == best
        assert [int(row[3]) for row in mine] == list(range(1, len(mine) + 1))
        assert [float(row[4]) for row in mine] == sorted((float(row[4]) for row in mine), reverse=True)
        assert len({row[2] for row in mine}) == len(mine)


@pytest.mark.parametrize("content", ["not json", '{"id": 1}', "[1]", '{"id": "a", "text": 3}'])
def test_a_broken_file_of_queries_is_refused_with_its_line(shared: Program, tmp_path: Path, content: str) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "a", "text": "wind"}\n' + content, encoding="utf-8")
    done = shared.inside("docs", "search", "--queries", queries, "--run", tmp_path / "run")
    assert done.returncode == 6
    assert f"{queries}, line 2: " in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_collection_says_how_it_is_cut_and_is_cut_otherwise_by_reindexing(program: Program, tmp_path: Path) -> None:
    made = program.inside("collections", "create", "short", "--chunking", "fixed", "--chunk-size", "200", "--json")
    assert [json.loads(made.stdout)[name] for name in ("chunking", "chunk_chars", "headers")] == ["fixed", 200, True]
    long = tmp_path / "long.txt"
    long.write_text("A sentence about sails. Another about the wind. " * 40)
    assert program.inside("docs", "add", long, "-c", "short").returncode == 0
    before = json.loads(program.inside("collections", "show", "short", "--json").stdout)
    assert before["chunks"] == -(-before["characters"] // 200)
    done = program.inside(
        "collections", "set", "short", "--chunking", "semantic", "--chunk-size", "600", "--no-headers"
    )
    assert done.stdout == "changed short\n"
    assert "multidb-chat docs reindex --collection short" in done.stderr
    assert program.inside("docs", "search", "sails", "-c", "short").returncode == 0
    assert program.inside("docs", "reindex", "-c", "short").returncode == 0
    shown = json.loads(program.inside("collections", "show", "short", "--json").stdout)
    assert [shown[name] for name in ("chunking", "chunk_chars", "headers")] == ["semantic", 600, False]
    assert shown["chunks"] < before["chunks"]
    (match, *_) = json.loads(program.inside("docs", "search", "sails", "-c", "short", "--json").stdout)["matches"]
    assert long.read_text()[match["start"] : match["end"]] == match["text"]
    for wrong in (("--chunking", "words"), ("--chunk-size", "7"), ()):
        refused = program.inside("collections", "set", "short", *wrong)
        assert refused.returncode in (2, 4, 6)
        assert refused.stdout == ""


def test_collections_are_made_shown_and_deleted(program: Program, documents: Path) -> None:
    made = json.loads(program.inside("collections", "create", "physics", "--description", "Papers", "--json").stdout)
    assert (made["name"], made["description"], made["shared"]) == ("physics", "Papers", True)
    assert program.inside("collections", "create", "Physics").returncode == 6
    assert program.inside("docs", "add", documents / "sails.txt", "-c", "physics").returncode == 0
    shown = json.loads(program.inside("collections", "show", "physics", "--json").stdout)
    assert shown["documents"] == 1
    assert "physics" in program.inside("collections", "show", "physics").stdout
    listed = json.loads(program.inside("collections", "list", "--json").stdout)["collections"]
    assert [one["name"] for one in listed] == ["documents", "handbook", "physics"]
    assert [one["documents"] for one in listed if one["own"]] == [3, 1]
    rows = {line.split()[0]: line for line in program.inside("collections", "list").stdout.splitlines()}
    assert "  3 documents  " in rows["documents"]
    assert "  1 document   " in rows["physics"]
    assert program.inside("collections", "delete", "physics").returncode == 4
    assert program.inside("collections", "delete", "physics", "--yes").stdout == "deleted physics\n"
    assert program.inside("collections", "delete", "handbook", "--yes").returncode == 4
    assert "physics" not in program.inside("collections", "list").stdout


def records(program: Program, *arguments: str) -> dict[str, dict[str, object]]:
    """Return what `collections list` says of each collection."""
    listed = program.inside("collections", "list", "--json", *arguments)
    return {one["name"]: one for one in json.loads(listed.stdout)["collections"]}


def test_collections_are_shared_or_private_as_their_owner_says(program: Program) -> None:
    assert "(shared)" in program.inside("collections", "create", "club").stdout
    assert "(private)" in program.inside("collections", "create", "diary", "--private").stdout
    assert {name for name, one in records(program, "--private").items() if one["own"]} == {"diary"}
    assert set(records(program, "--shared")) == {"club", "documents", "handbook"}
    assert not records(program)["handbook"]["own"]
    assert "shared, read only" in program.inside("collections", "list").stdout
    assert json.loads(program.inside("collections", "share", "diary", "--json").stdout)["shared"] is True
    assert program.inside("collections", "unshare", "diary").stdout == "diary is private\n"
    refused = program.inside("collections", "unshare", "handbook")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "belongs to somebody else" in refused.stderr


def test_documents_go_into_a_new_collection_as_it_is_said(program: Program, documents: Path) -> None:
    sails = str(documents / "sails.txt")
    assert program.inside("docs", "add", sails, "-c", "diary", "--private").returncode == 0
    assert records(program)["diary"]["shared"] is False
    assert names(program, "--private") == ["sails.txt"]
    assert len(names(program, "--shared")) == 3
    done = program.inside("docs", "add", sails, "-c", "diary", "--shared")
    assert (done.returncode, done.stdout) == (6, "")
    assert 'The collection "diary" is private. To change that: multidb-chat collections share diary' in done.stderr


def test_deleting_a_collection_asks_with_what_is_in_it(program: Program) -> None:
    asked = program.inside("collections", "delete", "documents")
    assert asked.returncode == 4
    assert re.search(r"Delete the collection documents with 3 documents \(\d+ B\)\? Add --yes", asked.stderr)
    assert len(names(program)) == 3
