"""A topic as questions: those in its own words, the usual ones, and what the library itself has headings and terms for.

A question is asked in words that the answerer understands (`asked`) and shown as a title that a person does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from multidb_chat.domain.search import Match
from multidb_chat.domain.text import clean_line
from multidb_chat.services.analysis.entities import names_in
from multidb_chat.services.answering.expected import holds
from multidb_chat.services.answering.lexicon import DAYS, DURATIONS, LIGHT_WORDS, MONTHS, QUANTIFIERS
from multidb_chat.services.answering.words import Words, fold, is_function_word

Fit = Literal["quantity", "date", "person", "place", "definition", "manner", "reason", "trouble"]
# The usual questions, in words that add nothing that a passage would have to hold; and what a sentence must hold to be
# an answer to one of them, besides being about the topic.
_USUAL: tuple[tuple[str, str, Fit | None], ...] = (
    ("What it is", "What is {}?", "definition"),
    ("How much, how many", "How much {}?", "quantity"),
    ("When", "When was {}?", "date"),
    ("Who", "Who {}?", "person"),
    ("Where", "Where is {}?", "place"),
    ("Why", "Why {}?", "reason"),
    ("How", "How does {} work?", "manner"),
    ("Problems and risks", "What are the problems of {}?", "trouble"),
)
_BY_WORD: tuple[tuple[str, Fit], ...] = (
    *(("why ", "reason"), ("when ", "date"), ("where ", "place"), ("who ", "person")),
    *(("how much ", "quantity"), ("how many ", "quantity")),
)
# How sentences of such kinds are put in English.
_FORMS: Mapping[Fit, re.Pattern[str]] = {
    "definition": re.compile(
        r"\b(?:is|are|was|were|means?|refers? to|(?:called|known as|defined as)|describes?|consists? of|stands? for)\b",
        re.IGNORECASE,
    ),
    "manner": re.compile(
        r"\b(?:works?|by \w+ing|us(?:es?|ed|ing)|through|process\w*|methods?|first|then|steps?|until|when|must|can)\b",
        re.IGNORECASE,
    ),
    "reason": re.compile(
        r"\b(?:because|since (?:it|they|he|she|we|there|no)|due to|owing to|thanks to|therefore|thus|hence|so that|"
        r"in order to|which is why|that is why|the (?:\w+ )?reasons?|for (?:this|that|these) reasons?|caused?|causes|"
        r"led to|leads to|result(?:s|ed)? (?:in|from)|as a result|explained by)\b",
        re.IGNORECASE,
    ),
    "trouble": re.compile(
        r"\b(?:problems?|risks?|issues?|difficult\w*|fail\w*|delay\w*|complain\w*|los[st]\w*|loss(?:es)?|fell|dropp?ed|damag\w*|"
        r"errors?|danger\w*|limit\w*|cannot|can't|must not|never|warn\w*|crit\w*|cancel\w*|depend\w*|shortage|broke\w*|"
        r"defect\w*|harm\w*|threat\w*|weak\w*|wrong|unable|refus\w*)\b",
        re.IGNORECASE,
    ),
}
_HEADINGS = 6
_TERMS = 4
_NAMES = 4
_LONGEST_HEADING = 80
_NUMBERING = re.compile(r"^(?:chapter |section |§ ?)?(?:\d+(?:\.\d+)*|[ivxIVX]+)[.):]?\s+", re.IGNORECASE)
# Words of measures: what is measured is the topic, not the unit.
_MEASURES = DAYS | DURATIONS | MONTHS | QUANTIFIERS | {"percent", "euro", "euros", "dollar", "dollars", "pounds"}
_PARTS = re.compile(
    r"[;\n]+|\?\s+|,?\s+(?:and|as well as)\s+(?=(?:how|why|what|who|when|where|which)\b)", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:please\s+)?(?:(?:research|investigate|find out|tell me|write)\b\s*)?(?:(?:a report\s+)?(?:on|about)\s+)?",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:(?:how|why|what|who|when|where|which)\b(?:\s+(?:much|many|often|long))?\s*"
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)?\b\s*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facet:
    """A question of a research. `origin` says where it comes from: `topic`, `usual`, `heading`, `term` or `name`.

    `fit` is what a sentence must hold to be an answer, None where being about the topic is enough.
    """

    title: str
    asked: str
    origin: str
    fit: Fit | None = None

    def fits(self, sentence: str, words: Words) -> bool:
        """Tell whether a sentence is of the kind that is asked for."""
        if self.fit == "definition" or self.fit == "manner" or self.fit == "reason" or self.fit == "trouble":
            return _FORMS[self.fit].search(sentence) is not None
        if self.fit == "place" and not any(True for _ in names_in(sentence)):
            return False  # "to 8 percent" has the form of a place, and names none
        return self.fit is None or holds(self.fit, sentence, words.tokens(sentence))


def topic_of(about: str) -> str:
    """Return what a request is about: its first part, without "research", question words and marks."""
    first = next(iter(_parts_of(about)), "")
    return _QUESTION.sub("", first).strip() or first


def own_facets(about: str) -> list[Facet]:
    """Return the questions that the request itself asks: its parts, or the whole."""
    topic = topic_of(about)
    facets = []
    for part in _parts_of(about):
        whole = part if topic.casefold() in part.casefold() else f"{part}: {topic}"
        asked = f"{whole}?" if _QUESTION.match(part) else whole
        fit = next((kind for word, kind in _BY_WORD if part.casefold().startswith(word)), None)
        facets.append(Facet(part[:1].upper() + part[1:], asked, "topic", fit))
    return facets


def usual_facets(topic: str) -> list[Facet]:
    """Return the usual questions about a topic."""
    return [Facet(title, form.format(topic), "usual", fit) for title, form, fit in _USUAL]


def library_facets(topic: str, matches: Sequence[Match], words: Words) -> list[Facet]:
    """Return what the best passages stand under and speak of, besides the topic's own words."""
    known = _keys(topic, words)
    facets = []
    for heading in _headings(matches, known, words):
        known |= _keys(heading, words)
        facets.append(Facet(heading, f"{heading}: {topic}", "heading"))
    terms = _terms(matches, known, words)
    return facets + [Facet(f"{term[:1].upper()}{term[1:]}", f"{term} {topic}", "term") for term in terms]


