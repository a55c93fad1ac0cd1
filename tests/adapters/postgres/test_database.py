"""The connection to PostgreSQL: what is written once, deadlines, cancellation, repetition, and the schema."""

import asyncio
from collections import Counter

import pytest
from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.adapters.postgres.pool import LARGEST
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    InvalidSetting,
    SchemaTooNew,
    StoreCorrupt,
    StoreUnavailable,
)
from tests.adapters.postgres.opening import database_at, stranger
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("postgres")

THINGS = ('CREATE TABLE things (id text COLLATE "C" PRIMARY KEY, number bigint NOT NULL CHECK (number >= 0));',)
UP = "UPDATE things SET number = number + 1 WHERE id = 'a' RETURNING number"


async def count_up(connection: AsyncConnection) -> int:
    cursor = await connection.execute(UP)
    row = await cursor.fetchone()
    assert row
    return int(row[0])


async def number(database: Database) -> int:
    return int((await database.fetch("SELECT number FROM things WHERE id = 'a'"))[0][0])


async def begin(database: Database) -> None:
    """Make the tables and the row, however long the first connection takes."""
    while True:
        try:
            await database.apply("INSERT INTO things VALUES ('a', 0) ON CONFLICT DO NOTHING")
        except StoreUnavailable:
            continue
        return


async def all_connections_work(database: Database) -> None:
    """Hold as many connections at once as there may be: none was lost."""
    together = asyncio.Barrier(LARGEST)

    async def work(connection: AsyncConnection) -> list[tuple]:
        await together.wait()
        return await (await connection.execute("SELECT 7")).fetchall()

    assert await asyncio.gather(*(database.read(work) for _ in range(LARGEST))) == [[(7,)]] * LARGEST


