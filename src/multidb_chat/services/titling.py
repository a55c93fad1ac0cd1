"""Titles of conversations, made of the first question and answer by rules alone."""

import re

from multidb_chat.domain.conversations import Message
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.services.answering import codec

LIMIT = 56
"""Characters of the longest title that is made: it fits beside a date in 80 columns."""

# What stands before the matter of a question; taken away again and again.
_COURTESY = re.compile(
    r"(?:please|hi|hello|hey|ok|okay|so|well|thanks|thank you|and|but|then)\b[\s,.!:;-]*"
    r"|(?:can|could|would|will) you (?:please )?(?:(?:tell|show|give) me|explain|describe)?\b\s*(?:about|to me)?\s*"
    r"|(?:i(?:'d| would) like|i want) to (?:know|see|learn|understand)\b\s*(?:about)?\s*"
    r"|(?:tell|show|give) me\b\s*(?:about|more about)?\s*"
    r"|do you know\b\s*(?:about)?\s*"
    r"|what (?:do|does) (?:my|the|our|these) (?:documents?|files?|papers?|notes?) say (?:about|on)\b\s*",
    re.IGNORECASE,
)
_WHAT_IS = re.compile(r"(?:what|who)(?:'s| is| are| was| were)\s+(?:the|a|an)?\b\s*(?=\w+)", re.IGNORECASE)
_HOW_TO = re.compile(r"how (?:do|can|should|would|must) (?:i|we|you|one)\s+", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.?!;:](?=\s|$)|[。？！]")
# Words that name nothing: a question of these alone is named by what answered it.
_POINTING = """
    a about again all an and are be can did do does explain go he her his how i in is it its list me more of on or
    please she show summarise summarize summary tell that the them these they this those to was were what when where
    which who why
"""


def title_of(question: Message, answer: Message) -> str:
    """Return a short title for the conversation that begins with these two; empty when there are no words."""
    text = clean(question.body).strip()
    matter = _matter(clean_line(text.split("\n\n")[0]))
    if not any(word.casefold() not in _POINTING.split() for word in re.findall(r"\w+", matter)):
        source = _source(answer)
        matter = f"{matter} · {source}" if source and matter else source or matter
    return _cut(matter[:1].upper() + matter[1:])


def _matter(line: str) -> str:
    """Return what the question is about, in its own words."""
    while (match := _COURTESY.match(line)) and (rest := line[match.end() :].lstrip(" ,.!:;-")):
        line = rest
    if found := _SENTENCE_END.search(line):
        first = line[: found.start()].strip()
        line = first if len(first) > 3 else line
    line = _HOW_TO.sub("How to ", line, count=1) if _HOW_TO.match(line) else line
    if (found := _WHAT_IS.match(line)) and len(line) - found.end() > 2:
        line = line[found.end() :]
    return line.strip(" ?!.,;:…\"'“”„«»()[]{}-–—*#`>")


def _source(answer: Message) -> str:
    found = codec.answer_in(answer)
    return clean_line(found.citations[0].title or found.citations[0].document_name) if found and found.citations else ""


def _cut(line: str) -> str:
    """Return the line, cut between words where there are some."""
    if len(line) <= LIMIT:
        return line
    kept = line[: LIMIT - 1]
    words, space, _ = kept.rpartition(" ")
    return f"{(words if space and len(words) > LIMIT // 2 else kept).rstrip(' ,;:-–—')}…"
