"""All documents of an analysis together, in memory that is bounded by numbers of terms, not by the size of the library.

Of each document stay a record of figures (of `DETAILED` documents, the largest) and a signature of 1 KB.
"""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multidb_chat.services.analysis.counting import Counted, Scribe
from multidb_chat.services.analysis.figures import (
    DocumentFigures,
    Figures,
    GroupFigures,
    NearDuplicate,
    SentenceCount,
    TermCount,
)
from multidb_chat.services.analysis.frequencies import Frequencies
from multidb_chat.services.analysis.readability import Reading, readability
from multidb_chat.services.analysis.topics import topics_of

if TYPE_CHECKING:
    from multidb_chat.services.analysis.duplicates import Signature

_TERMS = 100_000
_SENTENCES = 200_000
_OF_GROUP = 5_000
DETAILED = 200
TOP_TERMS = 40
TOP_SENTENCES = 15
_OF_DOCUMENT = 6
_STANDING_OUT = 8
_DUPLICATES = 50


@dataclass(slots=True)
class _Group:
    """A collection or a month."""

    documents: int = 0
    sentences: int = 0
    words: int = 0
    focus: int = 0
    terms: Frequencies = field(default_factory=lambda: Frequencies(_OF_GROUP))

    def add(self, counted: Counted) -> None:
        self.documents += 1
        self.sentences += counted.reading.sentences
        self.words += counted.words
        self.focus += counted.focus
        self.terms.add(counted.terms)
        self.terms.met(counted.terms)


class Tally:
    """Takes counted documents; `figures` tells what came of them all."""

    def __init__(self, scribe: Scribe, collections: dict[str, str]) -> None:
        """`collections` names them by id."""
        self._scribe = scribe
        self._collections = collections
        self._terms = Frequencies(_TERMS)
        self._sentences = Frequencies(_SENTENCES)
        self._by_collection: dict[str, _Group] = defaultdict(_Group)
        self._by_month: dict[str, _Group] = defaultdict(_Group)
        self._languages: Counter[str] = Counter()
        self._all, self._english = Reading(), Reading()
        self._largest: list[tuple[int, str, DocumentFigures]] = []
        self._signatures: list[tuple[str, str, Signature]] = []
        self._focus_sentences: list[tuple[int, str, str]] = []
        self.documents = self.passages = self.characters = self.words = 0

    def add(self, counted: Counted) -> None:
        """Take a document that was counted to its end."""
        document = counted.document
        self.documents += 1
        self.passages += document.chunks
        self.characters += document.characters
        self.words += counted.words
        self._terms.add(counted.terms)
        self._terms.met(counted.terms)
        self._sentences.add(counted.sentences)
        self._sentences.met(counted.sentences)
        self._scribe.entities.met()
        self._by_collection[self._collections[document.collection_id]].add(counted)
        self._by_month[counted.period].add(counted)
        self._languages[document.language or "unknown"] += 1
        self._all.join(counted.reading)
        if counted.english:
            self._english.join(counted.reading)
        if counted.signature is not None:
            self._signatures.append((document.id, document.name, counted.signature))
        self._keep(counted)

    def _keep(self, counted: Counted) -> None:
        """Keep the figures of the document, or of the largest when there are too many."""
        document = counted.document
        english = counted.reading if counted.english else Reading()
        record = DocumentFigures(
            document.id,
            document.name,
            document.title,
            self._collections[document.collection_id],
            counted.period,
            document.language,
            counted.reading.sentences,
            counted.words,
            tuple(self._scribe.written(key) for key, _ in counted.terms.most_common(_OF_DOCUMENT)),
            readability(counted.reading, english),
            counted.focus,
        )
        rank = 1_000_000 * counted.focus + counted.words
        push = heapq.heappush if len(self._largest) < DETAILED else heapq.heappushpop
        push(self._largest, (rank, document.id, record))
        self._focus_sentences += [(counted.focus, document.name, line) for line in counted.focus_sentences]
        self._focus_sentences = sorted(self._focus_sentences, key=lambda row: -row[0])[:TOP_SENTENCES]

    def figures(self, description: str, focus: dict[str, str]) -> Figures:
        """Return the whole analysis. CPU-bound."""
        scribe = self._scribe
        surface = {key: scribe.written(key) for key in scribe.surface}
        sampled = scribe.sample.passages()
        return Figures(
            description=description,
            focus=tuple(focus.values()),
            collections=tuple(sorted(self._by_collection)),
            documents=self.documents,
            passages=self.passages,
            characters=self.characters,
            sentences=self._all.sentences,
            words=self.words,
            distinct_terms=len(self._terms.counts),
            approximate=not (self._terms.exact and self._sentences.exact),
            terms=tuple(
                TermCount(surface.get(key, key), count, documents)
                for key, count, documents in self._terms.top(TOP_TERMS)
            ),
            repeated=tuple(SentenceCount(*row) for row in self._sentences.top(TOP_SENTENCES, least=2)),
            by_collection=self._groups(self._by_collection, surface),
            by_period=self._groups(self._periods(), surface),
            by_document=tuple(record for _, _, record in sorted(self._largest, key=lambda row: (-row[0], row[1]))),
            documents_left_out=self.documents - len(self._largest),
            entities=scribe.entities.entities(),
            readability=readability(self._all, self._english),
            languages=dict(self._languages.most_common()),
            near_duplicates=self._duplicates(),
            topics=tuple(topics_of(sampled, surface)),
            topics_of=len(sampled),
            focus_sentences=tuple((name, line) for _, name, line in self._focus_sentences),
        )

    def _groups(self, groups: dict[str, _Group], surface: dict[str, str]) -> tuple[GroupFigures, ...]:
        return tuple(
            GroupFigures(
                name, group.documents, group.sentences, group.words, self._standing_out(group, surface), group.focus
            )
            for name, group in sorted(groups.items())
        )

    def _standing_out(self, group: _Group, surface: dict[str, str]) -> tuple[str, ...]:
        """Return the terms that are much more frequent in the group than everywhere: by the share times the lift."""
        here, everywhere = sum(group.terms.counts.values()), sum(self._terms.counts.values())

        def weight(key: str) -> float:
            share = group.terms.counts[key] / max(1, here)
            usual = self._terms.counts.get(key, 0) / max(1, everywhere)
            return share * (share / usual if usual else 1.0)

        common = [key for key, _, _ in group.terms.top(500)]
        best = sorted(common, key=lambda key: (-weight(key), key))[:_STANDING_OUT]
        return tuple(surface.get(key, key) for key in best)

    def _periods(self) -> dict[str, _Group]:
        """Return the groups by month, or by year where there would be more than two years of months."""
        if len(self._by_month) <= 24:
            return self._by_month
        years: dict[str, _Group] = defaultdict(_Group)
        for month, group in self._by_month.items():
            year = years[month[:4]]
            year.documents += group.documents
            year.sentences += group.sentences
            year.words += group.words
            year.focus += group.focus
            year.terms.counts.update(group.terms.counts)
            year.terms.met(())
        return years

    def _duplicates(self) -> tuple[NearDuplicate, ...]:
        from multidb_chat.services.analysis.duplicates import near_duplicates

        pairs = near_duplicates([signature for _, _, signature in self._signatures])[:_DUPLICATES]
        made = []
        for one, other, similarity in pairs:
            (first_id, first, _), (second_id, second, _) = self._signatures[one], self._signatures[other]
            made.append(NearDuplicate(first_id, first, second_id, second, round(similarity, 2)))
        return tuple(made)