async def test_what_is_written_is_there_and_what_raises_is_not(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
        assert await database.write(count_up) == 1

        async def fail(connection: AsyncConnection) -> None:
            await count_up(connection)
            raise Conflict("no")

        with pytest.raises(Conflict):
            await database.write(fail)
        assert await number(database) == 1


async def test_all_statements_of_a_look_see_one_state(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)

        async def look(connection: AsyncConnection) -> list[tuple]:
            seen = []
            for _ in range(2):
                seen += await (await connection.execute("SELECT number FROM things")).fetchall()
                await database.write(count_up)
            return seen

        assert await database.read(look) == [(0,), (0,)]
        assert await number(database) == 2


@pytest.mark.parametrize("text", ["\x00", "\x01", "\x00\x01", "\x01\x00\x00\x02", "a\x01\x01\x02", "🎉\x00"], ids=ascii)
async def test_any_unicode_comes_back_exactly(url: str, text: str):
    async with database_at(url, migrations=THINGS) as database:
        await database.apply("INSERT INTO things VALUES (%s, 1)", text)
        assert await database.fetch("SELECT id FROM things WHERE id = ANY(%s)", [text]) == [(text,)]


async def test_texts_are_in_the_order_of_their_code_points(url: str):
    texts = [
        "",
        "\x00",
        "\x00\x01",
        "\x00a",
        "\x01",
        "\x01\x00",
        "\x01\x01",
        "\x02",
        "A",
        "a",
        "a\x00",
        "é",
        "\ue000",
        "🎉",
    ]
    async with database_at(url, migrations=THINGS) as database:
        for text in reversed(texts):
            await database.apply("INSERT INTO things VALUES (%s, 1)", text)
        assert [row[0] for row in await database.fetch("SELECT id FROM things ORDER BY id")] == texts


async def test_a_broken_rule_is_told_by_its_kind(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
        with pytest.raises(Violated) as taken:
            await database.apply("INSERT INTO things VALUES ('a', 0)")
        assert (taken.value.kind, taken.value.constraint) == ("unique", "things_pkey")
        with pytest.raises(Violated) as below:
            await database.apply("UPDATE things SET number = -1")
        assert below.value.kind == "check"


@pytest.mark.parametrize("parameters", [("\ud800", 1), ("b", 2**63), ("b", 2**80)], ids=ascii)
async def test_what_cannot_be_stored_is_refused_as_input(url: str, parameters: tuple):
    async with database_at(url, migrations=THINGS) as database:
        with pytest.raises(InvalidInput):
            await database.apply("INSERT INTO things VALUES (%s, %s)", *parameters)
        assert await database.fetch("SELECT * FROM things") == []


async def test_who_deadlocks_goes_through_in_the_end(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await database.apply("INSERT INTO things VALUES ('a', 0), ('b', 0)")

        async def both(first: str, second: str) -> None:
            async def work(connection: AsyncConnection) -> None:
                await connection.execute("SET LOCAL deadlock_timeout = '20ms'")
                for key in (first, second):
                    await connection.execute("UPDATE things SET number = number + 1 WHERE id = %s", (key,))
                    await asyncio.sleep(0.05)

            await database.write(work)

        await asyncio.gather(*(both(*keys) for keys in ("ab", "ba") * 2))
        assert await database.fetch("SELECT number FROM things") == [(4,), (4,)]


async def test_a_frozen_server_makes_calls_return_in_time(url: str):
    async with Proxy(url) as proxy, database_at(proxy.url, migrations=THINGS, patience=0.3) as database:
        await begin(database)
        proxy.freeze()
        for call in (database.fetch("SELECT 1"), database.write(count_up), database.apply(UP)):
            with pytest.raises(StoreUnavailable, match="did not answer"):
                await call
        proxy.thaw()
        while True:
            try:
                await all_connections_work(database)
            except StoreUnavailable:  # calls that were left alone still hold some
                continue
            break


async def test_a_connection_that_breaks_costs_a_caller_nothing(url: str):
    async with Proxy(url) as proxy, database_at(proxy.url, migrations=THINGS) as database:
        await begin(database)
        for step in range(1, 6):
            proxy.reset()
            assert await database.write(count_up) == step
            assert await number(database) == step


async def test_what_breaks_in_the_middle_of_a_write_is_done_once(url: str):
    async with Proxy(url) as proxy, database_at(proxy.url, migrations=THINGS) as database:
        await begin(database)
        attempts = 0

        async def work(connection: AsyncConnection) -> int:
            nonlocal attempts
            attempts += 1
            reached = await count_up(connection)
            if attempts == 1:
                proxy.reset()
            return reached

        assert await database.write(work) == 1
        assert (attempts, await number(database)) == (2, 1)


@pytest.mark.parametrize("kept", [0, 3])
async def test_a_commit_whose_reply_is_lost_is_done_once(url: str, kept: int):
    async with Proxy(url) as proxy, database_at(proxy.url, migrations=THINGS) as database:
        await begin(database)
        for step in range(1, 6):
            proxy.truncate_reply(kept, to=b"COMMIT")
            assert await database.write(count_up) == step
            assert proxy.cut.is_set()
        assert await number(database) == 5


async def test_a_commit_that_never_arrived_is_done_again(url: str):
    async with Proxy(url) as proxy, database_at(proxy.url, migrations=THINGS) as database:
        await begin(database)
        attempts = 0

        async def work(connection: AsyncConnection) -> int:
            nonlocal attempts
            attempts += 1
            reached = await count_up(connection)
            if attempts == 1:
                async with await stranger(url) as other:
                    await other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            return reached

        assert await database.write(work) == 1
        assert (attempts, await number(database)) == (2, 1)


async def test_three_hundred_cancelled_calls_mix_up_no_answers(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await database.fetch("SELECT 1")
        answers: Counter[bool] = Counter()

        async def ask(question: int, patience: float) -> None:
            try:
                async with asyncio.timeout(patience):
                    rows = await database.fetch("SELECT %s::int, pg_sleep(0.002)", question)
            except TimeoutError:
                answers[False] += 1
                return
            assert rows[0][0] == question
            answers[True] += 1

        for start in range(0, 600, 20):
            await asyncio.gather(*(ask(n, (n % 20) / 1500) for n in range(start, start + 20)))
        assert answers[False] >= 300
        await all_connections_work(database)


async def test_a_cancelled_write_is_there_whole_or_not_at_all(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await database.apply("INSERT INTO things VALUES ('a', 0), ('b', 0)")

        async def both(connection: AsyncConnection) -> None:
            for key in "ab":
                await connection.execute("UPDATE things SET number = number + 1 WHERE id = %s", (key,))

        for n in range(50):
            task = asyncio.create_task(database.write(both))
            await asyncio.sleep(n / 10_000)
            task.cancel()
            await asyncio.wait({task})
        await database.write(both)
        (a,), (b,) = await database.fetch("SELECT number FROM things")
        assert a == b


async def test_a_closed_database_says_so(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.fetch("SELECT 1")
    await database.close()


async def test_many_that_open_at_once_make_the_schema_once(url: str):
    databases = [Database(url, migrations=THINGS) for _ in range(6)]
    try:
        for rows in await asyncio.gather(*(database.fetch("SELECT * FROM things") for database in databases)):
            assert rows == []
    finally:
        for database in databases:
            await database.close()


async def test_a_schema_grows_by_what_is_new(url: str):
    more = (*THINGS, "ALTER TABLE things ADD COLUMN body text NOT NULL DEFAULT ''; COMMENT ON TABLE things IS '50 %'")
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
    async with database_at(url, migrations=more) as database:
        assert await database.fetch("SELECT * FROM things") == [("a", 0, "")]


async def test_a_migration_that_fails_leaves_nothing(url: str):
    broken = (*THINGS, "ALTER TABLE things ADD COLUMN body text; SELECT 1 / 0")
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
    async with database_at(url, migrations=broken) as database:
        with pytest.raises(InvalidInput):
            await database.fetch("SELECT 1")
    async with database_at(url, migrations=THINGS) as database:
        assert await database.fetch("SELECT * FROM things") == [("a", 0)]


async def test_a_newer_schema_is_refused(url: str):
    async with database_at(url, migrations=(*THINGS, "SELECT 1")) as database:
        await begin(database)
    async with database_at(url, migrations=THINGS) as database:
        with pytest.raises(SchemaTooNew, match="newer version"):
            await database.fetch("SELECT 1")


async def test_a_migration_that_was_changed_is_found(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await begin(database)
    async with database_at(url, migrations=(THINGS[0] + " ",)) as database:
        with pytest.raises(StoreCorrupt, match="other migrations"):
            await database.fetch("SELECT 1")


@pytest.mark.parametrize(
    "url",
    ["postgresql://h/d?schema=A", "postgresql://h/d?schema=a-b", "postgresql://h/d?nonsense=1", "postgresql://[h/d"],
)
def test_a_url_that_cannot_be_used_is_refused_without_a_connection(url: str):
    with pytest.raises(InvalidSetting):
        Database(url)


def test_a_password_is_in_no_message(url: str):
    server = Database("postgresql://ada:s3cret@one:1,two/data?sslmode=require").server
    assert server.where == "one:1,two:5432/data"
    assert "s3cret" not in repr(server)
