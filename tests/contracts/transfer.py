"""What every `Transfer` does, written once: a backend gives `empty`, and how many examples it bears."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.transfer import accounts_transfer, conversations_transfer, library_transfer
from multidb_chat.adapters.sqlite.transfer_comparison import SqliteComparison
from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.conversations import Conversation, Conversations, KnowledgeEntry, Message
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.library import Library
from multidb_chat.domain.transfer import Digest, Origin, Row, Table, Transfer, digest, is_empty
from multidb_chat.domain.transfer_tables import (
    ACCOUNTS,
    AUDIT,
    COLLECTIONS,
    CONVERSATIONS,
    DOCUMENTS,
    ERASED_CONVERSATIONS,
    KNOWLEDGE,
    MESSAGES,
    REMOVED,
    USAGE,
    document_row,
)
from multidb_chat.services.migration.carrying import Carrying
from tests.contracts import transfer_rows as drawn
from tests.contracts.library import a_collection, a_content
from tests.contracts.transfer_rows import Rows

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


class Twin(NamedTuple):
    """A store to carry rows to, and the ordinary port on it."""

    transfer: Transfer
    port: Any


Empty = Callable[[], AbstractAsyncContextManager[Twin]]
"""Gives a new and empty store each time."""


async def fill(transfer: Transfer, rows: Rows) -> None:
    """Put everything, table by table."""
    for table in transfer.tables:
        await transfer.put(table, rows[table.name])


async def held(transfer: Transfer, size: int = 500) -> dict[str, list[Row]]:
    """Read everything in pages of a size, each table in order of key."""
    return {table.name: sorted(await of_table(transfer, table, size), key=table.key_of) for table in transfer.tables}


async def of_table(transfer: Transfer, table: Table, size: int) -> list[Row]:
    page = await transfer.rows(table, None, size)
    rows = list(page.rows)
    while page.after is not None:
        page = await transfer.rows(table, page.after, size)
        assert len(page.rows) <= size
        rows += page.rows
    return rows


def in_order(transfer: Transfer, rows: Rows) -> dict[str, list[Row]]:
    return {table.name: sorted(rows[table.name], key=table.key_of) for table in transfer.tables}


@asynccontextmanager
async def embedded(store: str) -> AsyncIterator[Transfer]:
    """An empty embedded store, to carry rows from or back to."""
    makers = {"accounts": accounts_transfer, "conversations": conversations_transfer, "library": library_transfer}
    with tempfile.TemporaryDirectory() as folder:
        transfer = makers[store](Path(folder))
        yield transfer
        await transfer.close()


async def carried(source: Transfer, target: Transfer) -> None:
    """Make the target what the source is, table by table."""
    comparison = SqliteComparison()
    for table in source.tables:
        assert (await Carrying(source, target, table, comparison, lambda *_: None).run()).same, table.name
    await comparison.close()


class TransferContract:
    """Give it a fixture `empty`, and `ROWS`, what may be in such a store; `EXAMPLES` of that are tried."""

    EXAMPLES = 6
    ROWS: st.SearchStrategy[Rows]

    @pytest.fixture
    def empty(self) -> Empty:
        raise NotImplementedError

    def for_examples(self, *drawn: Any) -> Callable[[Callable[..., Awaitable[None]]], None]:
        """Run a check with what is drawn."""

        def run(check: Callable[..., Awaitable[None]]) -> None:
            def example(values: tuple[Any, ...]) -> None:
                asyncio.run(check(*values))  # type: ignore[arg-type] # a coroutine

            limits = settings(max_examples=self.EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
            limits(given(st.tuples(*drawn))(example))()

        return run

    def test_what_is_put_is_read_back_the_same_in_pages_of_any_size(self, empty: Empty):
        @self.for_examples(self.ROWS, st.integers(1, 4))
        async def check(rows: Rows, size: int) -> None:
            async with empty() as twin:
                assert await is_empty(twin.transfer)
                await fill(twin.transfer, rows)
                assert await held(twin.transfer, size) == in_order(twin.transfer, rows)
                for table in twin.transfer.tables:
                    assert await digest(twin.transfer, table) == Digest().plus(rows[table.name])
                    keys = [table.key_of(row) for row in rows[table.name]]
                    found = await twin.transfer.find(table, [*keys, *_unknown(table)])
                    assert sorted(found, key=table.key_of) == sorted(rows[table.name], key=table.key_of)

    def test_what_is_put_again_or_replaced_is_there_once(self, empty: Empty):
        @self.for_examples(self.ROWS, self.ROWS)
        async def check(rows: Rows, later: Rows) -> None:
            async with empty() as twin:
                await fill(twin.transfer, rows)
                await fill(twin.transfer, rows)
                assert await held(twin.transfer) == in_order(twin.transfer, rows)
                later = {**later, "audit": rows["audit"]} if "audit" in rows else later
                for table in reversed(twin.transfer.tables):
                    if not table.appended:
                        await twin.transfer.remove(table, [table.key_of(row) for row in rows[table.name]])
                await fill(twin.transfer, later)
                assert await held(twin.transfer) == in_order(twin.transfer, later)

    def test_whatever_was_there_before_becomes_what_is_carried_and_comes_back_the_same(self, empty: Empty):
        @self.for_examples(self.ROWS, self.ROWS)
        async def check(now: Rows, before: Rows) -> None:
            async with empty() as twin, embedded(twin.transfer.store) as source, embedded(twin.transfer.store) as back:
                await fill(source, now)
                await fill(twin.transfer, {**before, "audit": now.get("audit", [])[:2]})
                await carried(source, twin.transfer)
                await carried(twin.transfer, back)
                assert await held(back) == in_order(source, now)

    async def test_a_store_becomes_what_another_one_is_carried_to(self, empty: Empty):
        async with empty() as twin:
            for origin in (Origin("one and the same"), Origin("one and the same", 1), Origin("another", 3)):
                await twin.transfer.adopt(origin)
                assert await twin.transfer.origin() == origin
            assert await is_empty(twin.transfer)


def _unknown(table: Table) -> Iterable[tuple[Any, ...]]:
    known = {"seq": 99, "period": "2001-01-01"}
    yield tuple(known.get(name, "nobody has this") for name in table.key)


ADA = Account("ada", "user", "free", NOW, "Ada@example.org", "hash", pseudonym="p", version=3)


class AccountsTransferContract(TransferContract):
    """The port is a pair of `Accounts` and `Tasks`."""

    ROWS = drawn.accounts()

    async def test_what_was_counted_is_counted_there_and_not_again(self, empty: Empty):
        async with empty() as twin:
            accounts: Accounts = twin.port[0]
            month = date(2026, 1, 1)
            rows = {table.name: [] for table in twin.transfer.tables} | {
                "accounts": [ACCOUNTS.row(ADA)],
                "usage": [("ada", month.isoformat(), "messages", 7)],
                "operations": [("ada", "op1")],
            }
            await fill(twin.transfer, rows)
            assert await accounts.account("ada") == ADA
            assert await accounts.account_by_email("ada@EXAMPLE.org") == ADA
            assert await accounts.usage("ada", month) == {"messages": 7}
            assert await accounts.take("ada", "messages", month, 1, 10, "op1") == 7
            assert await accounts.take("ada", "messages", month, 1, 10, "op2") == 8
            assert (await accounts.update_account(replace(ADA, plan="pro"))).version == 4
            (found,) = await twin.transfer.find(USAGE, [("ada", month.isoformat(), "messages")])
            assert found[-1] == 8

    async def test_the_audit_log_goes_on_behind_what_was_put_and_never_changes(self, empty: Empty):
        async with empty() as twin:
            accounts: Accounts = twin.port[0]
            entries = [
                AuditEntry(NOW, "ada", "asked", details={"b": "1", "a": "2"}, mac=f"m{n}", seq=n) for n in (1, 2)
            ]
            await twin.transfer.put(AUDIT, [AUDIT.row(entry) for entry in entries])
            found = await accounts.audit()
            assert found == entries
            assert list(found[0].details) == ["b", "a"], "what a mac was made of has an order"
            assert (await accounts.append_audit(AuditEntry(NOW, "ada", "left"))).seq == 3
            await twin.transfer.put(AUDIT, [AUDIT.row(entry) for entry in entries])
            with pytest.raises(Conflict):
                await twin.transfer.put(AUDIT, [AUDIT.row(replace(entries[1], actor="eve"))])
            with pytest.raises(Conflict):
                await twin.transfer.remove(AUDIT, [(3,)])
            assert [entry.action for entry in await accounts.audit()] == ["asked", "asked", "left"]

    async def test_what_belongs_to_nobody_or_is_taken_is_left_out(self, empty: Empty):
        async with empty() as twin:
            await twin.transfer.put(USAGE, [("nobody", "2026-01-01", "messages", 7)])
            assert await of_table(twin.transfer, USAGE, 5) == []
            same = replace(ADA, id="eve")
            await twin.transfer.put(ACCOUNTS, [ACCOUNTS.row(ADA), ACCOUNTS.row(same)])
            assert await of_table(twin.transfer, ACCOUNTS, 5) == [ACCOUNTS.row(ADA)]


TALK = Conversation("k1", "ada", "Tides and the moon", NOW)


class ConversationsTransferContract(TransferContract):
    """The port is `Conversations`."""

    ROWS = drawn.conversations()

    async def test_what_was_said_is_found_by_its_words_and_what_is_gone_is_not(self, empty: Empty):
        async with empty() as twin:
            port: Conversations = twin.port
            said = Message("m1", "k1", "ada", "user", "Why is there ebb", NOW, meta="{}")
            await twin.transfer.put(CONVERSATIONS, [CONVERSATIONS.row(TALK)])
            await twin.transfer.put(MESSAGES, [MESSAGES.row(said)])
            assert await port.conversation("k1") == TALK
            assert await port.messages("k1") == [said]
            for words in (["moon"], ["ebb"]):
                assert [one.conversation.id for one in await port.search_conversations("ada", words)] == ["k1"]
            await twin.transfer.put(CONVERSATIONS, [CONVERSATIONS.row(replace(TALK, title="Winds"))])
            await twin.transfer.remove(MESSAGES, [("k1", "m1")])
            assert await port.messages("k1") == []
            for words in (["moon"], ["ebb"]):
                assert await port.search_conversations("ada", words) == []
            await twin.transfer.remove(CONVERSATIONS, [("k1",)])
            assert await port.conversations("ada") == []
            assert await port.search_conversations("ada", ["winds"]) == []

    async def test_uses_of_knowledge_are_counted_on(self, empty: Empty):
        async with empty() as twin:
            port: Conversations = twin.port
            entry = KnowledgeEntry("e1", "t", "Why?", "why", "So.", 1, NOW)
            await twin.transfer.put(KNOWLEDGE, [KNOWLEDGE.row(entry, uses=41)])
            await port.count_use("t", "e1")
            assert await port.uses("t", ["e1"]) == {"e1": 42}
            await twin.transfer.put(KNOWLEDGE, [KNOWLEDGE.row(entry, uses=7)])
            assert await port.uses("t", ["e1"]) == {"e1": 7}
            assert await port.knowledge("t", "why") == entry
            await twin.transfer.remove(KNOWLEDGE, [("t", "e1")])
            await twin.transfer.put(KNOWLEDGE, [KNOWLEDGE.row(entry, uses=3)])
            assert await port.uses("t", ["e1"]) == {"e1": 3}

    async def test_nothing_comes_back_of_accounts_that_were_erased(self, empty: Empty):
        async with empty() as twin:
            port: Conversations = twin.port
            await twin.transfer.put(ERASED_CONVERSATIONS, [("ada",)])
            with pytest.raises(NotFound):
                await port.put_conversation(TALK)


class LibraryTransferContract(TransferContract):
    """The port is `Library`."""

    ROWS = drawn.library()

    async def test_documents_are_whole_and_their_changes_have_their_numbers(self, empty: Empty):
        async with empty() as twin:
            port: Library = twin.port
            content = a_content("a.md", "Tides and winds. " * 9, original=b"raw", revision=4)
            document = content.document
            await twin.transfer.put(COLLECTIONS, [COLLECTIONS.row(a_collection())])
            await twin.transfer.put(DOCUMENTS, [document_row(content, 17)])
            await twin.transfer.put(REMOVED, [("gone", "papers", 12)])
            assert await port.content(document.id) == content
            assert [(one.seq, one.document_id, one.removed) for one in await port.changes(0)] == [
                (12, "gone", True),
                (17, document.id, False),
            ]
            assert await port.version() == 17
            assert await port.collection_versions(["papers"]) == {"papers": 17}
            await port.put_documents([a_content("a.md", "New."), a_content("b.md", "Other.")])
            numbers = {one.document_id: one.seq for one in await port.changes(17)}
            assert min(numbers.values()) > 17
            found = await port.document(document.id)
            assert found is not None
            assert (found.revision, found.added_at) == (5, document.added_at)

    async def test_a_library_that_adopts_an_identity_has_it(self, empty: Empty):
        async with empty() as twin:
            await twin.transfer.adopt(Origin("the same library", 2))
            assert await twin.port.identity() == "the same library"

    async def test_documents_of_no_collection_are_left_out(self, empty: Empty):
        async with empty() as twin:
            await twin.transfer.put(DOCUMENTS, [document_row(a_content(), 1)])
            assert await of_table(twin.transfer, DOCUMENTS, 5) == []

    async def test_what_was_removed_may_come_again(self, empty: Empty):
        async with empty() as twin:
            content = a_content()
            await twin.transfer.put(COLLECTIONS, [COLLECTIONS.row(a_collection())])
            await twin.transfer.put(REMOVED, [(content.document.id, "papers", 3)])
            await twin.transfer.remove(REMOVED, [(content.document.id,)])
            await twin.transfer.put(DOCUMENTS, [document_row(content, 5)])
            await twin.transfer.remove(DOCUMENTS, [(content.document.id,)])
            await twin.transfer.put(REMOVED, [(content.document.id, "papers", 6)])
            assert await of_table(twin.transfer, DOCUMENTS, 5) == []
            assert await of_table(twin.transfer, REMOVED, 5) == [(content.document.id, "papers", 6)]
