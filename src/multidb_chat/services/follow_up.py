"""A stand-alone question from one that leans on the conversation: "and in 2020?", "who wrote it?", "why?".

Rules, no model. What a question leaves out is taken from the question before; what it contrasts (a year with a year, a
name with a name) replaces it there, so that never both are searched. A question that stands on its own stays as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from multidb_chat.services.answering.lexicon import FUNCTION_WORDS, IRREGULAR, MONTHS

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_OPENING = re.compile(
    r"^(?:(?:and|but|so|or|also|then|ok(?:ay)?|well)\b[,\s]*)*(?:(?:what|how)\s+about\s+|what\s+of\s+)?", re.IGNORECASE
)
_PREPOSITION = re.compile(
    r"^(?:in|for|at|on|with|by|from|to|under|during|since|until|after|before|of|about|without)\b\s*", re.IGNORECASE
)
_DETERMINER = re.compile(r"^(?:the|a|an|our|my|your|their|its)\s+", re.IGNORECASE)
_WH = re.compile(
    r"^(?:who|whom|whose|when|where|why|how(?: (?:many|much|long|often|far|old|big|so|come))?|which(?: one)?|"
    r"what(?: year)?|since when|until when)\b",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|will|would|should|shall|has|have|had|may|must)(?:n['’]t)?\b\s*",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:(it|they|them|he|him|she|this|these|those|that)|(its|their|his|her))\b(?!['’](?:s|d|ll|ve|re)\b)",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\bit\s+(?:is\s+|was\s+)?(?:possible|necessary|allowed|permitted|safe|true|better|worth|important|takes?|"
    r"make sense|ok|okay|legal|required|mandatory|compulsory|easy|hard)\b(?=.*\b(?:to|that|if)\b)",
    re.IGNORECASE,
)
_VERB = r"(?:is|are|was|were|do|does|did|means?|works?|happen|happened|costs?|takes?|apply|applies|change|changed)"
_CLAUSE = re.compile(r"[,;]|\b(?:and|or|but|when|if|before|after|because|while|that|which|who|once)\b", re.IGNORECASE)
_NOUN = re.compile(r"\b(?:a|an|the|my|our|your|each|every|any|some|all)\s+[^\W\d_]+|\b[^\W\d_]{3,}s\b", re.IGNORECASE)
_HOW_TO = re.compile(r"^how\s+(?:(?:do|can|should|could|would|must)\s+(?:i|we|you|one)|to)\s+(.+)", re.IGNORECASE)
_LASTS = re.compile(r"\b(?:takes?|lasts?|necessary|work|possible|allowed)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"^(?:what|which|who|when|where)\s+(?:is|are|was|were)\s+((?:the\s+|our\s+)?[^\W\d_][\w'’ -]*?)"
    r"(?=$|\s+(?:in|on|at|for|of|by|during|from|since)\b)",
    re.IGNORECASE,
)
# What is counted, and whom somebody did something to: "How much argon is ...", "Who discovered phosphorus".
_COUNTED = re.compile(
    r"^how\s+(?:much|many)\s+([^\W\d_]+)(?=\s+(?:is|are|was|were|do|does|did|has|have|had|can)\b)", re.IGNORECASE
)
_DONE_TO = re.compile(
    r"^who\s+[^\W\d_]+ed\s+((?:the\s+|an?\s+)?[^\W\d_][\w’'-]*?)(?=$|\s+(?:in|on|at|for|of|by|during|from|since)\b)",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"(?<=[a-z])\s+(?:a\s+new\s+|another\s+)?one$", re.IGNORECASE)  # "how do I make one"
_THAT_ONE = re.compile(r"\b(?:this|that|which|each|every|no|any|the(?:\s+[^\W\d_]+)?)\s+one$", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[0-9]{3}|20[0-9]{2})\b")
_NAMED = re.compile(r"\b[A-Z][\w'’-]*(?:\s+(?:of\s+|the\s+)?[A-Z0-9][\w'’-]*(?:\.\d+)*)*")
_AFTER_NOUN = re.compile(
    r"\s+(?:in|on|at|for|by|from|to|with|during|since|when|if|about|says?|means?|costs?|take|work|happen|includes?|need|"
    r"have|has|contain)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“«]([^\"“”«»]{2,80})[\"”»]")
_AUTHORED = re.compile(r"\b(?:wrote|written|author|authored|published|signed|publish|write)\b", re.IGNORECASE)

_WHOLE = 3  # words that say something: with fewer, a question may be about what was named before
_NAMED_BEFORE = 2  # such words before a pronoun, one of which it means


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn before: its stand-alone question, and what its answer said and cited first."""

    question: str
    answer: str = ""
    title: str = ""


