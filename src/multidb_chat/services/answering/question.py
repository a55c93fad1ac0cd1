"""What a question asks for: its kind, the kind of answer that would satisfy it, and the words that must be met."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from multidb_chat.services.answering.lexicon import LIGHT_WORDS
from multidb_chat.services.answering.words import Token, Words, fold, is_function_word

QuestionKind = Literal["fact", "definition", "steps", "list", "reason", "yesno", "compare", "summary", "plain"]
Expected = Literal["person", "date", "place", "quantity", "money", "duration", "frequency", "share", "none"]

_BE = r"(?:'s| is| are| was| were)"
# Tried in order on the folded question; the first that is found decides kind and expected answer. `re` compiles and
# keeps them as they are needed, which spares a program that answers one question most of them.
_FORMS: tuple[tuple[str, QuestionKind, Expected], ...] = (
    (r"^(please )?(summari[sz]e|sum up|tl;?dr|give (me )?a summary)\b", "summary", "none"),
    (r"\b(summary|overview) of (this|the) ", "summary", "none"),
    (rf"^what{_BE} (this|the|these) ?(documents?|files?|text|log|page)? ?about$", "summary", "none"),
    (r"\b(differences? between|compared? (to|with)|versus|vs\.?|compare|differ)\b", "compare", "none"),
    (r"\bhow (do|can|will|would) (i|we|you|one) (know|tell|see|recogni[sz]e|notice)\b", "fact", "none"),
    (r"\bhow (do|does|can|could|should|would|must|to|might)\b(?! .*\b(cost|weigh|last)\b)", "steps", "none"),
    (r"^(what|which) (are )?the steps\b|^((list|name|give) )?(me )?(the )?steps\b", "steps", "none"),
    (r"\bthe way to\b|\bwhat should i do\b", "steps", "none"),
    (r"\bhow (much|many) (time|hours|days|weeks|minutes|months|years)\b|\bhow long\b", "fact", "duration"),
    (r"\bhow often\b|\bhow frequently\b|\bhow many times\b", "fact", "frequency"),
    (r"\bhow much\b.*\b(costs?|pay|paid|price|earn|spen[dt]|charge|fee|worth|revenue|profit)\b", "fact", "money"),
    (r"\b(what|which) (percentage|percent|share|proportion|rate)\b", "fact", "share"),
    (r"\bwhat (is|was) the \w+ rate\b", "fact", "share"),
    (r"\bhow old\b", "fact", "duration"),
    (r"\bhow (much|many|tall|high|deep|far|big|large|heavy|fast|wide|hot|cold|warm|thick)\b", "fact", "quantity"),
    (r"\bwhat (is|was|are|were|does|did) .*\b(price|cost|fee|salary|budget)s?\b", "fact", "money"),
    (rf"\bwhat{_BE} the (\w+ )?(number|size|weight|length|height|temperature|total|amount)\b", "fact", "quantity"),
    (rf"\bwhat{_BE} the (\w+ )?(limit|capacity|maximum|minimum|speed|duration|age)\b", "fact", "quantity"),
    (r"\b(what|which) (year|date|day|month|time|century|quarter|weekday)\b", "fact", "date"),
    (r"\b(since|until|by) when\b|\bdeadline\b", "fact", "date"),
    (r"^(and |so |but )?when\b|\bwhen (did|was|is|will|were|does|do|are|has|have|had)\b", "fact", "date"),
    (r"^who('s| is| was| are| were) (?!.*\b(the|an?|our|my|your|in|of|for|at|on|responsible)\b)", "definition", "none"),
    (r"\bwho('s|se|m)?\b", "fact", "person"),
    (r"\bwhere\b.*\bnames?\b.*\b(come|from|derived?|originate)\b", "fact", "none"),
    (r"\bwhere\b", "fact", "place"),
    (r"\b(what|which) (city|country|town|place|room|building|address|location)\b", "fact", "place"),
    (rf"\bwhy\b|\bhow come\b|\bwhat({_BE})?( the)? (causes?|caused|reasons?)\b", "reason", "none"),
    (r"^(list|name|enumerate)\b|^(what|which) (are|were) (the|all|my|our)\b", "list", "none"),
    (r"^(what|which) \w+s (are|were|can|do|does|did|have)\b", "list", "none"),
    (r"^(define|what does .* mean|(the )?meaning of|(the )?definition of)\b", "definition", "none"),
    (r"^what('s| is| are) (?!.*\b(in|of|for|at|on|during|from|to|between|about|after|before)\b)", "definition", "none"),
    (
        r"^(is|are|was|were|do|does|did|can|could|will|would|should|shall|has|have|had|may|must|am|isn't|aren't|don't|"
        r"doesn't|didn't|can't)\b",
        "yesno",
        "none",
    ),
    (r"^(what|which|whose|in which|in what|how)\b", "fact", "none"),
)
# Words that belong to the form of a question and would only rarely stand in its answer.
_FORM_WORDS = {
    "steps": "steps step way",
    "list": "list name enumerate",
    "reason": "reason reasons cause causes caused",
    "compare": "difference differences compare compared differ versus",
    "definition": "define definition meaning mean",
    "summary": "tl dr tldr summarise summarize summary sum overview document documents file files text log page "
    "article content",
}
_EXPECTED_WORDS = {
    "quantity": "many number amount total old tall big large far heavy",
    "duration": "long time last take takes",
    "frequency": "often frequently times",
    "money": "cost costs",
    "date": "year date day month time",
    "place": "city country place location located",
    "share": "percentage percent proportion",
}
# Pairs of characters with Japanese particles, or with the commonest Chinese function and question words.
_EMPTY_PAIR = re.compile("[^a-z]?[\u3040-\u309f何誰谁哪么什吗呢的是了在][^a-z]?")
_UNSPACED = re.compile("[\u0e00-\u9fff\uac00-\ud7af]{1,2}")
_QUOTED = re.compile(r"[\"“«']([^\"“”«»']{3,60})[\"”»'](?!\w)")


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question that an answer should meet. `weight` is what it counts besides its rarity.

    `hard`: a name or a number. Another name or number is another thing, so nothing stands in for it.
    """

    key: str
    weight: float = 1.0
    hard: bool = False
    year: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question taken apart. `focus` are the keys of what is counted or asked for (the customers of "how many
    customers"); `phrases` are neighbouring terms and quoted words, as keys in order."""

    kind: QuestionKind
    expected: Expected
    terms: tuple[Term, ...]
    focus: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]


