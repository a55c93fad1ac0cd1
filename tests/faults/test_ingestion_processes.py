"""Several processes that add the same folder at once."""

import asyncio
import sys
from pathlib import Path

from multidb_chat.adapters.readers.client import SubprocessReader
from tests.faults.ingest_process import PAPERS, add, ingestion_into
from tests.unit.services.ingesting import contents, timeless

ROOT = Path(__file__).parents[2]


async def test_three_processes_adding_at_once_leave_what_one_leaves(tmp_path: Path):
    files = tmp_path / "files"
    files.mkdir()
    for number in range(20):
        (files / f"{number:02}.md").write_text(f"# File {number}\n\n" + f"Sentence {number} of many. " * 200)
    (files / "x.jsonl").write_text("".join(f'{{"id": "x{n}", "text": "Line {n}."}}\n' for n in range(200)))
    reader = SubprocessReader()
    await add(tmp_path / "alone.db", files, reader)  # also makes the collection of the other library
    async with ingestion_into(tmp_path / "together.db", reader):
        pass
    command = ("-m", "tests.faults.ingest_process", str(tmp_path / "together.db"), str(files))
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert all(output.endswith(b"Finished\n") for output, _ in outputs)
    found = []
    for name in ("alone.db", "together.db"):
        async with ingestion_into(tmp_path / name, reader) as (library, _):
            found.append(sorted(map(timeless, await contents(library, PAPERS)), key=lambda one: one.document.id))
    assert len(found[0]) == 220
    assert found[0] == found[1]
    await reader.close()
