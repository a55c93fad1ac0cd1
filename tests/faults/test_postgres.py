"""A PostgreSQL server that stops, dies, freezes or asks for a password, under a program that goes on."""

import asyncio
import contextlib
import random
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.accounts import PostgresAccounts
from multidb_chat.domain.accounts import Account, Session
from multidb_chat.domain.audit import AuditEntry, AuditFilter
from multidb_chat.domain.credentials import OneTimeCode
from multidb_chat.domain.errors import QuotaExceeded, StoreUnavailable
from tests.adapters.postgres.opening import accounts_at, database_at, stranger
from tests.contracts.accounts_processes import NOW, PERIOD
from tests.faults.postgres_server import PostgresServer
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("postgres")

T = TypeVar("T")

READABLE = "&sslmode=disable"
"""For a proxy, which looks for words in what passes."""


@pytest.fixture(scope="module")
def made() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="chat-postgres-"))  # where its user may go, which pytest's folders forbid
    server = PostgresServer(folder)
    try:
        yield server.make().start()
    finally:
        server.close()
        shutil.rmtree(folder)


@pytest.fixture
def server(made: PostgresServer) -> PostgresServer:
    """A server that runs, whatever the test before did to it."""
    return made if made.runs() else made.start()


async def answered(store: PostgresAccounts, account_id: str) -> Account | None:
    """Ask until the store answers; a server that never comes back hangs the test."""
    while True:
        try:
            return await store.account(account_id)
        except StoreUnavailable:
            await asyncio.sleep(0.05)


async def test_a_program_goes_on_with_a_server_that_was_restarted(server: PostgresServer):
    async with accounts_at(server.url()) as store:
        account = Account("restart", "user", "free", NOW)
        await store.create_account(account)
        await asyncio.gather(*(store.account("restart") for _ in range(10)))  # several connections, all soon to break
        server.stop()
        server.start()
        assert await asyncio.gather(*(store.account("restart") for _ in range(10))) == [account] * 10


async def test_a_server_that_stays_away_is_told_and_found_again(server: PostgresServer):
    async with accounts_at(server.url()) as store:
        account = Account("away", "user", "free", NOW)
        await store.create_account(account)
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                await store.account("away")
        server.start()
        assert await answered(store, "away") == account


async def counted(store: PostgresAccounts, operation: str, account: str = "busy") -> None:
    """Take one, again and again under the same name, until the store says that it is taken."""
    while True:
        try:
            await store.take(account, "messages", PERIOD, 1, None, operation)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def test_each_use_counts_once_although_the_server_is_killed_twice(server: PostgresServer):
    async with accounts_at(server.url()) as store:
        await store.create_account(Account("busy", "user", "free", NOW))
        ended = asyncio.Event()

        async def lane(name: int) -> int:
            number = 0
            while not ended.is_set():
                await counted(store, f"{name}-{number}")
                number += 1
            return number

        lanes = [asyncio.create_task(lane(name)) for name in range(8)]
        for _ in range(2):
            before = await answered(store, "busy")
            while (await store.usage("busy", PERIOD)).get("messages", 0) < 50:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            assert await answered(store, "busy") == before
        ended.set()
        done = sum(await asyncio.gather(*lanes))
        assert await store.usage("busy", PERIOD) == {"messages": done}


async def test_a_server_that_is_stopped_in_its_tracks_keeps_nobody_waiting(server: PostgresServer):
    async with accounts_at(server.url(), patience=0.5) as store:
        account = Account("frozen", "user", "free", NOW)
        await store.create_account(account)
        server.freeze()
        try:
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match=r"did not answer within 0.5 s"):
                    await store.account("frozen")
        finally:
            server.thaw()
        assert await answered(store, "frozen") == account