def follow_ups(topic: str, texts: Iterable[str], asked: Iterable[Facet], words: Words) -> list[Facet]:
    """Return questions about the names in what was found that nobody has asked about yet, the most frequent first."""
    known = _keys(topic, words).union(*(_keys(facet.title, words) for facet in asked))
    found = Counter(name for text in texts for name, first in names_in(text) if not first or " " in name)
    new = [name for name, _ in found.most_common() if not _keys(name, words) <= known and len(name) > 2]
    distinct: list[str] = []
    for name in new:
        if not any(name in other or other in name for other in distinct):
            distinct.append(name)
    return [Facet(name, f"{name} {topic}", "name") for name in distinct[:_NAMES]]


def _parts_of(about: str) -> list[str]:
    parts = [clean_line(part).rstrip(" ?!.,") for part in _PARTS.split(_LEAD.sub("", about.strip(" \n;?!.,")) or about)]
    return [part for part in parts if any(character.isalnum() for character in part)]


def _headings(matches: Sequence[Match], known: set[str], words: Words) -> list[str]:
    """Return the nearest headings of the passages, each once, those of the best passages first."""
    chosen: list[str] = []
    seen = set(known)
    for match in matches:
        if not match.chunk.headings:
            continue
        heading = _NUMBERING.sub("", clean_line(match.chunk.headings[-1])).strip("#*:. ")
        keys = _keys(heading, words)
        title = clean_line(match.document.title).casefold()
        if keys <= seen or len(heading) > _LONGEST_HEADING or heading.casefold() == title:
            continue
        seen |= keys
        chosen.append(heading)
    return chosen[:_HEADINGS]


def _terms(matches: Sequence[Match], known: set[str], words: Words) -> list[str]:
    """Return the words that most of the best passages share, as they are written most often."""
    passages: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for match in matches:
        text = match.chunk.text
        met = set()
        for token in words.tokens(text):
            word = text[token.start : token.end]
            if token.number or len(word) < 4 or is_function_word(word) or fold(word) in LIGHT_WORDS | _MEASURES:
                continue
            met.add(token.key)
            written.setdefault(token.key, Counter())[word if token.name and word.isupper() else word.lower()] += 1
        passages.update(met)
    often = [key for key, count in passages.most_common() if count >= 3 and key not in known]
    return [written[key].most_common(1)[0][0] for key in often[:_TERMS]]


def _keys(text: str, words: Words) -> set[str]:
    return {token.key for token in words.tokens(text) if not is_function_word(text[token.start : token.end])}
