"""Chunking: spans are exact, nothing is lost, structure is kept."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import TARGET_CHARS, Chunk, Collection
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument
from multidb_chat.services.chunking.cutting import Cutting, embedding_text
from multidb_chat.services.chunking.fixed import fixed_chunks
from multidb_chat.services.chunking.semantic import SemanticCut
from multidb_chat.services.chunking.structure import chunk_document


def document(*parts: tuple[BlockKind, str] | Block, text: str = "", between: str = "\n\n") -> ParsedDocument:
    """A document whose blocks are these texts, one behind the other."""
    blocks = []
    for part in parts:
        if isinstance(part, Block):
            blocks.append(part)
            continue
        kind, words = part
        level = len(words) - len(words.lstrip("#")) if kind == "heading" else 0
        text += between if text else ""
        blocks.append(Block(len(text), len(text) + len(words), kind, level))
        text += words
    return ParsedDocument("a.md", "A", "markdown", text, tuple(blocks))


def assert_exact(parsed: ParsedDocument, chunks: list[Chunk], target: int) -> None:
    at = 0
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert parsed.text[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() != ""
        assert not parsed.text[at : chunk.start].strip(), "only white space lies between chunks"
        assert len(chunk.text) <= 1.5 * target
        at = chunk.end
    assert not parsed.text[at:].strip()


KINDS: list[BlockKind] = ["heading", "paragraph", "list", "table", "code", "function"]
WORDS = st.text(
    st.sampled_from("ab. ,?!;:()[]\"'—/\\–&-…\n\t \u3000\u2028\x0b\x1f。、é🙂\ud800#=*|"), max_size=120
) | st.text(max_size=60)


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    """Any text cut at any places into blocks of any kind; some stretches belong to no block, as no reader should do."""
    text = "".join(draw(st.lists(WORDS, max_size=12))).replace("\x00", "")
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=16)))
    blocks = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        kind = draw(st.sampled_from(KINDS))
        level = draw(st.integers(1, 6)) if kind == "heading" else 0
        page = draw(st.none() | st.integers(1, 3))
        label = draw(st.sampled_from(["", "Class.method"])) if kind == "function" else ""
        blocks.append(Block(start, end, kind, level, page, label))
    return ParsedDocument("name", "title", "text", text, tuple(blocks))


def vector_of(text: str) -> bytes:
    """A unit vector that depends on every character of a text."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(8)
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def semantic_chunks(
    parsed: ParsedDocument, target: int = TARGET_CHARS, vector: Callable[[str], bytes] = vector_of
) -> list[Chunk]:
    cut = SemanticCut(parsed, target)
    return cut.chunks([vector(text) for text in cut.texts])


ways = pytest.mark.parametrize("cut", [chunk_document, fixed_chunks, semantic_chunks])
Cutter = Callable[[ParsedDocument, int], list[Chunk]]


@ways
@given(parsed=documents(), target=st.integers(8, 300))
def test_every_chunk_is_exactly_its_span_and_no_character_is_lost_or_doubled(
    parsed: ParsedDocument, target: int, cut: Cutter
) -> None:
    assert_exact(parsed, cut(parsed, target), target)


@ways
@given(parsed=documents())
def test_chunking_is_deterministic(parsed: ParsedDocument, cut: Cutter) -> None:
    assert cut(parsed, 50) == cut(parsed, 50)


@ways
@given(parsed=documents(), target=st.integers(8, 300))
def test_a_chunk_begins_on_its_page_and_never_reaches_the_next(
    parsed: ParsedDocument, target: int, cut: Cutter
) -> None:
    for chunk in cut(parsed, target):
        inside = [b for b in parsed.blocks if b.start < chunk.end and b.end > chunk.start and _text(parsed, b)]
        assert {block.page for block in inside} <= {chunk.page}


def _text(parsed: ParsedDocument, block: Block) -> str:
    return parsed.text[block.start : block.end].strip()


@ways
def test_an_empty_text_has_no_chunks(cut: Cutter) -> None:
    assert cut(ParsedDocument("a", "a", "text", " \n\t ", ()), 100) == []


def test_paragraphs_of_a_section_are_packed_to_the_target() -> None:
    parsed = document(*[("paragraph", f"Sentence {number} says a little. " * 10) for number in range(9)])
    chunks = chunk_document(parsed, 1_000)
    assert_exact(parsed, chunks, 1_000)
    assert [len(chunk.text) > 500 for chunk in chunks] == [True] * 3