async def test_a_use_whose_reply_is_swallowed_counts_once(server: PostgresServer):
    async with Proxy(server.url(parameters=READABLE)) as proxy, accounts_at(proxy.url) as store:
        await store.create_account(Account("swallowed", "user", "free", NOW))
        for number in range(1, 6):
            proxy.swallow_reply(to=b"swallowed")
            assert await store.take("swallowed", "messages", PERIOD, 1, 5, f"{number}") == number
            assert proxy.cut.is_set()
        assert await store.usage("swallowed", PERIOD) == {"messages": 5}


async def test_what_cannot_be_repeated_is_done_once_although_the_reply_is_swallowed(server: PostgresServer):
    async with Proxy(server.url(parameters=READABLE)) as proxy, accounts_at(proxy.url) as store:

        async def unheard(call: Awaitable[T]) -> T:
            proxy.swallow_reply(to=b"COMMIT")
            result = await call
            assert proxy.cut.is_set()
            return result

        account, session = Account("once", "user", "free", NOW), Session("s", "once", NOW, NOW, "one")
        await unheard(store.create_account(account))
        assert (await unheard(store.update_account(account))).version == 2
        await store.put_session(session)
        assert await unheard(store.rotate_session(replace(session, refresh_hash="two"), "one")) is True
        assert await unheard(store.end_sessions("once", NOW)) == 1
        await store.put_codes("once", "recovery", [OneTimeCode("once", "recovery", "code")])
        assert await unheard(store.use_code("once", "recovery", "code", NOW)) is True
        first = len(await store.audit(limit=1_000))
        for number in range(1, 4):
            assert (await unheard(store.append_audit(AuditEntry(NOW, "once", "counted")))).seq == first + number
        assert len(await store.audit(limit=1_000)) == first + 3
        assert await unheard(store.delete_account("once")) is True
        assert await store.account("once") is None


async def test_all_that_was_acknowledged_is_there_once_whatever_happens_between(server: PostgresServer):
    chance = random.Random(7)
    async with Proxy(server.url(parameters=READABLE)) as proxy, accounts_at(proxy.url) as store:
        await store.create_account(Account("troubled", "user", "free", NOW))

        async def trouble() -> None:
            for _ in range(60):
                await asyncio.sleep(chance.random() * 0.05)
                if chance.random() < 0.3:
                    proxy.reset()
                else:
                    proxy.truncate_reply(chance.choice([0, 5, 20]), to=chance.choice([b"COMMIT", b"troubled"]))

        async def takes(lane: int) -> None:
            for number in range(20):
                await counted(store, f"{lane}-{number}", "troubled")

        async def entries(lane: int) -> set[tuple[int, str]]:
            acknowledged = set()
            for number in range(20):
                with contextlib.suppress(StoreUnavailable):
                    entry = await store.append_audit(AuditEntry(NOW, "troubled", "counted", f"{lane}-{number}"))
                    acknowledged.add((entry.seq, entry.target))
            return acknowledged

        troubles = asyncio.create_task(trouble())
        *_, one, other = await asyncio.gather(takes(1), takes(2), entries(1), entries(2))
        await troubles
    async with accounts_at(server.url()) as store:
        assert await store.usage("troubled", PERIOD) == {"messages": 40}
        kept = await store.audit(where=AuditFilter(actor="troubled"))
        assert one | other <= {(entry.seq, entry.target) for entry in kept}
        assert len({entry.target for entry in kept}) == len(kept)


async def test_a_server_that_took_the_place_of_another_is_not_asked_what_that_one_did(server: PostgresServer):
    async with database_at(server.url()) as database:
        await database.fetch("SELECT 1")

        async def work(connection: AsyncConnection) -> None:
            await connection.execute("INSERT INTO attempts VALUES ('replaced', 1, now(), now())")
            await asyncio.to_thread(server.replace)

        with pytest.raises(StoreUnavailable, match="was replaced meanwhile"):
            await database.write(work, seconds=60)
        assert await database.fetch("SELECT * FROM attempts WHERE key = 'replaced'") == []


