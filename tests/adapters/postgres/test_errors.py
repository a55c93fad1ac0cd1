"""Whatever the driver raises crosses the border as an error of the domain, on one line and without the password."""

from collections.abc import Iterator

import psycopg
import psycopg_pool
import pytest

from multidb_chat.adapters.postgres.errors import Violated, translated
from multidb_chat.domain.errors import (
    InvalidInput,
    MultidbChatError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from tests.adapters.postgres.opening import database_at
from tests.servers import needs, url_of

THINGS = ("CREATE TABLE things (number bigint)",)


def descendants(of: type[BaseException]) -> Iterator[type[BaseException]]:
    for one in of.__subclasses__():
        yield one
        yield from descendants(one)


def test_every_error_of_the_driver_becomes_one_of_the_domain():
    known = {psycopg.Error, *descendants(psycopg.Error), *descendants(psycopg_pool.PoolTimeout)}
    assert len(known) > 250
    for kind in known:
        meaning = translated(kind("first\nsecond \x1b[31m"), "accounts", "db:5432/chat")
        assert isinstance(meaning, MultidbChatError), kind
        assert str(meaning).isprintable(), kind


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (OSError(111, "Connection refused"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (OverflowError("date"), InvalidInput),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), InvalidInput),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), StoreCorrupt),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_is_no_error_of_the_driver_is_told_too(error: Exception, meaning: type[Exception]):
    assert type(translated(error, "accounts", "db:5432/chat")) is meaning


def test_a_fault_of_the_program_stays_what_it_is():
    fault = KeyError("x")
    assert translated(fault, "accounts", "db:5432/chat") is fault


@needs("postgres")
@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("53100", StoreFull),
        ("53200", StoreUnavailable),
        ("53300", StoreUnavailable),
        ("57P03", StoreUnavailable),
        ("40001", StoreUnavailable),
        ("25006", StoreUnavailable),
        ("42501", StoreUnavailable),
        ("42P07", StoreUnavailable),
        ("55P03", StoreUnavailable),
        ("XX001", StoreCorrupt),
        ("XX002", StoreCorrupt),
        ("42P01", StoreCorrupt),
        ("42703", StoreCorrupt),
        ("22003", InvalidInput),
        ("22021", InvalidInput),
        ("54000", InvalidInput),
        ("23505", Violated),
        ("23514", Violated),
        ("XX000", StoreError),
        ("P0001", StoreError),
    ],
)
async def test_what_the_server_reports_is_told_as_what_it_means(url: str, code: str, meaning: type[Exception]):
    async with database_at(url, migrations=THINGS) as database:
        with pytest.raises(StoreError if issubclass(meaning, StoreError) else InvalidInput) as told:
            await database.apply(f"DO $$ BEGIN RAISE EXCEPTION 'because' USING ERRCODE = '{code}'; END $$")
        assert type(told.value) is meaning
        assert await database.fetch("SELECT 1") == [(1,)]


@needs("postgres")
async def test_a_server_that_may_only_be_read_says_so(url: str):
    async with database_at(url, migrations=THINGS) as database:
        await database.fetch("SELECT 1")
    reading = f"{url}&options=-c%20default_transaction_read_only%3Don"
    async with database_at(reading, migrations=THINGS) as database:
        assert await database.fetch("SELECT * FROM things") == []
        with pytest.raises(StoreUnavailable, match="read-only transaction"):
            await database.apply("INSERT INTO things VALUES (1)")


@needs("postgres")
async def test_a_statement_that_takes_too_long_is_ended_by_the_server(url: str):
    quick = f"{url}&options=-c%20statement_timeout%3D50"
    async with database_at(quick, migrations=THINGS) as database:
        with pytest.raises(StoreUnavailable, match="statement timeout"):
            await database.fetch("SELECT pg_sleep(5)")


@needs("postgres")
async def test_a_database_that_is_not_there_is_named():
    place, _, _ = url_of("postgres").rpartition("/")
    async with database_at(f"{place}/nowhere") as database:
        with pytest.raises(StoreUnavailable, match=r'/nowhere refuses .*"nowhere" does not exist'):
            await database.fetch("SELECT 1")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "name.invalid:5432"])
async def test_a_server_that_is_not_there_is_named_with_its_port(host: str):
    async with database_at(f"postgresql://ada:s3cret@{host}/chat") as database:
        with pytest.raises(StoreUnavailable, match=rf"{host}/chat cannot be reached") as told:
            await database.fetch("SELECT 1")
    assert "s3cret" not in str(told.value)
    assert str(told.value).isprintable()
