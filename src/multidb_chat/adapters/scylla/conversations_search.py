"""Words in conversations: there is no index of them, so what an account has said is read, the latest first.

A word of a text is what `domain.words.words_of` yields, without accents; so the same is found as by SQLite's full text.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from typing import Any

from multidb_chat.adapters.scylla.conversations_lists import Lists
from multidb_chat.adapters.scylla.conversations_messages import Messages
from multidb_chat.domain.conversations import Conversation, FoundConversation
from multidb_chat.domain.words import spaced, words_of

_AT_ONCE = 8  # conversations


async def search(
    lists: Lists, messages: Messages, account_id: str, words: Sequence[str], limit: int, archived: bool
) -> list[FoundConversation]:
    """Return the account's conversations with all words, the latest id first, and a message of each."""
    found: list[FoundConversation] = []
    if not words or limit <= 0:
        return found
    folded = frozenset(_folded(word) for word in words)
    async for some in lists.listed(account_id, "archived" if archived else "open", at_once=_AT_ONCE):
        looked = await asyncio.gather(*(_look(messages, conversation, folded) for conversation in some))
        found += [one for one in looked if one is not None]
        if len(found) >= limit:
            break
    return found[:limit]


async def _look(messages: Messages, conversation: Conversation, words: frozenset[str]) -> FoundConversation | None:
    """Return the conversation if it has all words, with its latest message that has all of them, else one of them."""
    missing = words - _among(words, conversation.title)
    with_one = None
    query = "SELECT id, body FROM messages WHERE conversation_id = ? AND bucket = ?"
    async for rows in messages.columns(conversation.id, query):
        for message_id, there in await asyncio.to_thread(_read, words, rows):
            if there == words:
                return FoundConversation(conversation, await messages.message(conversation.id, message_id))
            if there:
                with_one = with_one or message_id
                missing -= there
    if missing:
        return None
    message = None if with_one is None else await messages.message(conversation.id, with_one)
    return FoundConversation(conversation, message)


def _read(words: frozenset[str], rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, frozenset[str]]]:
    return [(message_id, _among(words, body)) for message_id, body in rows]


def _among(words: frozenset[str], text: str) -> frozenset[str]:
    """Return which of the words some word of the text begins with."""
    said = list(words_of(_folded(spaced(text))))
    return frozenset(word for word in words if any(one.startswith(word) for one in said))


def _folded(text: str) -> str:
    """Return the text in lower case, without the accents of letters (combining diacritical marks)."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not "\u0300" <= char <= "\u036f"))
