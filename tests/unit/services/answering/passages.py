"""Matches made from plain texts, for tests of what comes behind retrieval."""

from datetime import UTC, datetime

from multidb_chat.domain.library import Chunk, Document
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Draft, Question
from multidb_chat.services.answering.citing import compose
from multidb_chat.services.answering.extractive import Extractive

MOMENT = datetime(2024, 5, 1, tzinfo=UTC)


def match(
    text: str,
    name: str = "notes.md",
    *,
    title: str = "",
    headings: tuple[str, ...] = (),
    kind: str = "text",
    document_kind: str = "markdown",
    start: int = 0,
    score: float = 0.7,
    collection_id: str = "documents",
) -> Match:
    """Return a match of a document that holds this passage from character `start` on."""
    document = Document(
        id=f"id of {name}",
        collection_id=collection_id,
        source=f"/texts/{name}",
        name=name,
        title=title or name,
        kind=document_kind,
        content_hash="",
        added_at=MOMENT,
        updated_at=MOMENT,
    )
    chunk = Chunk(document.id, 0, start, start + len(text), text, kind, None, headings)
    return Match(chunk, document, 1.0, 0.5, 1.0, score)


async def draft(question: str, *matches: Match) -> Draft:
    """Return what the extractive answerer makes of the matches."""
    items = [item async for item in Extractive().answer(Question(question, question), matches)]
    last = items[-1]
    assert isinstance(last, Draft)
    assert tuple(item for item in items[:-1] if isinstance(item, AnswerSentence)) == last.sentences
    return last


async def answered(question: str, *matches: Match) -> str:
    """Return the answer's Markdown, "" when nothing was found."""
    return compose((await draft(question, *matches)).sentences)
