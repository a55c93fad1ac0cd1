"""What a turn carries through its steps, and the small decisions of those steps."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import InvalidInput, StoreError
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection
from multidb_chat.domain.search import Match
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.domain.turns import Answer, AnswerSentence, Citation, CuratedBy, Recalled, Rewording
from multidb_chat.services.answering import codec
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.knowledge.base import Found

if TYPE_CHECKING:
    from multidb_chat.services.follow_up import PastTurn
    from multidb_chat.services.modelled.paying import Payer

MAX_QUESTION = 32_000
"""Characters of the longest question."""
_NEAREST = 3
_NEAREST_CHARS = 1_200


class Scope(NamedTuple):
    """Where a turn may look: its collections as they are, with their latest changes, and generations of what is kept.

    These are the generation of the account's answers and that of the curated knowledge, None while the cache is away.
    """

    collections: Sequence[Collection]
    versions: Mapping[str, int]
    generations: tuple[int, int] | None


@dataclass(slots=True)
class Turn:
    """One question on its way: as asked, searched and stood alone, whose it is, where it may look, what steps took.

    `scope` is None while the library is `away`. `key` is what its answer is kept by, empty where that cannot be told.
    `conversation` is the one that it belongs to, as it was at `read_at` (monotonic seconds); `unread`: it cannot be
    read. `made`: its answer was made of passages, to be kept. `passing`: something failed, and it is not to be kept.
    `payer` is who pays for the models that help to find passages, None before they are sought.
    """

    account: Account
    asked: str
    collections: Sequence[Collection]
    conversation_id: str | None
    parent_id: str | None
    use_cache: bool
    extra: Sequence[Match]
    id: str = field(default_factory=new_id)
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    documents: tuple[str, ...] = ()
    wording: str = ""
    standalone: str = ""
    scope: Scope | None = None
    key: str = ""
    away: StoreError | None = None
    conversation: Conversation | None = None
    read_at: float = 0.0
    unread: bool = False
    made: bool = False
    passing: bool = False
    asked_models: int = 0
    payer: "Payer | None" = None
    facts: tuple[str, ...] = ()
    recalled: Recalled = field(default_factory=Recalled)
    rewording: Rewording | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the milliseconds of the block to a step."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.timings[step] = self.timings.get(step, 0.0) + (time.perf_counter() - begin) * 1000


def checked(question: str) -> str:
    """Return the question cleaned. Raises `InvalidInput` when it is empty, not text, or too long."""
    if len(question) > MAX_QUESTION:
        raise InvalidInput(
            f"The question has {len(question):,} characters; {MAX_QUESTION:,} are allowed. "
            "Give a longer text as a document instead (--file, or standard input)."
        )
    unreadable = sum(character in "\x00\ufffd" or "\ud800" <= character <= "\udfff" for character in question)
    if "\x00" in question or unreadable * 8 > len(question):
        raise InvalidInput("The question is not text. Give a file as a document instead (--file, or standard input).")
    asked = clean(question).strip()
    if not any(character.isalnum() for character in asked):
        raise InvalidInput("The question is empty: write what you want to know.")
    return asked


def branch_of(messages: Sequence[Message], parent_id: str | None) -> list[Message]:
    """Return the messages from the first one to `parent_id` (None: the latest), as far as `messages` reach back."""
    known = {message.id: message for message in messages}
    at = known.get(parent_id) if parent_id is not None else (messages[-1] if messages else None)
    branch: list[Message] = []
    while at is not None and len(branch) < len(messages):
        branch.append(at)
        at = known.get(at.parent_id) if at.parent_id is not None else None
    return branch[::-1]


def spoken(messages: Sequence[Message]) -> list[Message]:
    """Return what was asked and answered, without what the program keeps beside it."""
    return [message for message in messages if message.role != "notice"]


def past_turn(message: Message) -> "PastTurn | None":
    """Return what a follow-up may lean on of an answer; None for other messages."""
    from multidb_chat.services.follow_up import PastTurn

    answer = codec.answer_in(message) if message.role == "assistant" else None
    if answer is None:
        return None
    first = answer.sentences[0].text if answer.sentences else ""
    return PastTurn(answer.standalone, first, answer.citations[0].title if answer.citations else "")


def one_side(matches: Sequence[Match], handbook_id: str | None) -> tuple[list[Match], list[Match]]:
    """Return the matches of the user's documents, or the handbook's where its best one fits better; and the others."""
    handbook = [match for match in matches if match.document.collection_id == handbook_id]
    own = [match for match in matches if match.document.collection_id != handbook_id]
    best = max((match.score for match in own), default=-1.0)
    fits_better = max((match.score for match in handbook), default=-1.0) > best
    return (handbook, own) if fits_better else (own, handbook)


def closest(matches: Sequence[Match], others: Sequence[Match] = ()) -> tuple[Citation, ...]:
    """Return the passages that came nearest to a question that has no answer; `others` only fill up."""
    both = (sorted(some, key=lambda match: -match.score) for some in (matches, others))
    ranked = list(chain.from_iterable(both))[:_NEAREST]
    return tuple(citation(match, number, 0, _NEAREST_CHARS) for number, match in enumerate(ranked, 1))


def curated(turn: Turn, found: Found) -> Answer:
    """Return the answer that a knowledge entry gives."""
    entry, confidence = found.entry, round(found.confidence, 4)
    text = clean(entry.answer)
    by = CuratedBy(entry.id, clean_line(entry.question), clean_line(entry.category), entry.version, confidence)
    sentences = (AnswerSentence(text, before=""),)
    return Answer(turn.asked, turn.standalone, text, True, sentences, method="knowledge", curated=by)


def digest(match: Match) -> str:
    """Return what tells a passage of a text given with the question from others."""
    chunk = match.chunk
    text = f"{match.document.name}\x00{chunk.start}\x00{chunk.text}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rounded(timings: Mapping[str, float]) -> dict[str, float]:
    """Return the timings in ms to a hundredth."""
    return {step: round(value, 2) for step, value in timings.items()}
