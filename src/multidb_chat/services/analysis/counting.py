"""One document counted: its sentences, words and terms, passage by passage."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multidb_chat.domain.library import Chunk, Document
from multidb_chat.domain.text import clean_line
from multidb_chat.services.analysis.entities import EntityTally
from multidb_chat.services.analysis.readability import Reading
from multidb_chat.services.analysis.topics import Sample, Sampled
from multidb_chat.services.answering.sentences import split
from multidb_chat.services.answering.words import Token, Words, is_function_word

if TYPE_CHECKING:
    from multidb_chat.services.analysis.duplicates import Signature, Signer

PROSE = ("sentence", "item")
SHORTEST = 4  # words from which a sentence that is repeated is worth telling
_FOCUS_SENTENCES = 3
_SURFACE = 200_000


@dataclass(slots=True)
class Counted:
    """What was counted of one document so far. `terms` and `sentences` are of all its passages."""

    document: Document
    reading: Reading = field(default_factory=Reading)
    words: int = 0
    terms: Counter[str] = field(default_factory=Counter)
    sentences: Counter[str] = field(default_factory=Counter)
    focus: int = 0
    focus_sentences: list[str] = field(default_factory=list)
    signature: "Signature | None" = None

    @property
    def english(self) -> bool:
        """Whether the formulas for English apply."""
        return self.document.language == "en"

    @property
    def period(self) -> str:
        """The year and month the document is of: its own date, else when it was added."""
        return (self.document.authored_at or self.document.added_at).strftime("%Y-%m")


@dataclass(slots=True)
class Scribe:
    """Counts documents, and what belongs to all of them: how terms are written, entities, a sample of passages."""

    focus: frozenset[str]
    signer: "Signer"
    words: Words = field(default_factory=Words)
    surface: dict[str, Counter[str]] = field(default_factory=dict)
    entities: EntityTally = field(default_factory=EntityTally)
    sample: Sample = field(default_factory=Sample)

    def begin(self, document: Document) -> Counted:
        """Begin a document."""
        return Counted(document, signature=self.signer.empty())

    def passages(self, counted: Counted, chunks: Sequence[Chunk]) -> None:
        """Count some of the document's passages, in order."""
        for chunk in chunks:
            self._passage(counted, chunk)

    def _passage(self, counted: Counted, chunk: Chunk) -> None:
        terms: Counter[str] = Counter()
        example = ""
        spoken: list[str] = []
        for unit in split(chunk.text, chunk.kind, chunk.headings):
            text = chunk.text[unit.start : unit.end]
            tokens = self.words.tokens(text)
            counted.words += len(tokens)
            spoken += [token.key for token in tokens]
            found = Counter(self._terms(text, tokens))
            terms.update(found)
            if unit.kind in PROSE:
                line = clean_line(text)
                example = example or line
                self._sentence(counted, line, tokens, found)
        counted.terms.update(terms)
        assert counted.signature is not None
        self.signer.add(counted.signature, spoken)
        rank = _rank(chunk)
        if chunk.vector and example and self.sample.wants(rank):
            self.sample.add(rank, Sampled(counted.document.name, chunk.vector, terms, example))

    def _sentence(self, counted: Counted, line: str, tokens: Sequence[Token], found: Counter[str]) -> None:
        counted.reading.add(line, counted.english)
        self.entities.of(line, counted.document.language)
        if len(tokens) >= SHORTEST:
            counted.sentences[line] += 1
        met = self.focus & found.keys()
        if met:
            counted.focus += sum(found[key] for key in met)
            if len(counted.focus_sentences) < _FOCUS_SENTENCES and len(met) * 2 >= len(self.focus):
                counted.focus_sentences.append(line)

    def _terms(self, text: str, tokens: Sequence[Token]) -> list[str]:
        """Return the keys of the words that say something, and remember how they are written."""
        keys = []
        for key, written in terms_in(text, tokens):
            keys.append(key)
            forms = self.surface.get(key)
            if forms is None and len(self.surface) < _SURFACE:
                forms = self.surface[key] = Counter()
            if forms is not None:
                forms[written] += 1
        return keys

    def written(self, key: str) -> str:
        """Return how a term is written most often; with a capital only if it never goes without one."""
        forms = self.surface.get(key)
        if not forms:
            return key
        small = [form for form in forms if form.islower()]
        return min(small or forms, key=lambda form: (-forms[form], form))


def terms_in(text: str, tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Return the words of a text that say something, each by its key and as it is written."""
    return [
        (token.key, written)
        for token in tokens
        if len(written := text[token.start : token.end]) > 1 and not (token.number or is_function_word(written))
    ]


def _rank(chunk: Chunk) -> int:
    """Return a number that is evenly spread over passages and the same in every run."""
    key = f"{chunk.document_id}:{chunk.ordinal}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
