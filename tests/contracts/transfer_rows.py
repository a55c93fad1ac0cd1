"""What a store may hold, drawn at random: rows of each of its tables that fit to each other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

from hypothesis import strategies as st

from multidb_chat.domain import transfer_tables as tables
from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.conversations import Conversation, Feedback, KnowledgeEntry, Message
from multidb_chat.domain.credentials import OneTimeCode, SecondFactor
from multidb_chat.domain.library import Collection, Strategy
from multidb_chat.domain.tasks import Task
from multidb_chat.domain.transfer import Row, micros
from tests.contracts.library import a_content

Rows = Mapping[str, list[Row]]
"""The rows of each table."""

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
MAYBE_TIMES = st.none() | TIMES
COUNTS = st.integers(0, 10_000)
TEXTS = st.dictionaries(WORDS, WORDS, max_size=3)
PEOPLE = ("ada", "bob", "eve")
ANYBODY = st.sampled_from(PEOPLE)
KEYS = st.sampled_from([f"k{number}" for number in range(8)])
PLANS = st.sampled_from(["free", "pro", "enterprise"])


def _once(records: st.SearchStrategy[Any], key: Callable[[Any], Any], most: int = 6) -> st.SearchStrategy[list[Any]]:
    return st.lists(records, max_size=most, unique_by=key)


@st.composite
def accounts(draw: st.DrawFn) -> Rows:
    """Return what a store of accounts may hold."""
    people = [
        Account(
            name, draw(st.sampled_from(["user", "admin", "guest"])), draw(PLANS), draw(TIMES),
            draw(st.sampled_from([None, f"{name}@Example.org"])), draw(st.none() | WORDS), draw(MAYBE_TIMES),
            draw(MAYBE_TIMES), draw(st.integers(1, 99)), f"pseudonym of {name}", draw(MAYBE_TIMES),
        )
        for name in PEOPLE
    ]  # fmt: skip
    sessions = st.builds(
        Session, KEYS, ANYBODY, TIMES, TIMES, WORDS, WORDS, rotated_at=MAYBE_TIMES, ended_at=MAYBE_TIMES, client=WORDS
    )
    codes = st.builds(OneTimeCode, ANYBODY, st.sampled_from(["recovery", "reset"]), KEYS, MAYBE_TIMES)
    tasks = st.builds(
        Task, KEYS, ANYBODY, st.sampled_from(["research", "analyze"]), TEXTS, TIMES,
        st.sampled_from(["queued", "done", "failed", "cancelled"]), st.integers(-3, 3), MAYBE_TIMES, COUNTS,
        st.integers(1, 9), COUNTS, WORDS, MAYBE_TIMES, st.floats(0, 1), WORDS, WORDS, WORDS, WORDS, MAYBE_TIMES,
        MAYBE_TIMES, MAYBE_TIMES,
    )  # fmt: skip
    months = st.sampled_from([date(2026, 1, 1).isoformat(), date(2026, 2, 1).isoformat()])
    used = st.tuples(ANYBODY, months, st.sampled_from(["messages", "documents"]), COUNTS)
    attempts = st.tuples(KEYS, st.integers(1, 9), TIMES.map(micros), TIMES.map(micros))
    entries = draw(st.lists(st.builds(AuditEntry, TIMES, WORDS, WORDS, WORDS, WORDS, TEXTS, WORDS), max_size=5))
    return {
        "accounts": [tables.ACCOUNTS.row(one) for one in people],
        "subscriptions": [
            tables.SUBSCRIPTIONS.row(one)
            for one in draw(
                _once(st.builds(Subscription, KEYS, ANYBODY, PLANS, TIMES, MAYBE_TIMES), lambda one: one.id)
            )
        ],
        "usage": draw(_once(used, lambda one: one[:3])),
        "operations": draw(_once(st.tuples(ANYBODY, KEYS), lambda one: one)),
        "sessions": [tables.SESSIONS.row(one) for one in draw(_once(sessions, lambda one: one.id))],
        "second_factors": [
            tables.SECOND_FACTORS.row(one)
            for one in draw(
                _once(st.builds(SecondFactor, ANYBODY, WORDS, MAYBE_TIMES, COUNTS), lambda one: one.account_id)
            )
        ],
        "codes": [
            tables.CODES.row(one) for one in draw(_once(codes, lambda one: (one.account_id, one.kind, one.hash)))
        ],
        "attempts": draw(_once(attempts, lambda one: one[0])),
        "tasks": [tables.TASKS.row(one) for one in draw(_once(tasks, lambda one: one.id))],
        "audit": [tables.AUDIT.row(replace(entry, seq=number)) for number, entry in enumerate(entries, 1)],
    }


@st.composite
def conversations(draw: st.DrawFn) -> Rows:
    """Return what a store of conversations may hold."""
    talks = draw(
        _once(
            st.builds(
                Conversation, KEYS, ANYBODY, WORDS, TIMES, st.booleans(), st.none() | KEYS, st.booleans(),
                st.none() | KEYS, MAYBE_TIMES, MAYBE_TIMES,
            ),
            lambda one: one.id,
        )
    )  # fmt: skip
    said = st.builds(
        Message, KEYS, st.sampled_from([one.id for one in talks] or ["k0"]), ANYBODY,
        st.sampled_from(["user", "assistant", "notice"]), WORDS, TIMES, st.none() | KEYS, WORDS,
    )  # fmt: skip
    messages = draw(_once(said, lambda one: (one.conversation_id, one.id), 10)) if talks else []
    known = st.builds(
        KnowledgeEntry, KEYS, st.sampled_from(["", "t2"]), WORDS, KEYS, WORDS, st.integers(1, 9), TIMES,
        st.binary(max_size=16), WORDS, WORDS,
    )  # fmt: skip
    entries = draw(
        st.lists(known, max_size=6, unique_by=(lambda e: (e.tenant_id, e.id), lambda e: (e.tenant_id, e.question_key)))
    )
    rated = st.builds(
        Feedback, KEYS, ANYBODY, st.sampled_from([-1, 0, 1]), WORDS, TIMES, KEYS, KEYS, TEXTS,
    )  # fmt: skip
    said_of_it = st.builds(Feedback, KEYS, ANYBODY, st.sampled_from([-1, 0, 1]), WORDS, TIMES, meta=TEXTS)
    feedback = draw(
        st.lists(
            rated | said_of_it,
            max_size=6,
            unique_by=(lambda one: one.id, lambda one: (one.account_id, one.message_id or one.id)),
        )
    )
    return {
        "erased": draw(_once(st.tuples(st.sampled_from(["gone", "left"])), lambda one: one)),
        "conversations": [tables.CONVERSATIONS.row(one) for one in talks],
        "messages": [tables.MESSAGES.row(one) for one in messages],
        "knowledge": [tables.KNOWLEDGE.row(one, uses=draw(COUNTS)) for one in entries],
        "feedback": [tables.FEEDBACK.row(one) for one in feedback],
    }


@st.composite
def library(draw: st.DrawFn) -> Rows:
    """Return what a library may hold."""
    shelves = [
        Collection(
            key,
            draw(ANYBODY),
            f"{draw(WORDS)} {key}",
            draw(TIMES),
            draw(WORDS),
            draw(st.booleans()),
            draw(WORDS),
            4,
            draw(st.sampled_from(get_args(Strategy))),
            draw(COUNTS),
            draw(st.booleans()),
        )
        for key in draw(st.lists(st.sampled_from(["papers", "notes"]), unique=True))
    ]
    names = [one.id for one in shelves]
    contents = [
        a_content(
            f"{number}.md", draw(st.text(st.characters(exclude_categories=("Cs",)), max_size=60)),
            collection=draw(st.sampled_from(names)), pieces=draw(st.integers(1, 5)),
            original=draw(st.none() | st.binary(max_size=40)), added_at=draw(TIMES), updated_at=draw(TIMES),
            authored_at=draw(MAYBE_TIMES), metadata=draw(TEXTS), revision=draw(st.integers(1, 9)), title=draw(WORDS),
        )
        for number in range(draw(st.integers(0, 5)) if names else 0)
    ]  # fmt: skip
    numbers = draw(
        st.lists(st.integers(1, 10_000), min_size=len(contents) + 3, max_size=len(contents) + 3, unique=True)
    )
    sources = st.tuples(st.sampled_from(names or ["papers"]), WORDS, WORDS, COUNTS, COUNTS, TIMES.map(micros))
    return {
        "erased": draw(_once(st.tuples(st.sampled_from(["gone", "left"])), lambda one: one)),
        "collections": [tables.COLLECTIONS.row(one) for one in shelves],
        "documents": [tables.document_row(one, seq) for one, seq in zip(contents, numbers, strict=False)],
        "sources": draw(_once(sources, lambda one: one[:2])) if names else [],
        "removed": [(f"gone{number}", "papers", seq) for number, seq in enumerate(numbers[len(contents) :])],
    }
