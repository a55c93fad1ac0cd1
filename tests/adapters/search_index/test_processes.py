"""Several processes with one index, and `kill -9` of one that writes it."""

import hashlib
import random
import signal
import time
from pathlib import Path

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from tests.adapters.search_index.worlds import a_library, answers, clean_answers, some_document
from tests.contracts.processes import race, say, start, starting_line

DOCUMENTS = 150


def digest(found: list[object]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


async def follow_and_search(library_path: Path, folder: Path) -> None:
    """Bring the index up to date beside others who do; tell what it holds."""
    library = SqliteLibrary(library_path)
    index = EmbeddedSearchIndex(folder, library)
    starting_line()
    await index.refresh()
    say(digest(await answers(index)))
    await index.close()
    await library.close()


async def test_processes_that_build_one_index_at_once_build_it_once(tmp_path: Path):
    library = await a_library(tmp_path / "library.sqlite", DOCUMENTS)
    processes = [start(follow_and_search, tmp_path / "library.sqlite", tmp_path / "index") for _ in range(3)]
    said = race(processes)
    clean = await clean_answers(tmp_path / "clean", library)
    assert said == [[digest(clean)]] * 3
    index = EmbeddedSearchIndex(tmp_path / "index", library)
    assert await index.refresh() == 0
    assert await answers(index) == clean
    await index.close()
    await library.close()


async def change_and_follow(library_path: Path, folder: Path, first: int) -> None:
    """Replace and remove documents and bring the index after them, for as long as one lets it."""
    library = SqliteLibrary(library_path)
    index = EmbeddedSearchIndex(folder, library)
    chance = random.Random(first)
    for version in range(first, first + 100_000):
        numbers = chance.sample(range(DOCUMENTS), 40)
        await library.put_documents([some_document(number, version % 5) for number in numbers[:30]])
        await library.remove_documents([some_document(number).document.id for number in numbers[30:]])
        await index.refresh()
        say("followed")


async def test_killed_at_ten_moments_the_index_equals_one_that_was_built_from_nothing(tmp_path: Path):
    library = await a_library(tmp_path / "library.sqlite", DOCUMENTS)
    moments = random.Random(20240229)
    for attempt in range(10):
        process = start(change_and_follow, tmp_path / "library.sqlite", tmp_path / "index", attempt * 1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "followed\n"
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        index = EmbeddedSearchIndex(tmp_path / "index", library)
        await index.refresh()
        assert await answers(index) == await clean_answers(tmp_path / f"clean {attempt}", library)
        await index.close()
    await library.close()
