"""Passages of texts that are given with a question and not added to the library: ranked in memory, nothing stored."""

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from multidb_chat.domain.library import Chunk, Document, document_id
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.domain.search import GIVEN, Embedder, Match
from multidb_chat.domain.text import clean_line
from multidb_chat.services.answering.words import Words, is_function_word
from multidb_chat.services.chunking.cutting import embedding_text
from multidb_chat.services.chunking.structure import chunk_document
from multidb_chat.services.similarity import cosine

_EMBEDDED = 24  # passages compared in meaning: at about 25 ms each what a question may cost
_EDGES = 4  # of them so many from the beginning and the end, where a log or a letter says what it is about
_WEIGHED = 600  # passages whose words are weighed; of more, those with the most of the question's word beginnings
_BM25_K1, _BM25_B = 1.2, 0.75  # Robertson and Zaragoza 2009


class OneOff:
    """Ranks passages of texts that are not in the library."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def rank_texts(self, question: str, named: Sequence[tuple[str, str]], limit: int = 10) -> list[Match]:
        """Return the passages of plain texts, given as (name, text), that fit the question best; best first."""
        parsed = [
            ParsedDocument(name, clean_line(name), "text", text.replace("\r\n", "\n").replace("\0", ""), ())
            for name, text in named
        ]
        return await self.rank(question, parsed, limit)

    async def rank(self, question: str, parsed: Sequence[ParsedDocument], limit: int = 10) -> list[Match]:
        """Return the passages of parsed documents that fit the question best; best first.

        They are matches like those of the library: spans are of the document's text, ids are derived from its content.
        """
        pool = await asyncio.to_thread(_pool, question, parsed)
        if not pool:
            return []
        texts = [embedding_text(document.title, chunk.headings, chunk.text) for document, chunk, _ in pool]
        wanted, vectors = await asyncio.gather(
            self._embedder.embed_query(question), self._embedder.embed_documents(texts)
        )
        similar = [cosine(wanted, vector) for vector in vectors]
        return _fused(pool, similar)[:limit]


_Weighed = tuple[Document, Chunk, float]  # the weight: BM25 over the sum of what the question's words can give


def _pool(question: str, parsed: Sequence[ParsedDocument]) -> list[_Weighed]:
    """Return the passages that are worth comparing in meaning, with their lexical weight, best first."""
    passages = [
        (document, chunk) for item in parsed for document in [_document(item)] for chunk in chunk_document(
            item, document_id=document.id
        )
    ]  # fmt: skip
    words = Words()
    keys = {words.key(word) for word in _content(question, words)}
    wanted = dict.fromkeys(keys, 1.0) | {key: 0.5 for one in keys for key in words.near(one) if key not in keys}
    weighed = _weighed(_promising(passages, wanted), wanted, words)
    best = sorted(weighed, key=lambda item: -item[2])[: _EMBEDDED - 2 * _EDGES]
    taken = {(chunk.document_id, chunk.ordinal) for _, chunk, _ in best}
    edges = [
        (document, chunk, 0.0)
        for document, chunk in passages[:_EDGES] + passages[-_EDGES:] + passages[_EDGES:_EMBEDDED]
        if (chunk.document_id, chunk.ordinal) not in taken
    ]
    return (best + list({(chunk.document_id, chunk.ordinal): (d, chunk, w) for d, chunk, w in edges}.values()))[
        :_EMBEDDED
    ]


def _content(question: str, words: Words) -> list[str]:
    written = [question[token.start : token.end] for token in words.tokens(question)]
    return [word for word in written if not is_function_word(word)]


def _document(parsed: ParsedDocument) -> Document:
    content = hashlib.sha256(parsed.text.encode("utf-8", "surrogatepass")).hexdigest()
    now = datetime.now(UTC)
    return Document(
        id=document_id(GIVEN, content, parsed.name),
        collection_id=GIVEN,
        source=parsed.name,
        name=parsed.name,
        title=parsed.title,
        kind=parsed.kind,
        content_hash=content,
        added_at=now,
        updated_at=now,
        characters=len(parsed.text),
        pages=parsed.pages,
        language=parsed.language,
        authored_at=parsed.authored_at,
        metadata=parsed.metadata,
    )


def _promising(passages: list[tuple[Document, Chunk]], wanted: dict[str, float]) -> list[tuple[Document, Chunk]]:
    """Of very many passages leave those that hold the most beginnings of the question's words: cheap, and enough."""
    if len(passages) <= _WEIGHED:
        return passages
    stubs = [(key[:5], weight) for key, weight in wanted.items()]
    ranked = sorted(passages, key=lambda item: -sum(weight for stub, weight in stubs if stub in item[1].text.lower()))
    return ranked[:_WEIGHED]


def _weighed(passages: list[tuple[Document, Chunk]], wanted: dict[str, float], words: Words) -> list[_Weighed]:
    """Return the passages that hold a wanted word, with BM25 over them."""
    counts = [Counter(token.key for token in words.tokens(chunk.text)) for _, chunk in passages]
    average = sum(count.total() for count in counts) / max(1, len(counts))
    rows = len(passages)
    rare = {}
    for key in wanted:
        found = sum(key in count for count in counts)
        rare[key] = math.log(1 + (rows - found + 0.5) / (found + 0.5))
    most = sum(weight * rare[key] for key, weight in wanted.items() if weight == 1.0) or 1.0
    weighed = []
    for (document, chunk), count in zip(passages, counts, strict=True):
        norm = _BM25_K1 * (1 - _BM25_B + _BM25_B * count.total() / average) if average else _BM25_K1
        score = sum(
            weight * rare[key] * count[key] * (_BM25_K1 + 1) / (count[key] + norm)
            for key, weight in wanted.items()
            if count[key]
        )
        if score > 0:
            weighed.append((document, chunk, score / most))
    return weighed


def _fused(pool: Sequence[_Weighed], similar: Sequence[float]) -> list[Match]:
    """Return the pool as matches, best first; fused and scored like those of the library."""
    from multidb_chat.services.ranking import VECTOR_WEIGHT, calibrated

    matches = [
        Match(
            chunk,
            document,
            lexical=share or None,
            vector=cosine,
            fused=VECTOR_WEIGHT * cosine + (1 - VECTOR_WEIGHT) * share,
            score=calibrated(cosine, share),
        )
        for (document, chunk, share), cosine in zip(pool, similar, strict=True)
    ]
    return sorted(matches, key=lambda match: -match.fused)