def test_the_heading_path_leads_from_the_outermost_heading_to_the_section() -> None:
    parsed = document(
        ("heading", "# Guide"),
        ("paragraph", "Welcome."),
        ("heading", "## Adding ##"),
        ("heading", "### Files"),
        ("paragraph", "Add files."),
        ("heading", "## Removing"),
        ("paragraph", "Remove files."),
        ("heading", "# Appendix"),
    )
    chunks = chunk_document(parsed)
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [
        (("Guide",), "# Guide\n\nWelcome."),
        (("Guide", "Adding", "Files"), "## Adding ##\n\n### Files\n\nAdd files."),
        (("Guide", "Removing"), "## Removing\n\nRemove files."),
        (("Appendix",), "# Appendix"),
    ]


def test_a_heading_stays_with_the_body_that_follows_it() -> None:
    parsed = document(("heading", "# One"), ("paragraph", "x" * int(TARGET_CHARS * 1.24)))
    assert len(chunk_document(parsed)) == 1


def test_a_function_is_a_chunk_with_its_name_as_last_heading() -> None:
    text = "import os\n\ndef a():\n    pass\n\ndef b():\n    pass"
    a, b = text.index("def a"), text.index("def b")
    parsed = ParsedDocument(
        "m.py",
        "m.py",
        "python",
        text,
        (Block(0, 9, "code"), Block(a, b - 2, "function", label="a"), Block(b, len(text), "function", label="b")),
    )
    assert [(c.headings, c.kind) for c in chunk_document(parsed)] == [
        ((), "code"),
        (("a",), "function"),
        (("b",), "function"),
    ]


def test_a_table_that_fits_is_whole_and_a_long_one_is_cut_between_rows() -> None:
    small = "\n".join(f"| row {number} | value |" for number in range(40))
    assert [c.text for c in chunk_document(document(("table", small)))] == [small]
    large = document(("table", "\n".join(f"| row {number} | " + "value " * 12 + "|" for number in range(200))))
    chunks = chunk_document(large)
    assert_exact(large, chunks, TARGET_CHARS)
    assert all(line.startswith("| row") and line.endswith("|") for c in chunks for line in c.text.split("\n"))
    assert {chunk.kind for chunk in chunks} == {"table"}


def test_code_is_cut_between_lines_and_keeps_its_indentation() -> None:
    lines = [f"    value_{number} = compute({number})" for number in range(200)]
    parsed = document(("code", "\n".join(["def long():", *lines])))
    cut = [line.strip() for c in chunk_document(parsed, 400) for line in c.text.split("\n")]
    assert cut == ["def long():", *(line.strip() for line in lines)]


def test_wrapped_prose_is_cut_between_sentences_rather_than_lines() -> None:
    sentences = [
        f"This is sentence number {n} of a paragraph\nthat is  wrapped and\n  indented here." for n in range(60)
    ]
    parsed = document(("paragraph", "\n".join(sentences)))
    chunks = chunk_document(parsed, 500)
    assert_exact(parsed, chunks, 500)
    assert all(chunk.text.startswith("This is") and chunk.text.endswith("here.") for chunk in chunks)
    assert min(len(chunk.text) for chunk in chunks) > 300


def test_prose_without_spaces_is_cut_behind_its_own_full_stops() -> None:
    parsed = document(("paragraph", "今日は天気がいいですから、散歩に行きました。" * 80))
    chunks = chunk_document(parsed, 300)
    assert_exact(parsed, chunks, 300)
    assert all(chunk.text.endswith("。") for chunk in chunks)


def test_a_small_rest_joins_its_neighbour() -> None:
    parsed = document(("paragraph", "a" * 900), ("paragraph", "b" * 250), ("paragraph", "The end."))
    assert [len(chunk.text) for chunk in chunk_document(parsed, 1_000)] == [900, 260]
    parsed = document(("paragraph", "a" * 990), ("paragraph", "The end."))
    assert len(chunk_document(parsed, 1_000)) == 1


def test_text_that_a_reader_left_out_of_all_blocks_is_kept() -> None:
    parsed = ParsedDocument("a", "a", "text", "before inside after", (Block(7, 13, "paragraph"),))
    assert [chunk.text for chunk in chunk_document(parsed)] == ["before inside after"]


