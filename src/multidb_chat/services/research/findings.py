"""What a research found: for each question the sentences that support an answer, with citations numbered through."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Citation, Draft
from multidb_chat.services.answering.citing import citation, compose
from multidb_chat.services.answering.words import Words
from multidb_chat.services.research.facets import Facet

_NEAREST_CHARS = 240


@dataclass(frozen=True, slots=True)
class Finding:
    """A question with its answer in the documents' words; `nearest` is the passage that came closest to none."""

    facet: Facet
    sentences: tuple[AnswerSentence, ...] = ()
    nearest: Citation | None = None

    @property
    def markdown(self) -> str:
        """The answer with its `[n]` marks."""
        return compose(self.sentences)


@dataclass(slots=True)
class Findings:
    """All findings. A sentence is told once: what a later question would only repeat is left out there."""

    found: list[Finding] = field(default_factory=list)
    unsupported: list[Finding] = field(default_factory=list)
    repeated: list[Facet] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    _numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def add(self, facet: Facet, draft: Draft, matches: Sequence[Match]) -> None:
        """Take what was found for a question."""
        if not draft.found:
            nearest = citation(matches[0], 0, 0, _NEAREST_CHARS) if matches else None
            self.unsupported.append(Finding(facet, nearest=nearest))
            return
        by_number = {one.number: one for one in draft.citations}
        new = [one for one in draft.sentences if _said(one) not in self._told]
        if not any(one.citations for one in new):
            self.repeated.append(facet)
            return
        self._told.update(map(_said, new))
        sentences = [
            replace(one, citations=tuple(self._number(by_number[number]) for number in one.citations)) for one in new
        ]
        sentences[0] = replace(sentences[0], before="")
        self.found.append(Finding(facet, tuple(sentences)))

    def texts(self) -> list[str]:
        """Return the sentences that were found."""
        return [sentence.text for finding in self.found for sentence in finding.sentences]

    def _number(self, cited: Citation) -> int:
        """Return the number of a citation in the whole report."""
        key = cited.document_id, cited.start, cited.end
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.citations) + 1
            self.citations.append(replace(cited, number=number))
        return number


def fitting(draft: Draft, facet: Facet, words: Words) -> Draft:
    """Return what of a draft answers the question: the sentences of the kind it asks for."""
    if not draft.found or facet.fit is None:
        return draft
    kept = tuple(one for one in draft.sentences if facet.fits(one.text, words))
    return replace(draft, sentences=kept, found=any(one.citations for one in kept))


def _said(sentence: AnswerSentence) -> str:
    return " ".join(sentence.text.casefold().split())
