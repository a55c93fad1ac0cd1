"""Identifiers: what they look like, and that their order is that of their making."""

import threading
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain import ids
from multidb_chat.domain.ids import new_id

FIRST = 1_700_000_000_000


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a new process does, and leave nothing to other tests."""
    monkeypatch.setattr(ids, "_last_ms", 0)
    monkeypatch.setattr(ids, "_counter", 0)


def at(milliseconds: Iterator[int], count: int) -> list[str]:
    """Make identifiers while the clock shows these times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_last_ms", 0)
        patch.setattr(ids.time, "time_ns", lambda: next(milliseconds) * 1_000_000)
        return [new_id() for _ in range(count)]


def millisecond(identifier: str) -> int:
    return uuid.UUID(identifier).int >> 80


@given(st.lists(st.integers(0, 2**48 - 10_000), min_size=1, max_size=50))
def test_every_identifier_is_a_version_7_uuid_in_lower_case(times: list[int]):
    for identifier in at(iter(times), len(times)):
        parsed = uuid.UUID(identifier)
        assert str(parsed) == identifier
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


@given(st.lists(st.integers(0, 2**48 - 10_000), min_size=2, max_size=50))
def test_identifiers_strictly_increase_whatever_the_clock_does(times: list[int]):
    made = at(iter(times), len(times))
    assert all(one < other for one, other in pairwise(made))
    assert [uuid.UUID(identifier).bytes for identifier in made] == sorted(uuid.UUID(i).bytes for i in made)


@given(st.lists(st.integers(1, 2**47), min_size=1, max_size=50, unique=True).map(sorted))
def test_an_identifier_tells_the_millisecond_it_was_made_in(times: list[int]):
    assert [millisecond(identifier) for identifier in at(iter(times), len(times))] == times


def test_the_time_goes_on_from_where_it_was_while_the_clock_is_back():
    made = at(iter([FIRST, FIRST - 3_600_000, FIRST - 1, FIRST, FIRST + 1]), 5)
    assert [millisecond(identifier) - FIRST for identifier in made] == [0, 0, 0, 0, 1]


def test_more_identifiers_than_a_millisecond_can_count_still_increase():
    made = at(iter(lambda: FIRST, None), 20_000)
    assert made == sorted(set(made))
    assert millisecond(made[-1]) - FIRST < 10


def test_threads_make_no_identifier_twice():
    made: list[list[str]] = [[] for _ in range(8)]
    threads = [threading.Thread(target=lambda own=own: own.extend(new_id() for _ in range(500))) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({identifier for own in made for identifier in own}) == 4_000
    assert all(own == sorted(own) for own in made)


def test_a_real_identifier_tells_the_present():
    before = time.time_ns() // 1_000_000
    assert before <= millisecond(new_id()) <= time.time_ns() // 1_000_000