@ways
def test_very_long_lines_and_deep_layout_are_cut_without_end(cut: Cutter) -> None:
    for text in ("word " * 400_000, "x" * 1_000_000, "".join("a" + " " * n for n in range(1_500)), ". " * 200_000):
        parsed = document(("paragraph", text))
        assert_exact(parsed, cut(parsed, TARGET_CHARS), TARGET_CHARS)


def test_fixed_passages_are_of_one_length_whatever_the_structure_and_end_between_words() -> None:
    parsed = document(*[
        part for number in range(30) for part in (("heading", f"# Part {number}"), ("paragraph", "some words " * 20))
    ])  # fmt: skip
    chunks = fixed_chunks(parsed, 500)
    assert_exact(parsed, chunks, 500)
    assert len(chunks) == -(-len(parsed.text) // 500)
    assert all(450 < len(chunk.text) <= 510 for chunk in chunks)
    assert {word for chunk in chunks for word in chunk.text.split()} == set(parsed.text.split())
    assert chunks[0].headings == ("Part 0",)
    assert all(chunk.headings == (f"Part {parsed.text[: chunk.start + 1].count('#') - 1}",) for chunk in chunks)


def test_a_long_section_is_cut_where_its_sentences_turn_to_something_else() -> None:
    about = {"sails": (1.0, 0.0), "bread": (0.0, 1.0), "goats": (-1.0, 0.0)}
    counts = {"sails": 7, "bread": 4, "goats": 6}
    sentences = [f"This sentence says something of {what}." for what, count in counts.items() for _ in range(count)]

    def vector(text: str) -> bytes:
        return np.array(next(place for what, place in about.items() if what in text), "<f4").tobytes()

    parsed = document(("paragraph", " ".join(sentences)))
    chunks = semantic_chunks(parsed, 280, vector)
    assert_exact(parsed, chunks, 280)
    assert [{what: chunk.text.count(what) for what in about if what in chunk.text} for chunk in chunks] == [
        {what: count} for what, count in counts.items()
    ]


def test_a_section_that_fits_is_not_embedded_to_be_cut() -> None:
    parsed = document(("heading", "# One"), ("paragraph", "Short. Words."), ("heading", "# Two"), ("paragraph", "x"))
    cut = SemanticCut(parsed, 200)
    assert cut.texts == []
    assert [chunk.text for chunk in cut.chunks([])] == [chunk.text for chunk in chunk_document(parsed, 200)]


def test_no_passage_by_meaning_is_a_heading_without_its_body() -> None:
    body = " ".join(f"Sentence {number} of this part." for number in range(40))
    parsed = document(("heading", "# One"), ("heading", "## Two"), ("paragraph", body))
    chunks = semantic_chunks(parsed, 300)
    assert_exact(parsed, chunks, 300)
    assert chunks[0].text.startswith("# One\n\n## Two\n\nSentence 0")


def test_a_collection_says_how_it_is_cut_and_the_installation_how_long_where_it_does_not() -> None:
    collection = Collection("c", "ada", "papers", datetime.now(UTC))
    assert Cutting.of(collection, 900) == Cutting("structure", 900, True)
    own = Collection("c", "ada", "papers", datetime.now(UTC), chunking="fixed", chunk_chars=300, headers=False)
    assert Cutting.of(own, 900) == Cutting("fixed", 300, False)


def test_without_headers_a_passage_is_embedded_as_it_is() -> None:
    chunks = chunk_document(document(("heading", "# Guide"), ("paragraph", "Add files.")))
    assert Cutting(headers=False).texts("Title", chunks) == ("# Guide\n\nAdd files.",)
    assert Cutting().texts("Title", chunks) == ("Title\n# Guide\n\nAdd files.",)


def test_what_is_embedded_names_title_and_headings_once() -> None:
    assert embedding_text("Guide", ("Guide", "Adding"), "Add files.") == "Guide\nAdding\nAdd files."
    assert embedding_text("Guide", ("Guide", "Adding"), "## Adding\n\nAdd files.") == "Guide\n## Adding\n\nAdd files."
    assert embedding_text("", (), "text") == "text"
    assert embedding_text("bad \udcff name", (), "te\ud800xt") == "bad name\ntext"
