"""The program killed, interrupted and run several times at once: what is there is whole, the next run does the rest.

`MULTIDB_CHAT_KILLS` tells at how many random moments `docs add` is killed: 50 is the long form.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.faults.program import PAINTER, answers, assert_whole, killed, started

KILLS = int(os.environ.get("MULTIDB_CHAT_KILLS", "3"))
# An interrupt in the middle of generated code ends Python by the signal itself; a shell says 130 of that, too.
INTERRUPTED = {130, -signal.SIGINT}
THINGS = ("lake", "bridge", "tower", "ferry", "garden", "mill", "harbour", "orchard", "quarry", "chapel")


def write_papers(folder: Path) -> None:
    """Write 40 small files of several formats, and 60 documents in one more."""
    folder.mkdir()
    for number in range(40):
        thing = f"{THINGS[number % 10]} {number}"
        facts = [f"The {thing} was built in {1700 + number * 7}.", f"It lies {number + 3} kilometres from the town."]
        texts = {
            "txt": " ".join(facts),
            "md": f"# The {thing}\n\n" + "\n\n## Where\n\n".join(facts),
            "html": f"<title>The {thing}</title><p>" + "</p><p>".join(facts) + "</p>",
            "csv": f"thing,built,distance\n{thing},{1700 + number * 7},{number + 3}\n",
            "json": json.dumps({"thing": thing, "facts": facts}),
        }
        suffix = [*texts][number % 5]
        (folder / f"{number:02}.{suffix}").write_text(texts[suffix])
    lines = (
        {"id": f"line-{n}", "title": f"Ship {n}", "text": f"Ship {n} carries {THINGS[n % 10]} number {n} of the fleet."}
        for n in range(60)
    )
    (folder / "ships.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"more/{number}.txt", f"The archive speaks of the {THINGS[number]} of the old town.")


def write_queries(path: Path) -> None:
    """Write ten questions about the papers."""
    asked = [f"When was the {thing} built, and how far is it?" for thing in THINGS[:5]]
    asked += [f"Which ship carries the {thing}?" for thing in THINGS[5:]]
    path.write_text("\n".join(json.dumps({"id": f"q{n}", "text": text}) for n, text in enumerate(asked)))


def ranking(program: Program, queries: Path) -> bytes:
    """Return the run of the queries."""
    run = queries.with_name("run.trec")
    done = program("docs", "search", "--queries", queries, "--run", run, "--limit", "50")
    assert done.returncode == 0, done.stderr
    return run.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("towns") / "papers"
    write_papers(folder)
    return folder


@pytest.fixture(scope="module")
def queries(folder: Path) -> Path:
    write_queries(folder.with_name("queries.jsonl"))
    return folder.with_name("queries.jsonl")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, folder: Path, queries: Path) -> tuple[bytes, float]:
    """The run of an undisturbed library, and how many seconds adding took."""
    program = Program(tmp_path_factory.mktemp("undisturbed"))
    begin = time.monotonic()
    done = program("docs", "add", folder)
    took = time.monotonic() - begin
    assert done.stdout.startswith("42 added (105 documents"), done.stdout + done.stderr
    run = ranking(program, queries)
    assert len(run.splitlines()) == 500
    return run, took


def finished(program: Program, folder: Path) -> None:
    """Add once more and look that everything is there."""
    done = program("docs", "add", folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(json.loads(program.inside("docs", "list", "--json").stdout)["documents"]) == 105


def test_killed_at_random_moments_the_next_run_completes_and_finds_the_same(
    tmp_path: Path, folder: Path, queries: Path, clean: tuple[bytes, float]
) -> None:
    run, took = clean
    moments = random.Random(20240229)
    at_work = 0
    for kill in range(KILLS):
        program = Program(tmp_path / f"home {kill}")
        process = started(program, "docs", "add", folder)
        time.sleep(moments.uniform(0.05, took))
        at_work += process.poll() is None
        killed(process)
        if (program.home / "data" / "library.sqlite").exists():
            assert_whole(program.home)
        if kill % 2:  # somebody searches what is there by then
            assert program("docs", "search", "When was the lake built?").returncode in {0, 3}
        finished(program, folder)
        assert ranking(program, queries) == run
        assert_whole(program.home)
        shutil.rmtree(program.home)
    assert at_work >= KILLS // 2, "the moments are to lie within the run"


def test_a_killed_program_leaves_no_process_behind(empty: Program, tmp_path: Path, folder: Path) -> None:
    if not Path("/proc/self/task").is_dir():
        pytest.skip("there is no /proc to look into")
    process = started(empty, "docs", "add", folder)
    tasks = Path(f"/proc/{process.pid}/task")
    children: set[str] = set()
    while not children and process.poll() is None:
        children = {pid for task in tasks.glob("*/children") for pid in task.read_text().split()}
        time.sleep(0.005)
    killed(process)
    assert children
    for _ in range(500):
        left = [pid for pid in children if (status := Path(f"/proc/{pid}/stat")).exists() and " Z " not in read(status)]
        if not left:
            break
        time.sleep(0.01)
    assert left == []


def read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return " Z "


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_how_to_go_on_and_is_completed(
    empty: Program, folder: Path, queries: Path, clean: tuple[bytes, float], number: signal.Signals
) -> None:
    process = started(empty, "docs", "add", folder)
    library = empty.home / "data" / "library.sqlite-wal"
    while process.poll() is None and not (library.exists() and library.stat().st_size > 150_000):
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err == "Stopped. What was added stays; the same command again completes the rest.\n"
    assert_whole(empty.home)
    finished(empty, folder)
    assert ranking(empty, queries) == clean[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_question_ends_at_once_and_leaves_nothing_by_half(
    program: Program, number: signal.Signals
) -> None:
    moments = random.Random(int(number))
    codes = set()
    for pause in (0, moments.uniform(0, 0.1), moments.uniform(0, 0.3)):
        before = (program.home / "data").stat().st_mtime_ns
        process = started(program, "ask", "Who paints the lighthouse?", "--no-cache")
        while process.poll() is None and (program.home / "data").stat().st_mtime_ns == before:
            time.sleep(0.002)  # until it has opened a store
        time.sleep(pause)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        codes.add(process.returncode)
        assert err == "" or err.startswith("\nSources\n"), "nothing is said of it, though the answer may have been"
        assert out == "" or PAINTER in out
    assert codes <= {0, *INTERRUPTED, -number}
    assert codes & INTERRUPTED
    assert "note:" not in answers(program, "--continue", "--no-cache")
    assert_whole(program.home)


def test_an_interrupt_leaves_no_temporary_file_behind(empty: Program, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        empty.line("docs", "add", "-", "--name", "notes.txt"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=empty.environ(TMPDIR=str(tmp_path / "tmp")),
    )
    assert process.stdin is not None
    process.stdin.write(b"A secret that should not stay in the folder for temporary files. " * 20_000)
    process.stdin.close()
    while process.poll() is None and not list((tmp_path / "tmp").iterdir()):
        time.sleep(0.002)
    process.terminate()
    assert process.wait(60) == 130
    assert list((tmp_path / "tmp").iterdir()) == []
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def test_two_runs_of_one_folder_and_a_question_at_once_all_finish(
    program: Program, folder: Path, tmp_path: Path
) -> None:
    running = [started(program, "docs", "add", folder) for _ in range(2)]
    asking = [started(program, "ask", "Who paints the lighthouse?", "--no-cache") for _ in range(2)]
    for process in asking:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert PAINTER in out
        assert "note:" not in err
    counted = 0
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        counted += sum(int(number) for number in re.findall(r"(\d+) (?:added|unchanged)", out))
    assert counted == 84, "each of the runs knows about each of the files"
    assert program("docs", "add", folder).stdout.startswith("42 unchanged")
    listed = json.loads(program.inside("docs", "list", "--json").stdout)["documents"]
    assert len(listed) == 105 + 3
    assert len({(one["source"], one["name"]) for one in listed}) == len(listed)
    found = json.loads(program.inside("docs", "search", "When was the chapel 9 built?", "--json").stdout)
    assert "1763" in found["matches"][0]["text"]
    assert_whole(program.home)


def test_first_questions_of_several_programs_at_once_are_all_answered(empty: Program) -> None:
    asking = [started(empty, "ask", "How do I add my own documents?") for _ in range(3)]
    for process in asking:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "multidb-chat docs add" in out
        assert "note:" not in err
    assert len(json.loads(empty("collections", "list", "--json").stdout)["collections"]) == 1
    assert_whole(empty.home)
