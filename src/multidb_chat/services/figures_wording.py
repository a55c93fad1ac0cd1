"""Usage and figures as names and values, the same wherever they are shown in words."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.plans import Standing
from multidb_chat.domain.statistics import FAILED, NOT_FOUND, Figures, SessionFigures
from multidb_chat.domain.text import clean_line
from multidb_chat.services.quota_wording import NAMES, amount
from multidb_chat.services.wording import duration

T = TypeVar("T")
Rows = Sequence[tuple[str, str]]
NONE_YET = "nothing answered yet"


async def rows_of(figures: Awaitable[T], worded: Callable[[T], Rows]) -> Rows:
    """Return figures in words or, where their store is away, that."""
    try:
        return worded(await figures)
    except StoreUnavailable as error:
        return [("Not known now", clean_line(str(error)))]


def usage_rows(standing: Standing) -> Rows:
    """Return a plan with what is used and left."""
    until = f", until {standing.last_day}" if standing.until else ""
    rows = [("Plan", f"{standing.plan}{until}")]
    for one in standing.usage:
        used = amount(one.resource, one.used)
        if one.limit is None or one.left is None:
            value = f"{used}, no limit"
        elif not one.limit:
            value = "not in this plan"
        else:
            left, limit = amount(one.resource, one.left), amount(one.resource, one.limit)
            value = f"{used} used, {left} of {limit} left"
        if one.limit and one.resets_at is not None:
            value += f", new on {one.resets_at.day} {one.resets_at:%B}"
        rows.append((NAMES[one.resource].capitalize(), value))
    return rows


def figure_rows(figures: Figures) -> Rows:
    """Return an account's figures."""
    rate, median, slow = figures.hit_rate, figures.within(0.5), figures.within(0.95)
    times = (
        NONE_YET if median is None or slow is None else f"half within {duration(median)}, 95 % within {duration(slow)}"
    )
    return [
        ("Questions", f"{figures.questions:,}"),
        ("From the cache", NONE_YET if rate is None else f"{100 * rate:.0f} %"),
        ("Answered", times),
        ("Not found", f"{figures.total(NOT_FOUND):,}"),
        ("Failed", f"{figures.total(FAILED):,}"),
        ("Documents", f"{figures.documents:,} ({amount('storage', figures.size_bytes)})"),
        ("Feedback", f"{figures.helpful:,} good, {figures.unhelpful:,} bad"),
    ]


def session_rows(session: SessionFigures) -> Rows:
    """Return what this run of the program did."""
    answered = session.turns - session.failed
    times = NONE_YET
    if session.median is not None and session.slowest is not None:
        times = f"{duration(session.median)} (half), {duration(session.slowest)} at most"
    return [
        ("Running for", _span(session.seconds)),
        ("Questions", f"{session.turns:,}"),
        ("From the cache", f"{session.cached:,}" + (f" ({100 * session.cached / answered:.0f} %)" if answered else "")),
        ("Answered within", times),
        ("Not found", f"{session.not_found:,}"),
        ("Failed", f"{session.failed:,}"),
    ]


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
