"""Whether two questions ask the same, given how near they are in meaning.

Vectors of sentences tell topics apart, not answers: "What was churn in 2019?" and "... in 2020?" have a cosine of .93,
"enable" and "disable" .89, while honest paraphrases go down to .73. So the words decide first, by rules that hold in
both directions, and the cosine only how much freedom is left. The figures were chosen on tests/data/knowledge/dev.tsv
and checked on test.tsv (`scripts/bench knowledge`; docs/performance.md has the table).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from multidb_chat.domain.text import clean
from multidb_chat.services.answering import lexicon
from multidb_chat.services.answering.words import Token, Words, fold

ALIKE = 0.75
"""The least cosine where both questions have the same words, or words of the same meaning."""
FREER = 0.87
"""The least cosine where one question says more than the other, or asks in another manner."""

Manner = Literal["person", "time", "place", "reason", "quantity", "way", "whether", "thing", ""]
_MANNERS: tuple[tuple[Manner, str], ...] = (
    ("person", r"\b(?:who|whom|whose)\b"),
    ("quantity", r"\bhow (?:many|much|long|often|far|old|tall|large|big|high|fast|heavy|deep|wide)\b"),
    ("time", r"\bwhen\b|\b(?:what|which) (?:time|date|day|year|month)\b"),
    ("place", r"\bwhere\b"),
    ("reason", r"\bwhy\b|\bhow come\b|\breason\b"),
    ("way", r"\bhow\b"),
    ("thing", r"\b(?:what|which)\b"),
    ("whether", r"^(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|am)\b"),
)
_FIGURES = re.compile(r"\d+|[a-z]+")
_NARROW: frozenset[Manner] = frozenset({"person", "time", "place"})
NEGATION = re.compile(
    r"\b(?:no|not|never|without|cannot|none|nobody|nothing|neither|nor|\w+n't"
    r"|forbid(?:den|s)?|prohibit(?:ed|s)?|bann?(?:ed|s)?|impossible|unable"
    r"|nicht|kein\w*|nie|niemals|ohne|pas|jamais|sans|nunca|sin|senza|non|niet|geen|nooit|zonder)\b"
)
# Several words that mean what one does.
_PHRASES = (
    (r"\b(?:turn|switch)(?:ed|ing|s)? (\w+ )?on\b", r"\1enable"),
    (r"\b(?:turn|switch)(?:ed|ing|s)? (\w+ )?off\b", r"\1disable"),
    (r"\b(?:log|sign)(?:ged|ging|ing|ed|s)?[ -]?in\b", "login"),
    (r"\b(?:log|sign)(?:ged|ging|ing|ed|s)?[ -]?out\b", "logout"),
    (r"\bset(?:ting|s)?[ -]up\b", "setup"),
    (r"\bbacks?[ -]up\b", "backup"),
    (r"\bget in touch with\b", "contact"),
    (r"\bget rid of\b", "remove"),
    (r"\be-?mail\b", "email"),
    (r"\b2fa\b", "two-factor authentication"),
)
# Words that say nothing about a topic and yet turn a question round.
_TURNING = tuple(
    frozenset(pair.split())
    for pair in (
        "on off", "in out", "up down", "before after", "with without", "over under", "above below", "more less",
        "more fewer", "most least", "all none", "many few", "from to", "for against", "during after", "until since",
        "own other", "same other", "first last",
    )
)  # fmt: skip
# Where one of these stands, the order of the things around it says what is asked.
_ORDERING = frozenset(["to", "from", "into", "than", "before", "after", "over", "under", "against", "beats"])
_SPECIFIC = lexicon.MONTHS | lexicon.DAYS | lexicon.QUANTIFIERS


@dataclass(frozen=True, slots=True)
class Form:
    """What is compared of a question."""

    topics: tuple[Token, ...]
    numbers: frozenset[str]
    specific: frozenset[str]
    turning: frozenset[str]
    ordered: bool
    negated: bool
    manner: Manner


class Sameness:
    """Decides whether two questions ask the same; symmetric in both. Not for two threads at once."""

    def __init__(self) -> None:
        self._words = Words()
        self.form = lru_cache(1_024)(self._form)

    def needed(self, one: str, other: str) -> float | None:
        """Return the cosine from which the two questions ask the same; None: they never do."""
        a, b = self.form(one), self.form(other)
        if (a.numbers, a.specific, a.negated) != (b.numbers, b.specific, b.negated) or _turned(a, b):
            return None
        unlike = _unlike(a.manner, b.manner)
        only_a, only_b = self._apart(a, b)
        if unlike is None or (only_a and only_b):
            return None
        if any(token.name for token in only_a + only_b):
            return None
        if a.ordered and b.ordered and _reordered(a, b):
            return None
        return FREER if unlike or only_a or only_b else ALIKE

    def _form(self, question: str) -> Form:
        text = fold_phrases(question)
        tokens = self._words.tokens(text)
        said = [(token, fold(text[token.start : token.end]).replace("’", "'")) for token in tokens]
        plain = {word for _, word in said}
        topics = tuple(
            Token(token.start, token.end, token.key, token.name and position > 0)
            for position, (token, word) in enumerate(said)
            if word not in lexicon.FUNCTION_WORDS and word not in lexicon.LIGHT_WORDS and not token.number
        )
        return Form(
            topics=topics,
            numbers=frozenset(token.key for token, word in said if token.number and word not in lexicon.FUNCTION_WORDS),
            specific=frozenset(plain & _SPECIFIC) - {"may", "no", "none", "second"},
            turning=frozenset(word for pair in _TURNING for word in pair & plain),
            ordered=bool(plain & _ORDERING),
            negated=bool(NEGATION.search(fold(text).replace("’", "'"))),
            manner=_manner(text),
        )

    def _apart(self, a: Form, b: Form) -> tuple[list[Token], list[Token]]:
        """Return the topic words of each that have no counterpart in the other."""
        only_a = _without(a.topics, b.topics)
        only_b = _without(b.topics, a.topics)
        for token in list(only_a):
            near = self._words.near(token.key)
            if twin := next((other for other in only_b if other.key in near), None):
                only_a.remove(token)
                only_b.remove(twin)
        return only_a, only_b


def figures_in(question: str) -> frozenset[str]:
    """Return the digits and the words for numbers in a question: where they differ, another thing is asked."""
    words = _FIGURES.findall(question.lower())
    return frozenset(lexicon.NUMBERS.get(word, word) for word in words if word.isdigit() or word in lexicon.NUMBERS)


def fold_phrases(question: str) -> str:
    """Return the question on one line, phrases of several words as the one that means the same."""
    text = " ".join(clean(question).split())
    for pattern, instead in _PHRASES:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    return text


def _manner(text: str) -> Manner:
    lowered = fold(text)
    return next((manner for manner, pattern in _MANNERS if re.search(pattern, lowered)), "")


def _unlike(one: Manner, other: Manner) -> bool | None:
    """Tell whether two manners of asking are unlike each other; None: the answers would be of another kind."""
    if one == other or not one or not other:
        return False
    if "reason" in (one, other) or {one, other} <= _NARROW:
        return None
    return True


def _turned(a: Form, b: Form) -> bool:
    only_a, only_b = a.turning - b.turning, b.turning - a.turning
    return any(pair & only_a and pair & only_b for pair in _TURNING)


def _without(tokens: tuple[Token, ...], others: tuple[Token, ...]) -> list[Token]:
    keys = {other.key for other in others}
    return [token for token in tokens if token.key not in keys]


def _reordered(a: Form, b: Form) -> bool:
    """Tell whether what both speak of comes in another order."""
    keys_a, keys_b = [token.key for token in a.topics], [token.key for token in b.topics]
    shared = set(keys_a) & set(keys_b)
    return [key for key in keys_a if key in shared] != [key for key in keys_b if key in shared]
