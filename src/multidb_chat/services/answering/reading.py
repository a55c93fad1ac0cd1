"""What of passages is read with the question in mind: the most promising sentences, each with what is around it."""

import re
from collections.abc import Sequence

from multidb_chat.domain.search import Excerpt
from multidb_chat.services.answering.evidence import Candidate
from multidb_chat.services.answering.passages import Passage

MOST = 16  # sentences that are read for certain; others are where they stand beside these
_SAYS = re.compile(
    r"^what\s+(?:do|does|did)\s+(.+?)\s+(?:say|tell(?:\s+(?:me|us))?|mention|state)\s+(?:about|on|of|regarding)\s+(.+?)[\s?.!]*$",
    re.IGNORECASE | re.DOTALL,
)
_CHARS = 480  # of an excerpt: some 120 word pieces, as long as those that the reader was taught with


def as_read(question: str) -> str:
    """Return the question as the reader is asked: what a text says about something is what is written of that in it.

    Asked what "the report" says, the reader looks for sentences that speak of the report.
    """
    return _SAYS.sub(r"What about \2 in \1?", question)


class Reading:
    """Excerpts around the first `MOST` of some candidates, and which unit of which passage each span of them is."""

    def __init__(self, found: Sequence[Candidate]) -> None:
        self.excerpts: list[Excerpt] = []
        self._units: list[list[tuple[int, int]]] = []
        read: set[tuple[int, int]] = set()
        for candidate in found[:MOST]:
            if (id(candidate.passage), candidate.at) not in read:
                first, last = _around(candidate)
                self.excerpts.append(_excerpt(candidate.passage, first, last))
                self._units.append([(id(candidate.passage), at) for at in range(first, last + 1)])
                read.update(self._units[-1])

    def settle(self, found: Sequence[Candidate], odds: Sequence[Sequence[float]]) -> None:
        """Set the `odds` of candidates to those that were read, the highest where one was read more than once."""
        best: dict[tuple[int, int], float] = {}
        for units, values in zip(self._units, odds, strict=True):
            for unit, value in zip(units, values, strict=True):
                best[unit] = max(value, best.get(unit, value))
        for candidate in found:
            candidate.odds = best.get((id(candidate.passage), candidate.at))


def _around(candidate: Candidate) -> tuple[int, int]:
    """Return the first and last unit of what is read around a candidate, itself at least."""
    units = candidate.passage.units
    first = last = candidate.at
    size = len(candidate.text)
    grows = True
    while grows:
        grows = False
        for at in (first - 1, last + 1):
            if 0 <= at < len(units) and size + units[at].end - units[at].start <= _CHARS:
                size += units[at].end - units[at].start
                first, last, grows = min(first, at), max(last, at), True
    return first, last


def _excerpt(passage: Passage, first: int, last: int) -> Excerpt:
    units, chunk = passage.units, passage.match.chunk
    begin = units[first].start
    text = chunk.text[begin : units[last].end]
    title, heading = passage.match.document.title, chunk.headings[-1] if chunk.headings else ""
    above = f"{title} {heading}" if heading and heading != title and heading not in text else title
    spans = tuple((unit.start - begin, unit.end - begin) for unit in units[first : last + 1])
    return Excerpt(text, spans, above)