async def test_five_hundred_racers_take_exactly_what_there_is(server: PostgresServer):
    async with accounts_at(server.url()) as one, accounts_at(server.url()) as other:
        await one.create_account(Account("raced", "user", "free", NOW))

        async def race(number: int) -> int:
            store = (one, other)[number % 2]
            while True:
                try:
                    return await store.take("raced", "messages", PERIOD, 1, 100, str(number))
                except QuotaExceeded:
                    return 0
                except StoreUnavailable:  # too many wait for a connection: turned away, and back again
                    await asyncio.sleep(random.random())

        figures = await asyncio.gather(*(race(number) for number in range(500)))
        assert sorted(figures) == [0] * 400 + list(range(1, 101))
        assert await one.usage("raced", PERIOD) == {"messages": 100}


async def test_a_wrong_password_is_told_and_not_shown(server: PostgresServer):
    async with accounts_at(server.url(password="guessed")) as store:
        with pytest.raises(StoreUnavailable, match=r"refuses .*password authentication failed") as told:
            await store.account("ada")
    assert "guessed" not in str(told.value)
    assert str(told.value).isprintable()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_an_encrypted_connection_is_to_the_server_that_the_certificate_names(server: PostgresServer, host: str):
    checked = f"&sslmode=verify-full&sslrootcert={server.certificate}"
    url = server.url(parameters=checked).replace("127.0.0.1", host)
    async with accounts_at(url) as store:
        if host == "localhost":
            assert await store.account("ada") is None
        else:
            with pytest.raises(StoreUnavailable, match=r"refuses .*does not match host name"):
                await store.account("ada")


async def test_a_certificate_that_nobody_vouches_for_is_refused(server: PostgresServer, tmp_path: Path):
    other = tmp_path / "other.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=other", "-keyout", tmp_path / "other.key", "-out", other],
        check=True, capture_output=True,
    )  # fmt: skip
    checked = f"&sslmode=verify-full&sslrootcert={other}"
    async with accounts_at(server.url(parameters=checked).replace("127.0.0.1", "localhost")) as store:
        with pytest.raises(StoreUnavailable, match=r"refuses .*certificate verify failed"):
            await store.account("ada")


async def test_a_user_without_rights_is_told_so(server: PostgresServer):
    async with accounts_at(server.url()) as store:
        await store.account("nobody")
    async with await stranger(server.url()) as owner:
        await owner.execute("CREATE ROLE visitor LOGIN PASSWORD 'visiting'")
    async with accounts_at(server.url("visitor", "visiting")) as store:
        with pytest.raises(StoreUnavailable, match=r"refuses .*permission denied"):
            await store.account("ada")


async def test_a_database_that_does_not_keep_unicode_is_refused(server: PostgresServer):
    async with await stranger(server.url()) as owner:
        await owner.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    async with accounts_at(server.url(database="latin")) as store:
        with pytest.raises(StoreUnavailable, match="keeps LATIN1"):
            await store.account("ada")


async def test_a_dump_that_is_put_back_elsewhere_is_the_same_store(server: PostgresServer):
    async with accounts_at(server.url()) as store:
        await store.create_account(Account("dumped \x00\x01", "user", "free", NOW, "Dumped@example.org"))
        await store.take("dumped \x00\x01", "messages", PERIOD, 3, None, "1")
        await store.append_audit(AuditEntry(NOW, "dumped", "kept", details={"a": "\x00\n🎉"}))
        before = await store.list_accounts(limit=1_000), await store.audit(limit=1_000)
    async with await stranger(server.url()) as owner:
        await owner.execute("CREATE DATABASE restored")
    server.copy("postgres", "restored")
    async with accounts_at(server.url(database="restored")) as store:
        assert (await store.list_accounts(limit=1_000), await store.audit(limit=1_000)) == before
        assert await store.usage("dumped \x00\x01", PERIOD) == {"messages": 3}
        assert (await store.append_audit(AuditEntry(NOW, "restored", "more"))).seq == len(before[1]) + 1
        async with await stranger(server.url(database="restored")) as owner:
            with pytest.raises(psycopg.Error, match="append-only"):
                await owner.execute("DELETE FROM audit")