# Two words that mean what neither does alone, and the one word for it.
_WENT_WRONG = re.compile(r"\b(?:go|goes|going|went|gone) wrong\b", re.IGNORECASE)


def analyse(question: str, words: Words) -> Analysis:
    """Take a stand-alone question apart. A text without content words gives an analysis without terms."""
    question = _WENT_WRONG.sub("failed", question)
    kind, expected = _form(question)
    tokens = [token for token in words.tokens(question) if not _is_empty(question, token)]
    extra = _FORM_WORDS.get(kind, "") + " " + _EXPECTED_WORDS.get(expected, "")
    form = {words.key(word) for word in extra.split()}
    shouting = question.isupper()
    light = {words.key(word) for word in LIGHT_WORDS}
    terms: dict[str, Term] = {}
    named = [token.name and not shouting and _inside(question, token) for token in tokens]
    for at, token in enumerate(tokens):
        hard = named[at] or token.number
        weight = 1.0
        if hard:
            # The words of one name count together, not each like a word of its own.
            weight = 0.6 if _in_name(tokens, named, at) else 1.0
        elif token.key in form or token.key in light:
            weight = 0.25 if token.key in form else 0.4
        elif _UNSPACED.fullmatch(token.key):
            weight = 0.5  # a word is several pairs
        terms.setdefault(token.key, Term(token.key, weight, hard, token.year))
    return Analysis(
        kind, expected, tuple(terms.values()), _focus(question, tokens, words), _phrases(question, tokens, words)
    )


def _in_name(tokens: list[Token], named: list[bool], at: int) -> bool:
    """Whether a word of a name stands next to another one."""
    return named[at] and any(
        0 <= other < len(tokens)
        and named[other]
        and min(abs(tokens[other].end - tokens[at].start), abs(tokens[other].start - tokens[at].end)) <= 2
        for other in (at - 1, at + 1)
    )


def _form(question: str) -> tuple[QuestionKind, Expected]:
    plain = " ".join(fold(question).replace("’", "'").split()).rstrip(" ?!.")
    for pattern, kind, expected in _FORMS:
        if re.search(pattern, plain):
            return kind, expected
    return "plain", "none"


def _is_empty(question: str, token: Token) -> bool:
    written = question[token.start : token.end]
    if _EMPTY_PAIR.fullmatch(written):
        return True
    return (len(token.key) == 1 and token.key.isascii() and not token.number and not token.name) or (
        is_function_word(written) and not (written.isupper() and len(written) > 1 and not question.isupper())
    )


def _inside(question: str, token: Token) -> bool:
    """Whether the token does not stand first, where every word has a capital, or is an abbreviation."""
    written = question[token.start : token.end]
    first = token.start == 0 or question[: token.start].rstrip()[-1:] in ".?!:"
    return not first or (written.isupper() and len(written) > 1)


def _focus(question: str, tokens: list[Token], words: Words) -> frozenset[str]:
    found = re.search(r"\b(?:how (?:many|much)|what|which)\s+((?:[^\W\d_]+\s+){0,2}[^\W\d_]+)", fold(question))
    if found is None:
        return frozenset()
    keys = {words.key(word) for word in found[1].split() if not is_function_word(word)}
    return frozenset(keys & {token.key for token in tokens})


def _phrases(question: str, tokens: list[Token], words: Words) -> tuple[tuple[str, ...], ...]:
    pairs = [
        (first.key, second.key)
        for first, second in pairwise(tokens)
        if second.start - first.end <= 1 and question[first.end : second.start] in (" ", "-", "_", "")
    ]
    quoted = [tuple(token.key for token in words.tokens(found[1])) for found in _QUOTED.finditer(question)]
    return tuple(pairs + quoted)
