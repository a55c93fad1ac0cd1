"""E-mail: the text of a message with its header as metadata, and its attachments as documents of their own."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.decoding import decode, normal
from multidb_chat.adapters.readers.drafting import Draft, covering, finished
from multidb_chat.adapters.readers.formats.html import parsed
from multidb_chat.adapters.readers.formats.html_blocks import add_blocks
from multidb_chat.adapters.readers.formats.text import text_blocks
from multidb_chat.adapters.readers.parsing import members
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument, Unreadable

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST = 3


def read(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the message, then each attachment of a known format, named `message/attachment`."""
    yield from read_message(source, source.data)


def read_message(source: Source, data: bytes) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the documents of the message that `data` is."""
    if source.depth > _DEEPEST:
        raise Refusal("messages in messages in messages are not opened")
    message: Any = email.message_from_bytes(data, policy=email.policy.default)
    attachments = [(_file_name(part), part) for part in _attachments(message)]
    yield _document(source, message, [name for name, _ in attachments])
    for name, part in attachments:
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content:
            source.budget.spend(len(content))
            inner = Source.of(f"{source.name}/{name}", content, source, part.get_content_type())
            yield from members(inner)


def _document(source: Source, message: EmailMessage, attachments: list[str]) -> ParsedDocument:
    header = {name.lower(): _field(message, name) for name in _SHOWN}
    draft = Draft()
    draft.add("\n".join(f"{name}: {header[name.lower()]}" for name in _SHOWN if header[name.lower()]))
    _add_body(draft, message)
    draft.add("Attachments: " + ", ".join(attachments) if attachments else "")
    return finished(
        source,
        "email",
        draft.text,
        draft.blocks,
        title=header.pop("subject"),
        authored_at=moment(header.pop("date")),
        metadata={**header, "attachments": ", ".join(attachments)},
    )


def _field(message: EmailMessage, name: str) -> str:
    try:
        return normal(" ".join(str(message.get(name, "")).split()))
    # What the standard library's parser of malformed header fields raises (AttributeError, IndexError ...).
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, LookupError):
        return ""


def _add_body(draft: Draft, message: EmailMessage) -> None:
    body = message.get_body(("plain", "html"))
    if body is None:
        return
    content = body.get_payload(decode=True)
    if not isinstance(content, bytes):
        return
    text = decode(content, str(body.get_content_charset() or ""))
    if not text or not text.strip():
        return
    text = normal(text)
    if body.get_content_type() == "text/html":
        add_blocks(draft, parsed(text))
    else:
        draft.include(text, covering(text, text_blocks(text)))


def _attachments(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.iter_attachments() if not part.is_multipart()] if message.is_multipart() else []


def _file_name(part: EmailMessage) -> str:
    name = normal(part.get_filename() or "").replace("/", "_").strip()
    return name or f"attachment.{part.get_content_subtype()}"
