"""The program with its cache on Redis, whatever becomes of that server between two questions."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.redis.processes import RedisProcess, Started, needs_program, told
from tests.cli.conftest import Program
from tests.faults.program import LIGHTHOUSE, PAINTER

pytestmark = needs_program


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    (tmp_path / "redis").mkdir()
    started = Started(tmp_path / "redis")
    yield await started("maxmemory 64mb", "maxmemory-policy volatile-lru")
    started.end()


def asked(program: Program, redis: RedisProcess, question: str = LIGHTHOUSE) -> dict[str, object]:
    done = program("ask", "--json", question, MULTIDB_CHAT_STORES_CACHE=redis.url)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


async def test_an_answer_is_right_whatever_becomes_of_redis(program: Program, redis: RedisProcess):
    def right() -> bool:
        answer = asked(program, redis)
        assert PAINTER in str(answer["text"])
        return bool(answer["cached"])

    assert [right(), right()] == [False, True]
    await told(redis.url, "FLUSHALL")
    assert [right(), right()] == [False, True]
    redis.freeze()
    assert right() is False
    redis.thaw()
    redis.kill()
    assert right() is False
    await redis.start()
    right()


async def test_a_changed_document_is_answered_anew_also_after_a_flush(
    program: Program, redis: RedisProcess, tmp_path: Path
):
    note = tmp_path / "note.txt"
    for name in ("Ludvig", "Selma"):
        note.write_text(f"The captain of the ferry is called {name}.")
        done = program("docs", "add", note, MULTIDB_CHAT_STORES_CACHE=redis.url)
        assert done.returncode == 0, done.stderr
        assert name in str(asked(program, redis, "What is the captain of the ferry called?")["text"])
        await told(redis.url, "FLUSHALL")
        assert name in str(asked(program, redis, "What is the captain of the ferry called?")["text"])


async def test_an_embedded_cache_loads_no_redis(program: Program):
    done = program("ask", LIGHTHOUSE, PYTHONPROFILEIMPORTTIME="1")
    assert "multidb_chat.adapters.sqlite.cache" in done.stderr
    assert "redis" not in done.stderr
