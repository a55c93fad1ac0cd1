"""Citations and their marks in the text. Imports nothing heavy: cached answers come by here too."""

from collections.abc import Sequence

from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Citation

UNSUPPORTED = "[?]"
"""The mark behind a sentence that no passage supports."""


def citation(match: Match, number: int, start: int = 0, end: int | None = None) -> Citation:
    """Return the citation of the characters `start` to `end` of a match's passage (None: to its end)."""
    chunk, document = match.chunk, match.document
    snippet = chunk.text[start:end]
    return Citation(
        number=number,
        document_id=document.id,
        document_name=document.name,
        title=document.title,
        source=document.source,
        collection_id=document.collection_id,
        start=chunk.start + start,
        end=chunk.start + start + len(snippet),
        snippet=snippet,
        page=chunk.page,
        headings=chunk.headings,
        score=match.score,
        quality=match.quality,
        lexical=match.lexical,
        vector=match.vector,
    )


def written(sentence: AnswerSentence, following: AnswerSentence | None) -> str:
    """Return a sentence as it is written into the answer: separator, words, and its `[n]` marks.

    Where the next sentence shares the citation the marks wait for the last one that does; behind code and tables, which
    carry none themselves, they stand on a line of their own.
    """
    marks = "".join(f"[{number}]" for number in sentence.citations) if sentence.supported else UNSUPPORTED
    if not marks or (following is not None and _marks_alike(following, sentence)):
        return sentence.before + sentence.text
    space = "\n\n" if sentence.text.startswith(("```", "| ")) else " "
    return f"{sentence.before}{sentence.text}{space}{marks}"


def _marks_alike(first: AnswerSentence, second: AnswerSentence) -> bool:
    return (first.citations, first.supported) == (second.citations, second.supported)


def compose(sentences: Sequence[AnswerSentence]) -> str:
    """Return the whole Markdown text of an answer."""
    return "".join(map(written, sentences, (*sentences[1:], None)))
