"""A summary of the older turns of a branch, kept as a message of the role `notice`.

It hangs below the last message that it holds, so that it counts for every branch through that one. The words are in the
`meta`: nobody has said them, and a search does not find them.
"""

import json
from datetime import UTC, datetime
from typing import NamedTuple

from multidb_chat.domain.conversations import Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.text import clean

_KEY = "summary"


class Summary(NamedTuple):
    """Older turns in a model's words: how many, up to which message, and the model that wrote it."""

    text: str
    turns: int
    until: str
    model: str


def as_message(summary: Summary, conversation_id: str, account_id: str) -> Message:
    """Return the summary as a new message of a conversation."""
    meta = {_KEY: summary.text, "turns": summary.turns, "model": summary.model}
    return Message(
        new_id(), conversation_id, account_id, "notice", "", datetime.now(UTC), parent_id=summary.until,
        meta=json.dumps(meta, ensure_ascii=True, separators=(",", ":")),
    )  # fmt: skip


def summary_in(message: Message) -> Summary | None:
    """Return the summary that a message holds; None for any other message."""
    if message.role != "notice" or message.parent_id is None:
        return None
    try:
        meta = json.loads(message.meta)
        return Summary(clean(str(meta[_KEY])), int(meta["turns"]), message.parent_id, clean(str(meta["model"])))
    except (KeyError, TypeError, ValueError):
        return None
