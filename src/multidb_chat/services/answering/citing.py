"""Citations and their marks in the text. Imports nothing heavy: cached answers come by here too."""

from collections.abc import Sequence

from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Citation


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


def written(sentence: AnswerSentence, previous: AnswerSentence | None, following: AnswerSentence | None) -> str:
    """Return a sentence as it is written into the answer: separator, words, and its `[n]` marks.

    Where neighbouring sentences share the citation the marks stand once, behind the last of them and before code or a
    table, which carries none itself.
    """
    marks = "".join(f"[{number}]" for number in sentence.citations)
    goes_on = following is not None and following.citations == sentence.citations
    went_on = previous is not None and previous.citations == sentence.citations
    if _is_block(sentence):
        silent = went_on or goes_on
    else:
        silent = goes_on and following is not None and not _is_block(following)
    if not marks or silent:
        return sentence.before + sentence.text
    return f"{sentence.before}{sentence.text}{chr(10) * 2 if _is_block(sentence) else ' '}{marks}"


def _is_block(sentence: AnswerSentence) -> bool:
    return sentence.text.startswith(("```", "| "))


def compose(sentences: Sequence[AnswerSentence]) -> str:
    """Return the whole Markdown text of an answer."""
    around = zip((None, *sentences[:-1]), sentences, (*sentences[1:], None), strict=True)
    return "".join(written(sentence, previous, following) for previous, sentence, following in around)
