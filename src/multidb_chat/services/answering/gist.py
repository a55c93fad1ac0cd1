"""What a text is about, for "summarise this": its opening sentence and the ones that share most words with the rest."""

import math
from collections import Counter
from collections.abc import Sequence

from multidb_chat.services.answering.evidence import Candidate
from multidb_chat.services.answering.question import Analysis
from multidb_chat.services.answering.selection import Pick, in_order, says_the_same
from multidb_chat.services.answering.words import is_function_word

_SENTENCES = 4
_FULL_LENGTH = 8  # words from which a sentence is not too short to tell something


def asks_for_gist(analysis: Analysis) -> bool:
    """Tell whether a question is about the text as a whole, naming nothing in it."""
    return analysis.kind == "summary" and not any(term.weight == 1.0 for term in analysis.terms)


def gist(candidates: Sequence[Candidate]) -> list[Pick]:
    """Return the sentences that tell what the passages are about, in their order."""
    sentences = [one for one in candidates if one.unit.kind in ("sentence", "item")] or list(candidates)
    words = {id(one): _content(one) for one in sentences}
    common = Counter(key for keys in words.values() for key in keys)
    first = min(sentences, key=lambda one: (one.passage.rank, one.passage.match.chunk.start + one.unit.start))
    chosen = [first]
    for one in sorted(sentences, key=lambda one: -_weight(words[id(one)], common)):
        if len(chosen) == _SENTENCES:
            break
        if one is not first and not any(says_the_same(one, other) for other in chosen):
            chosen.append(one)
    return in_order([Pick(one.passage, (one.at,), False) for one in chosen])


def _content(candidate: Candidate) -> set[str]:
    text, tokens = candidate.text, candidate.passage.tokens[candidate.at]
    return {token.key for token in tokens if not is_function_word(text[token.start : token.end])}


def _weight(keys: set[str], common: Counter[str]) -> float:
    """Return the mean weight of a sentence's words, which is higher the more sentences share them."""
    if not keys:
        return 0.0
    return sum(math.log(common[key]) for key in keys) / len(keys) * min(1.0, len(keys) / _FULL_LENGTH)
