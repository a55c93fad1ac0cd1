"""An answer as plain data and back: what the cache holds, `--json` prints, and a stored message remembers."""

import json
import re
from dataclasses import fields, replace
from typing import Any

from multidb_chat.domain.conversations import Message
from multidb_chat.domain.turns import Answer, AnswerSentence, Citation, CuratedBy, ModelUse, Rewording

FORMAT = 1
"""The version of this form. Data of another version is not read: for the cache that is a miss."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer as dictionaries, lists, strings and numbers, with the `format` first."""
    return {
        "format": FORMAT,
        **_plain(answer),
        "sentences": list(map(_plain, answer.sentences)),
        "citations": list(map(_plain, answer.citations)),
        "nearest": list(map(_plain, answer.nearest)),
        "timings": dict(answer.timings),
        "curated": answer.curated and _plain(answer.curated),
        "model": answer.model and _plain(answer.model),
        "rewording": answer.rewording and {**_plain(answer.rewording), "use": _plain(answer.rewording.use)},
    }


def _plain(record: Answer | AnswerSentence | Citation | CuratedBy | ModelUse | Rewording) -> dict[str, Any]:
    """Return the fields of a record as they are: `dataclasses.asdict` copies them all, in seven times the time."""
    return {name: getattr(record, name) for name in record.__slots__}


def from_dict(data: dict[str, Any]) -> Answer:
    """Return the answer that `to_dict` was given. Raises `ValueError` when the data is of another form or version."""
    try:
        if data["format"] != FORMAT:
            raise ValueError(f"an answer of format {data['format']}, expected {FORMAT}")
        known = {name: data[name] for name in _ANSWER if name in data or name not in _ADDED}
        sentences = (AnswerSentence(**{**item, "citations": tuple(item["citations"])}) for item in data["sentences"])
        known["sentences"] = tuple(sentences)
        known["citations"] = tuple(citation_from(item) for item in data["citations"])
        known["nearest"] = tuple(citation_from(item) for item in data["nearest"])
        if known.get("curated"):
            known["curated"] = CuratedBy(**known["curated"])
        if known.get("model"):
            known["model"] = ModelUse(**known["model"])
        if known.get("rewording"):
            known["rewording"] = Rewording(**{**known["rewording"], "use": ModelUse(**known["rewording"]["use"])})
        return Answer(**known)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an answer: {error}") from error


_ANSWER = tuple(field.name for field in fields(Answer))
# What answers that were stored before do not have; all else is required.
_ADDED = frozenset({"curated", "model", "rewording"})


def citation_from(item: dict[str, Any]) -> Citation:
    """Return the citation whose fields are given. Raises `KeyError` or `TypeError` for anything else."""
    return Citation(**{**item, "headings": tuple(item["headings"])})


def dumps(answer: Answer) -> str:
    """Return the answer as compact JSON on one line; lone surrogates (from file names) are escapes in it."""
    text = json.dumps(to_dict(answer), ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def loads(text: str | bytes) -> Answer:
    """Return the answer that `dumps` was given. Raises `ValueError` for anything else."""
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("not an answer: no JSON object")
    return from_dict(data)


def answer_in(message: Message) -> Answer | None:
    """Return the answer that a stored message holds, as of the conversation it lies in; None when it holds none.

    A copy in a forked conversation remembers the identifiers of the first one: the message's own count.
    """
    try:
        answer = loads(message.meta)
    except ValueError:
        return None
    return replace(answer, conversation_id=message.conversation_id, message_id=message.id)
