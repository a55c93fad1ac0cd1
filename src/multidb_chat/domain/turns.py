"""A turn: one question and its answer as a stream of events that every face renders; and the port that answers."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from multidb_chat.domain.search import Match, Quality

AnswerMethod = Literal["extractive", "model", "knowledge"]


@dataclass(frozen=True, slots=True)
class Citation:
    """`[number]` in an answer: where a sentence comes from, and the scores of the passage it was found in.

    `start` and `end` are characters of the document's text and `snippet` is exactly what lies between them.
    `page` is 1-based, None where the format has no pages.
    """

    number: int
    document_id: str
    document_name: str
    title: str
    source: str
    collection_id: str
    start: int
    end: int
    snippet: str
    page: int | None
    headings: tuple[str, ...]
    score: float
    quality: Quality
    lexical: float | None = None
    vector: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence (or list item) of an answer with the numbers of its citations; `before` is what separates it.

    `supported` is False for what a model wrote and no passage says: it cites nothing, and is marked.
    """

    text: str
    citations: tuple[int, ...] = ()
    before: str = " "
    supported: bool = True


@dataclass(frozen=True, slots=True)
class CuratedBy:
    """The knowledge entry that gave an answer; `confidence` (0 to 1) is how sure it is that the same was asked."""

    entry_id: str
    question: str
    category: str
    version: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The language model that wrote an answer, and what that took: tokens by the provider's count, US dollars.

    None where the provider tells none; then `estimated` is about how many it must have been. `dropped` counts sentences
    that were left out, since no passage supports them.
    """

    name: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    dropped: int = 0
    estimated: int = 0

    @property
    def tokens(self) -> int:
        """All tokens, read and written."""
        return (self.tokens_in or 0) + (self.tokens_out or 0) or self.estimated


@dataclass(frozen=True, slots=True)
class Rewording:
    """A follow-up that a language model was asked to put so that it stands alone; `taken` where its words were used."""

    taken: bool
    use: ModelUse


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `found` is False when nothing supported one; then `nearest` shows what came closest.

    `text` is Markdown with `[n]` marks. `question` is as asked, `standalone` as it was searched (follow-ups resolved).
    `timings` are milliseconds by step. `cached` tells that it was not computed for this turn. `curated` belongs to the
    method "knowledge" alone, `model` to what a language model wrote or tried to, `rewording` to a follow-up it put.
    """

    question: str
    standalone: str
    text: str
    found: bool
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()
    method: AnswerMethod = "extractive"
    cached: bool = False
    timings: Mapping[str, float] = field(default_factory=dict)
    conversation_id: str | None = None
    message_id: str | None = None
    curated: CuratedBy | None = None
    model: ModelUse | None = None
    rewording: Rewording | None = None

    @property
    def fell_back(self) -> bool:
        """Whether it is quoted, since a language model that was asked said nothing that could be used."""
        return self.found and self.method == "extractive" and self.model is not None


class TurnStarted(NamedTuple):
    """The question was accepted."""

    turn_id: str
    conversation_id: str | None
    question: str


class SourcesFound(NamedTuple):
    """Passages were found (not sent for a cached answer); best first."""

    matches: tuple[Match, ...]


class AnswerToken(NamedTuple):
    """A piece of the answer's Markdown text; the pieces joined are `Answer.text`."""

    text: str


class Notice(NamedTuple):
    """Something the user should know while the turn goes on (a store is away, a fall-back was used)."""

    text: str


class TurnCompleted(NamedTuple):
    """The turn ended; question and answer are stored where there is a conversation."""

    answer: Answer


class TurnFailed(NamedTuple):
    """The turn ended without an answer; `error` is the domain error behind it."""

    error: Exception


TurnEvent = TurnStarted | SourcesFound | AnswerToken | Notice | TurnCompleted | TurnFailed


class Spoken(NamedTuple):
    """A question of a conversation and what was said to it, without marks of citations."""

    asked: str
    said: str


class Recalled(NamedTuple):
    """What a language model gets of a conversation: older turns summed up, the latest ones in their words, in order."""

    summary: str = ""
    turns: tuple[Spoken, ...] = ()


class Question(NamedTuple):
    """What an answerer gets: the words as asked, and as a stand-alone question.

    `facts` are what the account wants remembered, `recalled` the conversation that it may lean on: no evidence, both.
    """

    asked: str
    standalone: str
    facts: tuple[str, ...] = ()
    recalled: Recalled = Recalled()


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answerer makes: sentences with citations, `found` False when the matches support no answer.

    `passing` tells that something failed which made another answer otherwise: it is not kept for the next time.
    """

    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    found: bool
    method: AnswerMethod = "extractive"
    model: ModelUse | None = None
    passing: bool = False


class ModelAsked(NamedTuple):
    """A language model is asked from here on; `use` returns what that took so far, also when its answer was left."""

    use: Callable[[], ModelUse]


class Answerer(Protocol):
    """Makes an answer from passages: the extractive one here, language models elsewhere."""

    @property
    def name(self) -> str:
        """Part of the cache key: changes whenever answers would."""

    def answer(
        self, question: Question, matches: Sequence[Match]
    ) -> AsyncIterator[AnswerSentence | Notice | ModelAsked | Draft]:
        """Yield the sentences as they come, what the user should know beside them, and at last the complete draft.

        Where a language model is asked, that comes first.
        """
