"""The picked sentences as Markdown that is safe to show, and their citations.

A document's text may hold anything. What would act in Markdown (links, images, HTML, block marks, bare addresses) is
made inert; emphasis and code of Markdown documents stay. Numbers in square brackets become round ones, so that the only
`[n]` in an answer are its own citations. The citation's snippet stays exactly what the document says.
"""

import re
from collections.abc import Iterable

from multidb_chat.domain.search import Match
from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import AnswerSentence, Citation
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.answering.selection import Pick
from multidb_chat.services.answering.sentences import Unit

_CUT_WORD = re.compile(r"(?<=[^\W\d_])-[ \t]*\n[ \t]*(?=[^\W\d_A-Z])")
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\(\s*<?([^\s()<>]*)>?[^()]*\)")
_REFERENCE = re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]")
_NUMBERED = re.compile(r"\[(\d[\d,; –-]*)\]")
_BLOCK_MARK = re.compile(r"^(#{1,6}(?=\s|$)|>|[-+*=_~](?=[\s\-=_*~]|$)|\||`{3,}|~{3,})|^(\d{1,9})([.)])(?=\s|$)")
_ESCAPED = r"\\[!-/:-@\[-`{-~]"
_ADDRESS = re.compile(
    rf"\b(?:(?:https?|ftp|mailto|file|javascript|data):|www\.)(?:(?!\\`){_ESCAPED}|[^\s<>`*\\])+", re.IGNORECASE
)
# A bracket does something only before what makes a link or a definition of it, "<" only before a tag or an address.
_BRACKETS = r"\](?=[(\[:])|<(?=[A-Za-z/!?])"
_PLAIN_ACTIVE = re.compile(rf"[\\*`]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|(?<=~)~|&(?=#?\w+;)|{_BRACKETS}")
_MARKDOWN_ACTIVE = re.compile(rf"({_ESCAPED})|(?:`|\\$|{_BRACKETS})")


def inert(text: str, markdown: bool = False) -> str:
    """Return one line of a document as Markdown that shows the same words and does nothing.

    `markdown`: the text is Markdown, so emphasis and code spans keep their meaning.
    """
    # A word that was cut at the end of a line keeps its hyphen: it may be its own.
    line = " ".join(_CUT_WORD.sub("-", clean(text)).split())
    if not markdown:
        return _guard_start(_addresses(_PLAIN_ACTIVE.sub(r"\\\g<0>", _NUMBERED.sub(r"(\1)", line))))
    pieces, at = [], 0
    for span in _CODE_SPAN.finditer(line):
        pieces += [_prose(line[at : span.start()]), span[0]]
        at = span.end()
    return _guard_start(_joined([*pieces, _prose(line[at:])]))


def _joined(pieces: Iterable[str]) -> str:
    """Return the pieces in a row, with a space where two spans of code would run into one another and end neither."""
    joined = ""
    for piece in pieces:
        joined += f" {piece}" if joined.endswith("`") and piece.startswith("`") else piece
    return joined


def _prose(text: str) -> str:
    """Return Markdown without code spans, with each link and image as its words and nothing that could become one."""
    for _ in range(3):  # an image may stand in a link
        text = _REFERENCE.sub(r"\1", _LINK.sub(lambda found: found[1] or found[2], text))
    text = _MARKDOWN_ACTIVE.sub(lambda found: found[1] or f"\\{found[0]}", _NUMBERED.sub(r"(\1)", text))
    return _addresses(text)


def _addresses(text: str) -> str:
    """Return the text with addresses as code, which nobody can click by mistake."""
    return _ADDRESS.sub(lambda found: f"`{re.sub(_ESCAPED, lambda one: one[0][1], found[0])}`", text)


def _guard_start(text: str) -> str:
    return _BLOCK_MARK.sub(lambda found: f"{found[2]}\\{found[3]}" if found[2] else f"\\{found[1]}", text)


def fenced(text: str) -> str:
    """Return code as a fenced block that its text cannot leave."""
    body = clean(text).strip("\n")
    opening = re.match(r"\s*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n?", body)
    language = ""
    if opening:
        language = opening[2]
        body = re.sub(r"\n?[ \t]*" + re.escape(opening[1]) + r"[`~]*[ \t]*$", "", body[opening.end() :])
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def table(header: str | None, row: str) -> str:
    """Return a table row, below its header where one is given, as Markdown; a row without cells as one line."""
    cells = _cells(row)
    if len(cells) < 2:
        return inert(row)
    names = _cells(header) if header is not None else []
    width = max(len(names), len(cells))
    lines = [names, ["---"] * width, cells] if names else [cells]
    return "\n".join(
        "| " + " | ".join(_cell(cell) for cell in line + [""] * (width - len(line))) + " |" for line in lines
    )


def _cell(text: str) -> str:
    return text if text == "---" else inert(text).replace("|", "\\|")


def _cells(row: str) -> list[str]:
    stripped = row.strip()
    if stripped.startswith("|"):
        return [cell.strip() for cell in re.split(r"(?<!\\)\|", stripped.strip("|"))]
    return [cell.strip() for cell in stripped.split("\t")] if "\t" in stripped else [stripped]


class Sheet:
    """Collects the sentences and citations of one answer: numbers in order of appearance, equal spans share one."""

    def __init__(self) -> None:
        self.sentences: list[AnswerSentence] = []
        self.citations: list[Citation] = []
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._last: tuple[str, int, str] = ("", -1, "")

    def add(self, pick: Pick) -> None:
        """Add a pick: its units as sentences, with one citation for all or one for each."""
        match = pick.passage.match
        units = [pick.passage.units[at] for at in pick.units]
        rows = [unit for unit in units if unit.kind == "row"]
        shared = self._cite(match, units[0].start, units[-1].end) if pick.together else None
        if rows and shared is None:
            shared = self._cite(match, rows[0].start, rows[-1].end)
        header: str | None = None
        for unit in units:
            if unit.kind == "header" and rows:
                header = match.chunk.text[unit.start : unit.end]
            elif unit.kind != "heading":
                number = shared or self._cite(match, unit.start, unit.end)
                text = _shown(unit, match, header)
                self.sentences.append(AnswerSentence(text, (number,), self._before(match, unit)))
                header = None

    def _cite(self, match: Match, start: int, end: int) -> int:
        place = (match.document.id, match.chunk.start + start, match.chunk.start + end)
        if place not in self._numbers:
            self._numbers[place] = len(self._numbers) + 1
            self.citations.append(citation(match, self._numbers[place], start, end))
        return self._numbers[place]

    def _before(self, match: Match, unit: Unit) -> str:
        """Return what separates the unit from what was written last."""
        last_document, last_block, last_kind = self._last
        same = last_document == match.document.id and last_block == unit.block
        self._last = (match.document.id, unit.block, unit.kind)
        if not last_kind:
            return ""
        if unit.kind in ("item", "row") and last_kind == unit.kind and same:
            return "\n"
        return " " if unit.kind == last_kind == "sentence" and last_document == match.document.id else "\n\n"


def _shown(unit: Unit, match: Match, header: str | None) -> str:
    text = match.chunk.text[unit.start : unit.end]
    if unit.kind == "code":
        return fenced(text)
    if unit.kind in ("row", "header"):
        return table(header, text)
    line = inert(text, match.document.kind == "markdown")
    if unit.kind != "item":
        return line
    marker = re.sub(r"\D", "", unit.marker)
    return f"{marker}. {line}" if marker else f"- {line}"
