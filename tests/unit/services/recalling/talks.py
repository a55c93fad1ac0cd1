"""Branches of conversations for tests."""

from datetime import UTC, datetime

from multidb_chat.domain.conversations import Message
from multidb_chat.services.recalling.summary import Summary, as_message

AT = datetime(2026, 1, 31, tzinfo=UTC)


def said(number: int, words: int = 10, *, talk: str = "talk") -> list[Message]:
    """Return a turn: a question and an answer of so many words with a mark."""
    parent = f"{number - 1:04}b" if number else None
    asked = Message(f"{number:04}a", talk, "ann", "user", f"Question {number}?", AT, parent_id=parent)
    body = f"Answer {number} " + "word " * words + "[1]"
    return [asked, Message(f"{number:04}b", talk, "ann", "assistant", body, AT, parent_id=asked.id)]


def branch(turns: int, words: int = 10) -> list[Message]:
    """Return so many turns, one after the other."""
    return [message for number in range(turns) for message in said(number, words)]


def summary(text: str, until: int, turns: int = 2) -> Message:
    """Return a summary up to a turn."""
    return as_message(Summary(text, turns, f"{until:04}b", "scripted:one"), "talk", "ann")