def standalone(question: str, past: Sequence[PastTurn]) -> str:
    """Return the question as it can be searched without its conversation; `past` is oldest first.

    It is returned unchanged when it leans on nothing or there is nothing to lean on.
    """
    bare, opened = _opened(question)
    if not past or not question.strip():
        return question
    last = replace(past[-1], question=" ".join(past[-1].question.split()))
    if wh := _bare_wh(bare):
        return _mark(_under(wh, bare, last))
    if (found := _leaning_pronoun(bare)) is not None:
        return _mark(_replace_pronoun(bare, found, last))
    if (another := _another(bare)) and (topic := _topic(last)):
        return _mark(f"{bare[: another.start()]} {topic}")
    if opened and _complete(bare):
        return question
    if (opened and len(_content(bare)) <= 4) or _fragment(bare):
        return _mark(_contrast(bare, last))
    return question


def leans(question: str) -> bool:
    """Tell whether a question leaves out what it is about, as far as rules can see."""
    bare, opened = _opened(question)
    pronoun = _leaning_pronoun(bare)
    if (
        _bare_wh(bare)
        or _another(bare)
        or (pronoun is not None and len(_content(bare[: pronoun.start()])) < _NAMED_BEFORE)
    ):
        return True
    return not (opened and _complete(bare)) and ((opened and len(_content(bare)) <= 4) or _fragment(bare))


def may_lean(question: str) -> bool:
    """Tell whether a question may leave something out: all may but English ones that plainly ask a whole thing."""
    bare, opened = _opened(question)
    whole = not opened and _complete(bare) and len(_content(bare)) >= _WHOLE
    return not whole or _PRONOUN.search(bare) is not None or _another(bare) is not None


def _opened(question: str) -> tuple[str, bool]:
    """Return the question without "and", "but", "what about" before it, and whether there was one."""
    asked = " ".join(question.split())
    bare = _OPENING.sub("", asked, count=1)
    return bare, bare != asked


def _mark(text: str) -> str:
    return f"{text.rstrip(' ?!.')}?"


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _content(text: str) -> list[str]:
    return [word for word in _words(text) if word.lower() not in FUNCTION_WORDS]


def _complete(text: str) -> bool:
    """Tell whether a text is a clause of its own: a question word or auxiliary, then something it is about."""
    body = _AUXILIARY.sub("", _WH.sub("", text).strip())
    begins = bool(_WH.match(text) or _AUXILIARY.match(text))
    return begins and not _PREPOSITION.match(body) and len(_content(body)) >= 2


def _fragment(text: str) -> bool:
    """Tell whether a text is only a piece: "in 2020?", "for contractors?", "2020?", "how much for enterprise?"."""
    words = _words(text)
    wh = _WH.match(text)
    if wh is not None:
        return bool(_PREPOSITION.match(text[wh.end() :].strip())) and len(words) <= 7
    if _PREPOSITION.match(text):
        return len(words) <= 5 and not any(_AUXILIARY.match(word) for word in words)
    return len(words) == 1 and (bool(_YEAR.fullmatch(words[0])) or words[0].lower() in MONTHS)


def _bare_wh(text: str) -> str:
    """Return the question word when the text is nothing else ("why?", "how many?", "who exactly?"), else ''."""
    wh = _WH.match(text)
    if wh is None:
        return ""
    rest = [word.lower() for word in _words(text[wh.end() :])]
    return wh[0] if all(word in ("exactly", "not", "then", "though", "precisely") for word in rest) else ""


