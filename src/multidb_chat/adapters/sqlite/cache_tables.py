"""What the cache does in its tables. Every function is a piece of work inside a transaction that the caller began.

`now` is the clock's time in epoch seconds.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from multidb_chat.adapters.sqlite.database import bindable
from multidb_chat.domain.cache import ANALYTICS_DAYS, ANALYTICS_TTL, Count, Notification

# ruff: noqa: S608 - statements are put together from constants only

INBOX = 1_000
# A value from the future was stored before the clock was set back. It is given up beyond this many seconds, so that it
# cannot outlive its time by as much as the clock moved; small corrections of the clock cost nothing.
CLOCK_SLACK = 60.0
# Below this many seconds a place counts as free: differences of epoch seconds are only exact to a microsecond.
_INSTANT = 1e-6

Connection = sqlite3.Connection


def get(connection: Connection, key: str, now: float) -> bytes | None:
    """Return a value that is still in its time."""
    row = connection.execute(
        "SELECT value FROM entries WHERE key = ? AND expires > ? AND stored <= ?", (key, now, now + CLOCK_SLACK)
    ).fetchone()
    return row[0] if row else None


def put(connection: Connection, key: str, value: bytes, ttl: float, account_id: str, now: float) -> None:
    """Store a value; what is over goes on the way, so that the file stops growing without anybody purging it."""
    connection.execute("DELETE FROM entries WHERE expires <= ?", (now,))
    connection.execute(
        "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", (key, value, now, now + ttl, account_id)
    )


def delete(connection: Connection, key: str, now: float) -> bool:
    """Remove a value; False when none was there in its time."""
    was_there = get(connection, key, now) is not None
    connection.execute("DELETE FROM entries WHERE key = ?", (key,))
    return was_there


def generation(connection: Connection, scope: str) -> int:
    """Return the scope's generation."""
    return _number(connection, "SELECT sum(generation) FROM generations WHERE scope IN (?, '')", scope)


def invalidate(connection: Connection, scope: str) -> int:
    """Begin the scope's next generation."""
    connection.execute(
        "INSERT INTO generations VALUES (?, 1) ON CONFLICT (scope) DO UPDATE SET generation = generation + 1", (scope,)
    )
    return generation(connection, scope)


def count(connection: Connection, counts: Sequence[Count], now: float) -> None:
    """Add to the counters and to the days' figures what operations did that are not remembered."""
    connection.execute("DELETE FROM operations WHERE expires <= ?", (now,))
    for one in counts:
        remembered = (one.operation_id, now + ANALYTICS_TTL)
        if connection.execute("INSERT OR IGNORE INTO operations VALUES (?, ?)", remembered).rowcount:
            _add(connection, one)


def _add(connection: Connection, one: Count) -> None:
    day = one.at.astimezone(UTC).date().isoformat()
    for account_id in {one.account_id, ""}:
        connection.executemany(
            "INSERT INTO counters VALUES (?, ?, ?)"
            " ON CONFLICT (account_id, metric) DO UPDATE SET total = total + excluded.total",
            [(account_id, metric, amount) for metric, amount in one.figures.items()],
        )
        connection.executemany(
            "INSERT INTO daily VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account_id, day, metric) DO UPDATE SET total = total + excluded.total",
            [(account_id, day, metric, amount) for metric, amount in one.figures.items()],
        )


def counters(connection: Connection, account_id: str) -> Mapping[str, int]:
    """Return an account's counters by metric."""
    return dict(connection.execute("SELECT metric, total FROM counters WHERE account_id = ?", (account_id,)))


def days(connection: Connection, first: date, last: date, account_id: str) -> Mapping[date, Mapping[str, int]]:
    """Return an account's figures by day and metric."""
    rows = connection.execute(
        "SELECT day, metric, total FROM daily WHERE account_id = ? AND day BETWEEN ? AND ? ORDER BY day",
        (account_id, first.isoformat(), last.isoformat()),
    )
    found: dict[date, dict[str, int]] = {}
    for day, metric, total in rows:
        found.setdefault(date.fromisoformat(day), {})[metric] = total
    return found


def forget(connection: Connection, account_id: str) -> None:
    """Remove what is kept for an account."""
    for table in ("entries", "notifications", "counters", "daily"):
        connection.execute(f"DELETE FROM {table} WHERE account_id = ? AND account_id <> ''", (account_id,))


def notify(connection: Connection, notification: Notification) -> None:
    """Put a line into an inbox and let the oldest go beyond `INBOX`."""
    connection.execute(
        "INSERT OR IGNORE INTO notifications VALUES (?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?)",
        (
            notification.account_id,
            notification.at.astimezone(UTC).isoformat(timespec="microseconds"),
            notification.id,
            bindable(notification.title),
            bindable(notification.body),
            notification.task_id,
        ),
    )
    connection.execute(
        "DELETE FROM notifications WHERE account_id = ? AND (at, id) <= (SELECT at, id FROM notifications"
        " WHERE account_id = ? ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?)",
        (notification.account_id, notification.account_id, INBOX),
    )


def notifications(connection: Connection, account_id: str, limit: int) -> list[Notification]:
    """Return the latest lines, newest first."""
    rows = connection.execute(
        "SELECT id, at, title, body, task_id FROM notifications WHERE account_id = ? ORDER BY at DESC, id DESC LIMIT ?",
        (account_id, limit),
    )
    return [
        Notification(key, account_id, datetime.fromisoformat(at), title, body, task)
        for key, at, title, body, task in rows
    ]


def clear_notifications(connection: Connection, account_id: str) -> int:
    """Empty an inbox."""
    return connection.execute("DELETE FROM notifications WHERE account_id = ?", (account_id,)).rowcount


def take_rate(connection: Connection, name: str, limit: int, window: float, now: float) -> float:
    """Take a place in the window; see the port. Places from the future (the clock went back) count as taken now."""
    if limit <= 0:
        return window
    connection.execute(
        "UPDATE places SET at = ?, expires = ? WHERE name = ? AND at > ?", (now, now + window, name, now)
    )
    connection.execute("DELETE FROM places WHERE name = ? AND at <= ?", (name, now - window + _INSTANT))
    taken = [row[0] for row in connection.execute("SELECT at FROM places WHERE name = ? ORDER BY at", (name,))]
    if len(taken) >= limit:
        return float(taken[len(taken) - limit] + window - now)
    connection.execute("INSERT INTO places VALUES (?, ?, ?)", (name, now, now + window))
    return 0.0


def purge(connection: Connection, now: float) -> int:
    """Drop what is over its time, or from the future; return how many values went."""
    connection.execute("DELETE FROM operations WHERE expires <= ?", (now,))
    connection.execute("DELETE FROM places WHERE expires <= ?", (now,))
    oldest = datetime.fromtimestamp(now, UTC).date() - timedelta(days=ANALYTICS_DAYS)
    connection.execute("DELETE FROM daily WHERE day < ?", (oldest.isoformat(),))
    return connection.execute("DELETE FROM entries WHERE expires <= ? OR stored > ?", (now, now + CLOCK_SLACK)).rowcount


def _number(connection: Connection, sql: str, key: str) -> int:
    row = connection.execute(sql, (key,)).fetchone()
    return int(row[0]) if row else 0
