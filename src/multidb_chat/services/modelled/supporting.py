"""Whether a passage supports a sentence that a model wrote, and which of its sentences do.

Words and meaning both count, and neither alone: a sentence may say the same in other words, and one wrong figure makes
a sentence wrong that shares all others. So figures and names must stand in the passage whatever the rest is like; what
is denied in one must be denied in the other; and of the words that are left, enough must be there, or fewer where the
vectors say that both mean the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from multidb_chat.domain.search import Embedder, Match
from multidb_chat.services.answering.passages import Passage, open_passages
from multidb_chat.services.answering.words import Token, Words, fold, is_function_word
from multidb_chat.services.knowledge.sameness import NEGATION
from multidb_chat.services.similarity import cosine

ENOUGH = 0.6
"""Share of a sentence's words that have to stand in two neighbouring sentences of the passage."""
FEWER = 0.35
"""The share that is enough where both mean the same."""
ALIKE = 0.7
"""The cosine from which two sentences mean the same (all-MiniLM-L6-v2: paraphrases have .73 and more, see `sameness`).
"""


@dataclass(frozen=True, slots=True)
class Support:
    """The characters of a passage's text that support a sentence; `share` is how many of its words they hold."""

    match: Match
    start: int
    end: int
    share: float


class Evidence:
    """The passages of one answer, taken apart once. `question` holds words that every answer may repeat."""

    def __init__(self, question: str, matches: Sequence[Match], embedder: Embedder | None) -> None:
        self._words = Words()
        self._passages = open_passages(matches, self._words)
        self._asked = frozenset(token.key for token in self._words.tokens(question))
        self._embedder = embedder

    async def support(self, sentence: str, named: Sequence[int]) -> Support | None:
        """Return what supports a sentence in the passages it names; None where nothing does.

        A sentence that names none is looked for in all of them. Numbers of passages that there are not support nothing.
        """
        tokens = [one for one in self._words.tokens(sentence) if not is_function_word(sentence[one.start : one.end])]
        chosen = [self._passages[n - 1] for n in named if 0 < n <= len(self._passages)] if named else self._passages
        places = [place for passage in chosen if (place := self._place(passage, tokens, sentence)) is not None]
        if not places:
            return None
        best = max(places, key=lambda place: place.share)
        if best.share >= ENOUGH:
            return best
        if best.share >= FEWER and await self._alike(sentence, best):
            return best
        return None

    def _place(self, passage: Passage, tokens: Sequence[Token], sentence: str) -> Support | None:
        """Return the one or two neighbouring units with most of the words; None where a figure or a name is wrong."""
        everything = {token.key for token in tokens}
        said = everything - self._asked or everything
        # The first word is written large whatever it is.
        strict = {token.key for token in tokens if token.number or (token.name and token.start > 0)} - self._asked
        if not said or not strict <= passage.all:
            return None
        last = len(passage.units)
        spans = [*((at, at + 1) for at in range(last)), *((at, at + 2) for at in range(last - 1))]  # one before two
        best: Support | None = None
        for first, behind in spans:
            share = len(said & frozenset().union(passage.around, *passage.keys[first:behind])) / len(said)
            nearest = max(range(first, behind), key=lambda at: len(said & passage.keys[at]))
            says = said & passage.keys[nearest] and _denied(sentence) == _denied(passage.text(nearest))
            if says and (best is None or share > best.share):
                best = Support(passage.match, passage.units[first].start, passage.units[behind - 1].end, share)
        return best

    async def _alike(self, sentence: str, place: Support) -> bool:
        if self._embedder is None:
            return False
        first, second = await self._embedder.embed_documents(
            [sentence, place.match.chunk.text[place.start : place.end]]
        )
        return cosine(first, second) >= ALIKE


def _denied(text: str) -> bool:
    return NEGATION.search(fold(text).replace("’", "'")) is not None
