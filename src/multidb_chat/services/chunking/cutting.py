"""How a collection's documents become passages, and what is embedded for them."""

from collections.abc import Sequence
from typing import NamedTuple

from multidb_chat.domain.library import TARGET_CHARS, Chunk, Collection, Strategy
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.domain.text import clean_line
from multidb_chat.services.chunking.fixed import fixed_chunks
from multidb_chat.services.chunking.sections import HEADING_CHARS, plain_heading
from multidb_chat.services.chunking.semantic import VERSION, SemanticCut
from multidb_chat.services.chunking.structure import chunk_document


class Cutting(NamedTuple):
    """A way to cut documents into passages of about so many characters; `headers`: see `embedding_text`."""

    strategy: Strategy = "structure"
    chars: int = TARGET_CHARS
    headers: bool = True

    @staticmethod
    def of(collection: Collection, usual_chars: int) -> "Cutting":
        """Return how a collection's documents are cut."""
        return Cutting(collection.chunking, collection.chunk_chars or usual_chars, collection.headers)

    @property
    def version(self) -> str:
        """Name what cuts by meaning, "" for what cuts by the text alone, whose passages tell it from any other."""
        return f"semantic {VERSION} {self.chars} {self.headers}" if self.strategy == "semantic" else ""

    def by_meaning(self, parsed: ParsedDocument) -> SemanticCut | None:
        """Return what decides with vectors where to cut a document; None where the text alone does."""
        return SemanticCut(parsed, self.chars) if self.strategy == "semantic" else None

    def by_text(self, parsed: ParsedDocument, document_id: str) -> list[Chunk]:
        """Return the passages of a document that the text alone decides."""
        cut = fixed_chunks if self.strategy == "fixed" else chunk_document
        return cut(parsed, self.chars, document_id)

    def texts(self, title: str, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """Return what is embedded for each passage of a document."""
        if not self.headers:
            return tuple(embedding_text("", (), one.text) for one in chunks)
        return tuple(embedding_text(title, one.headings, one.text) for one in chunks)


def embedding_text(title: str, headings: Sequence[str], text: str) -> str:
    """Return what is embedded for a passage: the document's title, the heading path, and the passage.

    What the passage itself begins with is not said twice. Lone surrogates (from file names) go.
    """
    said = [plain_heading(line) for line in text[: 2 * HEADING_CHARS].split("\n")]
    lines: list[str] = []
    for line in (clean_line(title), *headings):
        if line and line not in said:
            said.append(line)
            lines.append(line)
    whole = "\n".join((*lines, text))
    return whole.encode("utf-8", "ignore").decode()
