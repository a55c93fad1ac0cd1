"""What an analysis found, as plain records; `dataclasses.asdict` makes the JSON of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TermCount:
    """A term as it is written most often, how often it occurs in all its forms, and in how many documents."""

    term: str
    count: int
    documents: int


@dataclass(frozen=True, slots=True)
class SentenceCount:
    """A sentence that occurs more than once, and in how many documents."""

    sentence: str
    count: int
    documents: int


@dataclass(frozen=True, slots=True)
class Readability:
    """How hard texts are to read; see `readability` for the formulas and their sources. None where it does not apply.

    `flesch` and `grade` are for the sentences of English documents only.
    """

    sentences: int
    words: int
    words_per_sentence: float
    lix: float | None
    flesch: float | None = None
    grade: float | None = None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """A collection or a span of time: its documents, sentences, words, and the terms that stand out in it."""

    name: str
    documents: int
    sentences: int
    words: int
    terms: tuple[str, ...]
    focus: int = 0


@dataclass(frozen=True, slots=True)
class DocumentFigures:
    """A document: its sentences, words, most frequent terms and readability. `focus` counts what was asked about."""

    id: str
    name: str
    title: str
    collection: str
    period: str
    language: str
    sentences: int
    words: int
    terms: tuple[str, ...]
    readability: Readability
    focus: int = 0


@dataclass(frozen=True, slots=True)
class EntityCount:
    """A name, date or amount, how often it occurs, and in how many documents."""

    text: str
    count: int
    documents: int


@dataclass(frozen=True, slots=True)
class Entities:
    """What was recognised by how it is written."""

    names: tuple[EntityCount, ...] = ()
    dates: tuple[EntityCount, ...] = ()
    amounts: tuple[EntityCount, ...] = ()


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two documents, by id and name, and how alike they are: the estimated share of common word sequences (0 to 1)."""

    first_id: str
    first: str
    second_id: str
    second: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of passages that are near in meaning: the terms that set it apart, how large it is, where it occurs."""

    terms: tuple[str, ...]
    passages: int
    share: float
    documents: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Figures:
    """A whole analysis. `topics_of` is how many passages the topics were made from, when not all."""

    description: str
    focus: tuple[str, ...]
    collections: tuple[str, ...]
    documents: int
    passages: int
    characters: int
    sentences: int
    words: int
    distinct_terms: int
    approximate: bool
    terms: tuple[TermCount, ...]
    repeated: tuple[SentenceCount, ...]
    by_collection: tuple[GroupFigures, ...]
    by_period: tuple[GroupFigures, ...]
    by_document: tuple[DocumentFigures, ...]
    documents_left_out: int
    entities: Entities
    readability: Readability
    languages: dict[str, int] = field(default_factory=dict)
    near_duplicates: tuple[NearDuplicate, ...] = ()
    topics: tuple[Topic, ...] = ()
    topics_of: int = 0
    focus_sentences: tuple[tuple[str, str], ...] = ()
