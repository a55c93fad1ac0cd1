"""Conversations in SQLite: the contract, and what a page costs in the file."""

import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite import conversations_messages as talk
from tests.adapters.sqlite.opening import conversations_in, steps
from tests.contracts.conversations import ConversationsContract
from tests.contracts.conversations_processes import TALK, OpenConversations, a_message


class TestSqliteConversations(ConversationsContract):
    @pytest.fixture
    def open_conversations(self, path: Path) -> OpenConversations:
        return partial(conversations_in, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


async def test_a_page_costs_the_same_in_a_long_conversation_among_long_ones(path: Path):
    async with conversations_in(path) as store:
        await store.put_conversation(TALK)
        await store.put_conversation(replace(TALK, id="c2"))
    costs = []
    with sqlite3.connect(path) as connection:
        for count in (100, 3_000):
            for n in range(count):
                talk.append(connection, [a_message(f"{n:06}")])
                talk.append(connection, [a_message(f"{n:06}", "c2")])
                talk.append(connection, [a_message(f"{n + 9_000:06}", "c2")])
            places = ("", f"{count // 2:06}")
            costs += [steps(connection, partial(talk.page, connection, "c1", before, 20)) for before in places]
    assert max(costs) <= 1.1 * min(costs)


async def test_a_list_of_conversations_costs_the_same_among_many_others(path: Path):
    async with conversations_in(path) as store:
        await store.conversations("ada")
    costs = []
    with sqlite3.connect(path) as connection:
        for count in (100, 3_000):
            for n in range(count):
                talk.put(connection, replace(TALK, id=f"1-{n:06}"))
                talk.put(connection, replace(TALK, id=f"2-{n:06}", archived=True))
                talk.put(connection, replace(TALK, id=f"3-{n:06}", account_id="bob"))
            costs.append(steps(connection, lambda: talk.page_of(connection, "ada", "", 20, archived=False)))
    assert costs[1] <= 1.1 * costs[0]
