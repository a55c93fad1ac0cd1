"""Whether a sentence holds the kind of thing that a question asks for: a date, a sum, a name ..."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from multidb_chat.services.answering import lexicon
from multidb_chat.services.answering.question import Expected
from multidb_chat.services.answering.words import Token, fold

_CLOCK = re.compile(
    r"\b\d{1,2}:\d{2}\b|\b\d{1,2} ?[ap]\.?m\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\bq[1-4]\b"
)
_MONEY = re.compile(
    r"[$€£¥₹]\s?\d|\d\s?[$€£¥₹]|\d[\d.,]*\s?(?:k|m|bn|million|billion|thousand)?\s?"
    r"(?:usd|eur|gbp|chf|dollars?|euros?|pounds?|cents?|francs?|yen|crowns?)\b|\bfree( of charge)?\b"
)
_SHARE = re.compile(
    r"\d\s?(?:%|percent|per cent|percentage|basis points)|\bhalf\b|\bthirds?\b|\bquarters?\b|\bout of\b"
)
_FREQUENCY = re.compile(
    r"\b(?:every|each|hourly|daily|nightly|weekly|monthly|quarterly|yearly|annual|annually|once|twice|times|per)\b|"
    r"\b(?:an?|a) (?:hour|day|night|week|month|quarter|year)\b"
)
_PATH = re.compile(
    r"(?:^|[\s`(\"])(?:~|\.{1,2})?/[\w.-]+|\w:\\|https?://|`[^`]+`|\b\w+\.(?:toml|json|ya?ml|ini|conf|cfg|txt)\b"
)
_AT = re.compile(
    r"\b(?:in|at|on|to|from|near|into|inside|under|behind|beside|outside|through|via|of)\s+(?:the\s+)?[A-Z0-9]"
)
_SPOT = re.compile(
    r"\b(?:in|at|on|inside|under|behind|beside|near|next to|outside|below|above)"
    r" (?:the|a|an|its|your|our|any|each|every) \w"
)


def holds(expected: Expected, text: str, tokens: Sequence[Token]) -> bool:
    """Tell whether `text`, with these tokens, holds an expected answer. Always true where nothing is expected."""
    test = _TESTS.get(expected)
    return test is None or test(text, tokens)


def _words(text: str, tokens: Sequence[Token]) -> set[str]:
    return {fold(text[token.start : token.end]) for token in tokens}


def _number(text: str, tokens: Sequence[Token]) -> bool:
    return any(token.number for token in tokens) or not lexicon.QUANTIFIERS.isdisjoint(_words(text, tokens))


def _date(text: str, tokens: Sequence[Token]) -> bool:
    if any(token.year for token in tokens) or _CLOCK.search(fold(text)):
        return True
    named = {fold(text[token.start : token.end]) for token in tokens if token.name}
    if not (lexicon.MONTHS | lexicon.DAYS).isdisjoint(named):
        return True
    return not (lexicon.DAYS - {"morning", "afternoon", "evening"}).isdisjoint(_words(text, tokens)) or _span(
        text, tokens
    )


def _span(text: str, tokens: Sequence[Token]) -> bool:
    """A number with a unit of time behind it: "three weeks", "a 30-day period"."""
    for first, second in pairwise(tokens):
        number = first.number or fold(text[first.start : first.end]) in lexicon.QUANTIFIERS | {"a", "an", "one"}
        if number and fold(text[second.start : second.end]) in lexicon.DURATIONS:
            return True
    return bool(_CLOCK.search(fold(text)))


def _person(text: str, tokens: Sequence[Token]) -> bool:
    dates = lexicon.MONTHS | lexicon.DAYS
    for at, token in enumerate(tokens):
        written = text[token.start : token.end]
        if not token.name or fold(written) in dates or fold(written) in lexicon.FUNCTION_WORDS:
            continue
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.start > 1 or (following is not None and following.name):
            return True
        # First in the sentence: a name when a verb or a comma follows rather than a noun phrase; take short ones.
        if following is not None and (
            text[token.end] == "," or _VERBISH.fullmatch(fold(text[following.start : following.end]))
        ):
            return True
    # A role is an answer to "who" as well.
    return bool(
        re.search(r"\b(?:by|the) [a-z]+ ?(?:team|board|manager|officer|director|committee|department|lead)\b", text)
    )


_VERBISH = re.compile(
    r"is|was|has|had|will|would|did|does|wrote|said|won|led|made|founded|joined|left|runs|owns|agreed|proposed|presented|"
    r"reported|suggested|asked|and|designed|invented|discovered|built|takes"
)


def _place(text: str, tokens: Sequence[Token]) -> bool:
    return bool(_AT.search(text) or _SPOT.search(text) or _PATH.search(text))


_TESTS: dict[Expected, Callable[[str, Sequence[Token]], bool]] = {
    "quantity": _number,
    "money": lambda text, _: bool(_MONEY.search(fold(text))),
    "duration": _span,
    "frequency": lambda text, _: bool(_FREQUENCY.search(fold(text))),
    "share": lambda text, _: bool(_SHARE.search(fold(text))),
    "date": _date,
    "person": _person,
    "place": _place,
}
