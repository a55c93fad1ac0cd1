"""A conversation as a file: Markdown to read, JSON to keep; citations included."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.domain.turns import Citation
from multidb_chat.services.answering import codec
from multidb_chat.services.exporting import Export
from multidb_chat.services.recalling.summary import summary_in
from multidb_chat.services.wording import counted

TalkForm = Literal["md", "json"]
FORMAT = 1
"""The version of the JSON form."""
_NAME_LENGTH = 60
_NOT_IN_NAMES = re.compile(r"[^\w.]+")
# Names that Windows keeps for devices, whatever their suffix (Microsoft, Naming Files, Paths, and Namespaces).
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$", re.IGNORECASE)


def exported_talk(conversation: Conversation, messages: Sequence[Message], form: TalkForm) -> Export:
    """Return the conversation in one of the forms, with a name that is fit for a file on any system."""
    text = _json(conversation, messages) if form == "json" else _markdown(conversation, messages)
    return Export(f"{file_stem(conversation)}.{form}", text.encode("utf-8", "replace"))


def file_stem(conversation: Conversation) -> str:
    """Return the title as a file's name without its suffix: letters, digits, dots between them, and dashes."""
    stem = _NOT_IN_NAMES.sub("-", clean_line(conversation.title).lower())[:_NAME_LENGTH].strip("-.")
    return f"conversation-{stem}".strip("-") if not stem or _DEVICES.match(stem) else stem


def _json(conversation: Conversation, messages: Sequence[Message]) -> str:
    record = {
        "format": FORMAT,
        "id": conversation.id,
        "title": conversation.title,
        "last_activity": conversation.last_activity.isoformat(),
        "archived": conversation.archived,
        "forked_from": conversation.forked_from,
        "head": conversation.head,
        "messages": [message_record(message) for message in messages],
    }
    return json.dumps(record, ensure_ascii=True, indent=2) + "\n"


def message_record(message: Message) -> dict[str, Any]:
    """Return a message as JSON values, an answer with its sources."""
    answer = codec.answer_in(message)
    record = {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": message.role,
        "created_at": message.created_at.isoformat(),
        "body": message.body,
        "answer": codec.to_dict(answer) if answer is not None else None,
    }
    summary = summary_in(message)
    return record if summary is None else record | {"summary": summary._asdict()}


def _markdown(conversation: Conversation, messages: Sequence[Message]) -> str:
    parts = [f"# {clean_line(conversation.title)}"]
    parts += map(_part, messages)
    return "\n\n".join(parts) + "\n"


def markdown_of(message: Message) -> str:
    """Return a message as Markdown, to be put behind the others."""
    return _part(message) + "\n\n"


def _part(message: Message) -> str:
    return "\n\n".join(_asked(message) if message.role == "user" else _said(message))


def _asked(message: Message) -> Iterator[str]:
    """Yield the question as a quotation, so that nothing in it is taken for a heading."""
    lines = clean(message.body).strip().split("\n")
    yield f"---\n\n*{message.created_at:%Y-%m-%d %H:%M} UTC*"
    yield "\n".join(f"> **{line.strip()}**" if line.strip() else ">" for line in lines)


def _said(message: Message) -> Iterator[str]:
    summary = summary_in(message)
    if summary is not None:
        yield f"*Summed up for the language model ({counted(summary.turns, 'turn')}):* {clean_line(summary.text)}"
        return
    yield clean(message.body).strip()
    answer = codec.answer_in(message)
    if answer is not None and answer.citations:
        yield "Sources:"
        yield "\n".join(_source(citation) for citation in answer.citations)


def _source(citation: Citation) -> str:
    page = f", p. {citation.page}" if citation.page is not None else ""
    title = clean_line(citation.title) or clean_line(citation.document_name)
    return f"- [{citation.number}] {title}{page} ({clean_line(citation.source)}): “{clean_line(citation.snippet)}”"
