"""Chunking: spans are exact, nothing is lost, structure is kept."""

from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import Chunk
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument
from multidb_chat.services.chunking import TARGET_CHARS, chunk_document, embedding_text


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


@given(documents(), st.integers(8, 300))
def test_every_chunk_is_exactly_its_span_and_no_character_is_lost_or_doubled(
    parsed: ParsedDocument, target: int
) -> None:
    assert_exact(parsed, chunk_document(parsed, target), target)


@given(documents())
def test_chunking_is_deterministic(parsed: ParsedDocument) -> None:
    assert chunk_document(parsed, 50) == chunk_document(parsed, 50)


@given(documents(), st.integers(8, 300))
def test_a_chunk_begins_on_its_page_and_never_reaches_the_next(parsed: ParsedDocument, target: int) -> None:
    for chunk in chunk_document(parsed, target):
        inside = [b for b in parsed.blocks if b.start < chunk.end and b.end > chunk.start and _text(parsed, b)]
        assert {block.page for block in inside} <= {chunk.page}


def _text(parsed: ParsedDocument, block: Block) -> str:
    return parsed.text[block.start : block.end].strip()


def test_an_empty_text_has_no_chunks() -> None:
    assert chunk_document(ParsedDocument("a", "a", "text", " \n\t ", ())) == []


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


def test_very_long_lines_and_deep_layout_are_cut_without_end() -> None:
    for text in ("word " * 400_000, "x" * 1_000_000, "".join("a" + " " * n for n in range(1_500)), ". " * 200_000):
        parsed = document(("paragraph", text))
        assert_exact(parsed, chunk_document(parsed), TARGET_CHARS)


def test_what_is_embedded_names_title_and_headings_once() -> None:
    assert embedding_text("Guide", ("Guide", "Adding"), "Add files.") == "Guide\nAdding\nAdd files."
    assert embedding_text("Guide", ("Guide", "Adding"), "## Adding\n\nAdd files.") == "Guide\n## Adding\n\nAdd files."
    assert embedding_text("", (), "text") == "text"
    assert embedding_text("bad \udcff name", (), "te\ud800xt") == "bad name\ntext"
