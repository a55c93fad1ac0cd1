"""The evaluation texts as documents, and their passages ranked for a question as for a text given with one."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from multidb_chat.adapters.readers.formats.markdown import markdown_blocks
from multidb_chat.adapters.readers.tables import table_lines
from multidb_chat.domain.reading import Block, ParsedDocument
from multidb_chat.domain.search import Embedder, Match
from multidb_chat.services.one_off import OneOff

FOLDER = Path(__file__).parent / "documents"


class Memory:
    """An embedder that remembers: the passages are the same for every question."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, bytes] = {}
        self.name, self.dimensions = embedder.name, embedder.dimensions

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question."""
        return await self._embedder.embed_query(text)

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for text, vector in zip(new, await self._embedder.embed_documents(new) if new else [], strict=True):
            self._known[text] = vector
        return [self._known[text] for text in texts]

    async def close(self) -> None:
        """Close the embedder."""
        await self._embedder.close()


@cache
def parsed_documents() -> tuple[ParsedDocument, ...]:
    """Return the texts of the folder as the readers give them."""
    return tuple(_parsed(path) for path in sorted(FOLDER.iterdir()))


def _parsed(path: Path) -> ParsedDocument:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        return ParsedDocument(path.name, text[2:].partition("\n")[0], "markdown", text, tuple(markdown_blocks(text)))
    if path.suffix == ".csv":
        text = "\n".join(table_lines(line.split(",") for line in text.splitlines()))
        return ParsedDocument(path.name, path.stem, "csv", text, (Block(0, len(text), "table"),))
    return ParsedDocument(path.name, text.partition("\n")[0] if path.suffix == ".txt" else path.stem, "text", text, ())


async def matches_for(question: str, documents: Sequence[ParsedDocument], embedder: Embedder) -> list[Match]:
    """Return the passages for a question, best first."""
    return await OneOff(embedder).rank(question, documents)