def _under(wh: str, text: str, last: PastTurn) -> str:
    """Return the question before under another question word: "why?" behind "Did churn fall?" asks why it fell."""
    body = _WH.sub("", last.question).strip()
    if wh.lower() == "why" and _AUXILIARY.match(body):
        return f"Why {body[0].lower()}{body[1:]}" if not body[1:2].isupper() else f"Why {body}"
    body = _AUXILIARY.sub("", body)
    return f"{wh[0].upper()}{wh[1:]} {body}"


def _leaning_pronoun(text: str) -> re.Match[str] | None:
    """Return the first pronoun whose noun is not in the question itself."""
    for found in _PRONOUN.finditer(text):
        before, word = text[: found.start()], found[0].lower()
        after = text[found.end() :].strip(" ?!.")
        if word == "it" and _EXPLETIVE.match(text, found.start()):
            continue
        if word == "that" and after and not re.match(_VERB + r"\b", after, re.IGNORECASE):
            continue
        if word in ("that", "this", "these", "those") and _content(before) and word == "that" and after:
            continue
        if found[2]:
            if len(_content(before)) >= 2:
                continue
        elif any(_NOUN.search(before[: clause.start()]) for clause in _CLAUSE.finditer(before)):
            continue
        return found
    return None


def _another(text: str) -> re.Match[str] | None:
    """Return where a question ends with "one" in the place of a noun: "how do I create one?"."""
    asked = text.rstrip(" ?!.")
    asks = _WH.match(asked) or _AUXILIARY.match(asked)
    return _ANOTHER.search(asked) if asks and not _THAT_ONE.search(asked) else None


def _replace_pronoun(text: str, found: re.Match[str], last: PastTurn) -> str:
    word = found[0].lower()
    person = word in ("he", "him", "she", "his", "her")
    topic = _action(last) if word in ("it", "this", "that") and _LASTS.search(text) else ""
    topic = topic or (_person(last) if person else _topic(last, authored=bool(_AUTHORED.search(text))))
    if not topic:
        return text
    if word in ("this", "these", "those") and (noun := re.match(r"\s+([^\W\d_]+)", text[found.end() :])):
        if noun[1].lower() in topic.lower():
            return text[: found.start()] + topic + text[found.end() + noun.end() :]
        if noun[1].lower() not in FUNCTION_WORDS:
            return f"{text.rstrip(' ?!.')} {topic}"
    possessive = "'s" if found[2] else ""
    return f"{text[: found.start()]}{topic}{possessive}{text[found.end() :]}"


def _person(last: PastTurn) -> str:
    """Return the name that "he" or "she" means: one of the question before, else one of its answer."""
    for text in (_inner(last.question), last.answer):
        names: list[str] = [
            name for name in _NAMED.findall(text) if name.split()[0].lower() not in FUNCTION_WORDS | MONTHS
        ]
        if names:
            return max(names, key=lambda name: (len(name.split()) > 1, -names.index(name)))
    return _topic(last)


def _action(last: PastTurn) -> str:
    """Return what a how-to question before was about doing ("reset the device"), else ''."""
    found = _HOW_TO.match(last.question)
    return found[1].rstrip(" ?!.") if found else ""


def _topic(last: PastTurn, authored: bool = False) -> str:
    """Return what the turn before was about: a quoted or named thing, else its words without the question around."""
    if quoted := _QUOTED.search(last.question):
        return quoted[1]
    named = [name for name in _NAMED.findall(_inner(last.question)) if name.lower() not in FUNCTION_WORDS]
    if authored and last.title and not named:
        return last.title
    body = _AUXILIARY.sub("", _WH.sub("", last.question).strip()).rstrip(" ?!.")
    noun = re.search(r"\b(?:the|a|an|our|my|this)\s+([^,;?]+)", body, re.IGNORECASE)
    return _until_verb(noun[0] if noun else body, named)


def _until_verb(phrase: str, named: list[str]) -> str:
    """Return the noun phrase at the beginning of `phrase`: it ends before a preposition or the last bare verb."""
    head = _AFTER_NOUN.split(phrase, maxsplit=1)[0]
    words = head.split()
    if len(words) > 2 and (words[-1].lower() in IRREGULAR or words[-1].lower().endswith("ed")):
        head = " ".join(words[:-1])  # "the lighthouse built", of "When was the lighthouse built?"
    missing = [name for name in named if name not in head]
    return " ".join([head, *missing]).strip()


