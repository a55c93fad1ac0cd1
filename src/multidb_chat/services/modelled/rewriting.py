"""A follow-up put by a language model so that it stands alone; what is no such question is not taken.

A small model answers instead, copies its examples or invents, so what it says is held against what was said: it must be
one question, as long as one, with the figures of the follow-up, and of words that were there before.
"""

import re

from multidb_chat.domain.language import LanguageModel, Prompt, Said
from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import ModelUse, Recalled
from multidb_chat.services.answering.words import Words, is_function_word
from multidb_chat.services.follow_up import leans
from multidb_chat.services.modelled.asking import Asking
from multidb_chat.services.modelled.prompting import REWRITING_INSTRUCTIONS, neutral, talk
from multidb_chat.services.modelled.withholding import Addresses, recites

_EXAMPLES = (
    Said("user", "User: When was the bridge built?\nAssistant: In 1912.\n\nLast question: and by whom?"),
    Said("assistant", "By whom was the bridge built?"),
    Said("user", "User: Who runs the Oslo office?\nAssistant: Ida Berg runs it.\n\nLast question: since when?"),
    Said("assistant", "Since when has Ida Berg run the Oslo office?"),
)
MOST_TOKENS = 64
SECONDS = 4.0
"""So long a follow-up waits for the model before rules put it."""
_LATEST = 3  # turns that the model gets; more of them mislead small ones
_ADDED_CHARS = 200
_KNOWN = 2 / 3  # of the words must have been said before
_LABEL = re.compile(r"^(?:(?:last|rewritten|standalone|stand-alone|new)?\s*question\s*:|[-*>]|\d+\.)\s*", re.IGNORECASE)
_MARKS = re.compile(r"\[\d+\]|[<>|{}]")


class Rewriting:
    """One follow-up for the model to put. `use` is what that took, so far."""

    def __init__(self, model: LanguageModel, question: str, recalled: Recalled) -> None:
        self._question = question
        self._recalled = recalled
        self._asking = Asking(model, prompt_for(question, recalled))
        self.heard = ""

    async def standalone(self, seconds: float = SECONDS) -> str:
        """Return the question as it stands alone; empty where the model fails, is too slow or says something else."""
        self.heard = await self._asking.answer(seconds)
        return fit(self.heard, self._question, self._recalled)

    @property
    def use(self) -> ModelUse:
        """What the model took, also where nothing came of it."""
        return self._asking.use


def prompt_for(question: str, recalled: Recalled) -> Prompt:
    """Return what the model is asked: a few examples, then the latest turns and the question."""
    told = talk(Recalled(recalled.summary, recalled.turns[-_LATEST:]))
    asked = Said("user", f"{told}\n\nLast question: {neutral(question)}")
    return Prompt(REWRITING_INSTRUCTIONS, (*_EXAMPLES, asked), MOST_TOKENS)


def fit(said: str, question: str, recalled: Recalled) -> str:
    """Return the question that a model said, empty where it is none that can take the place of `question`."""
    text = clean(said).strip()
    line = _LABEL.sub("", text).strip().strip("\"'“”«»").strip()
    if not line or "\n" in line or len(line) > len(question) + _ADDED_CHARS or _MARKS.search(line):
        return ""
    if question.rstrip().endswith(("?", "？")) and not line.endswith(("?", "？")):
        return ""  # an answer, mostly
    if leans(line):
        return ""
    if recites(line) or Addresses(()).without_others(line) != line:
        return ""
    return line if _of_what_was_said(line, question, recalled) else ""


def _of_what_was_said(line: str, question: str, recalled: Recalled) -> bool:
    words = Words()
    asked = _keys(words, question)
    talk = " ".join([recalled.summary, *(f"{turn.asked} {turn.said}" for turn in recalled.turns)])
    known = asked | _keys(words, talk)
    said = _keys(words, line)
    figures = {key for key in asked if key[:1].isdigit()}
    new = said - known
    if not said or not figures <= said or any(key[:1].isdigit() for key in new):
        return False
    kept = not asked or asked & said
    return bool(kept) and len(said & known) >= _KNOWN * len(said)


def _keys(words: Words, text: str) -> set[str]:
    return {one.key for one in words.tokens(text) if not is_function_word(text[one.start : one.end])}
