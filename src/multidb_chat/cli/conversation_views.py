"""How conversations look in a list, one by one, and after something was done to them."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from multidb_chat.cli.citations import place_of
from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.listing import write_table
from multidb_chat.domain.conversations import Conversation, FoundConversation, Message
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Citation
from multidb_chat.services.answering import codec
from multidb_chat.services.excerpts import excerpt
from multidb_chat.services.wording import counted

NONE = 'There are no conversations here yet. Begin one: multidb-chat ask "..."'
# As much of an identifier as is its time, in milliseconds: one account begins no two conversations in one.
_SHORT = 13
_UNREAD = "●"


def show_list(
    console: Console, found: Sequence[Conversation], limit: int, as_json: bool, deleted: bool = False
) -> Exit:
    """Write the conversations talked in last, latest first."""
    latest = sorted(found, key=lambda one: (one.last_activity, one.id), reverse=True)[:limit]
    if as_json:
        console.write_json({"conversations": [record_of(one) for one in latest]})
        return Exit.DONE
    if not latest:
        console.tell("Nothing is deleted." if deleted else NONE)
        return Exit.DONE
    rows = [(one.id[:_SHORT], _UNREAD if one.unread else " ", _time(one.last_activity), one.title) for one in latest]
    write_table(console, rows, strong=3)
    total = counted(len(found), "conversation")
    console.tell(
        Styled(total if len(latest) == len(found) else f"{len(latest)} of {total}; --limit shows more", "faint")
    )
    return Exit.DONE


def show_found(console: Console, found: Sequence[FoundConversation], looked_for: str, as_json: bool) -> Exit:
    """Write the conversations in which words were found, each with the place."""
    latest = sorted(found, key=lambda one: (one.conversation.last_activity, one.conversation.id), reverse=True)
    if as_json:
        records = [
            record_of(one.conversation)
            | {"message_id": one.message.id if one.message else None}
            | {"excerpt": excerpt(one.message.body, looked_for, 200) if one.message else None}
            for one in latest
        ]
        console.write_json({"conversations": records})
        return Exit.DONE if found else Exit.NOTHING
    if not found:
        console.tell("No conversation has all of these words.")
        return Exit.NOTHING
    room = max(40, min(shutil.get_terminal_size().columns, 120)) - 4
    for one in latest:
        talk = one.conversation
        mark = _UNREAD if talk.unread else " "
        console.write(f"{talk.id[:_SHORT]}  {mark}  {_time(talk.last_activity)}  ", Styled(talk.title, "strong"))
        if one.message is not None:
            console.write("    ", Styled(excerpt(one.message.body, looked_for, room), "faint"))
    console.tell(Styled(counted(len(found), "conversation"), "faint"))
    return Exit.DONE


def show_talk(console: Console, conversation: Conversation, messages: Sequence[Message], as_json: bool) -> Exit:
    """Write what was said on the branch that is shown."""
    if as_json:
        console.write_json(record_of(conversation) | {"messages": [_message_record(one) for one in messages]})
        return Exit.DONE
    console.write(Styled(conversation.title, "strong"))
    console.write(Styled(f"{conversation.id} · {_time(conversation.last_activity)}", "faint"))
    for message in messages:
        console.write()
        if message.role == "user":
            console.write(Styled("> ", "number"), Styled(message.body, "strong"))
            continue
        console.write(message.body)
        answer = codec.answer_in(message)
        for citation in answer.citations if answer is not None else ():
            console.write(*_source(citation))
    if not messages:
        console.tell("Nothing was said here yet.")
    return Exit.DONE


def told(console: Console, done: str, changed: Sequence[Conversation], as_json: bool) -> Exit:
    """Write what was done to conversations."""
    if as_json:
        console.write_json({"conversations": [record_of(one) for one in changed]})
        return Exit.DONE
    for one in changed:
        console.write(f"{done} ", Styled(one.title, "strong"), Styled(f"  {one.id}", "faint"))
    return Exit.DONE


def record_of(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as JSON values; times are ISO 8601 in UTC."""
    deleted_at = conversation.deleted_at
    return {
        "id": conversation.id,
        "title": conversation.title,
        "last_activity": conversation.last_activity.isoformat(),
        "archived": conversation.archived,
        "unread": conversation.unread,
        "forked_from": conversation.forked_from,
        "deleted_at": deleted_at.isoformat() if deleted_at else None,
    }


def _message_record(message: Message) -> dict[str, Any]:
    answer = codec.answer_in(message)
    return {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": message.role,
        "created_at": message.created_at.isoformat(),
        "body": message.body,
        "answer": codec.to_dict(answer) if answer is not None else None,
    }


def _source(citation: Citation) -> list[str | Styled]:
    title = clean_line(citation.title) or clean_line(citation.document_name)
    place = place_of(citation.title, citation.page, citation.headings)
    return ["  ", Styled(f"[{citation.number}]", "number"), Styled(f" {title}{', ' if place else ''}{place}", "faint")]


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