def _inner(question: str) -> str:
    """Return the question without its first word, whose capital says nothing."""
    return question.partition(" ")[2]


def _contrast(text: str, last: PastTurn) -> str:
    """Return the question before with what `text` contrasts in place of its counterpart."""
    wh = _WH.match(text)
    piece = (text[wh.end() :] if wh else text).strip(" ?!.")
    frame = last.question.rstrip(" ?!.")
    if wh and wh[0].lower() not in frame.lower():
        frame = _under(wh[0], text, last).rstrip(" ?!.")
    preposition = _PREPOSITION.match(piece)
    value = _DETERMINER.sub("", _PREPOSITION.sub("", piece))
    years = _YEAR.findall(value)
    if years and _YEAR.search(frame):
        frame = _swap_last(_YEAR, frame, years[0])
        value = " ".join(_YEAR.sub("", value).split())
        if not _content(value):
            return frame
    months = [word for word in _words(value) if word.lower() in MONTHS]
    if months and (old := [word for word in _words(frame) if word.lower() in MONTHS]):
        return frame.replace(old[-1], months[0])
    for swap in (_same_head, _same_place, _same_object, _same_name, _same_subject):
        if (swapped := swap(frame, value, preposition[0].strip() if preposition else "")) is not None:
            return swapped
    return f"{frame} {piece}"


def _swap_last(pattern: re.Pattern[str], frame: str, value: str) -> str:
    last = list(pattern.finditer(frame))[-1]
    return frame[: last.start()] + value + frame[last.end() :]


def _same_head(frame: str, value: str, _: str) -> str | None:
    """ "the enterprise plan" takes the place of "Pro plan"."""
    words = _words(value)
    if len(words) < 2 or not value.endswith(words[-1]) or words[-1].isdigit():
        return None
    found = re.search(rf"\b[\w'’-]+\s+{re.escape(words[-1])}\b", frame, re.IGNORECASE)
    if found is None or found[0].split()[0].lower() in FUNCTION_WORDS:
        return None
    return frame[: found.start()] + value + frame[found.end() :]


def _same_name(frame: str, value: str, _: str) -> str | None:
    """A name takes the place of the last name."""
    names = [found for found in _NAMED.finditer(frame) if found.start() > 0]
    if not names or len(_words(value)) > 4:
        return None
    return frame[: names[-1].start()] + value + frame[names[-1].end() :]


def _same_place(frame: str, value: str, preposition: str) -> str | None:
    """ "for contractors" takes the place of "for employees"."""
    if not preposition or _YEAR.search(value):
        return None
    found = re.search(rf"\b(?i:{preposition})\s+(?:(?:the|a|an)\s+)?([\w'’-]+(?:\s+[A-Z][\w'’-]*)*)", frame)
    if found is None or _YEAR.fullmatch(found[1]):
        return None
    return frame[: found.start(1)] + value + frame[found.end(1) :]


def _same_subject(frame: str, value: str, preposition: str) -> str | None:
    """ "what about profit" takes the place of "revenue" in "What was revenue in 2019"."""
    found = _SUBJECT.match(frame)
    if found is None or preposition:
        return None
    words = value.split()
    if words[-1].lower() in ("one", "ones"):  # "the last one", after "the first keeper"
        value = " ".join(["the", *words[:-1], found[1].split()[-1]])
    return frame[: found.start(1)] + value + frame[found.end(1) :]


def _same_object(frame: str, value: str, preposition: str) -> str | None:
    """ "and bromine" takes the place of "phosphorus" in "Who discovered phosphorus", "neon" in "How much argon is"."""
    found = _COUNTED.match(frame) or _DONE_TO.match(frame)
    if found is None or preposition or len(_words(value)) > 3:
        return None
    if value[:1].isupper() and not found[1][:1].isupper() and _NAMED.search(_inner(frame)):
        return None  # a name contrasts with the name
    return frame[: found.start(1)] + value + frame[found.end(1) :]
