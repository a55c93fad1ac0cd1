"""Lines that their writer broke at a column, taken together again: a text that is broken twice reads badly."""

import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

TAB = "    "
"""How a tab is drawn."""
_WIDEST = 132  # characters; nobody breaks lines further out
_DEEPEST = 8  # cells by which the first line of a paragraph may stand further in or out than the others
# What begins a line of its own: items of a list, quotations, headings, rows of tables.
_BEGINS = re.compile(r"[ \t]*(?:[-*+•–>#|=~]|\d{1,3}[.)]|[A-Za-z][.)])(?:[ \t]|$)|[ \t]*[-+=|~`]{2}")
_ALONE = re.compile(r"[ \t]*(?:#|```|~~~|\|)|.*\S(?: {3,}|\t)\S")  # a heading, a fence, columns


def paragraphs(lines: Sequence[str], width: int, blocks: Sequence[Hashable] = ()) -> Iterator[range]:
    """Yield the numbers of the lines that are shown as one: those of a paragraph wider than `width`, else a line alone.

    Lines are of one paragraph where each is so full that the first word of the next did not fit. `blocks` tells for
    each line to which part of the text it belongs; none reaches across two, and what belongs to None is left as it is.
    """
    first = 0
    while first < len(lines):
        end = first + 1
        if not blocks or blocks[first] is not None:
            while end < len(lines) and _goes_on(lines, first, end) and (not blocks or blocks[end] == blocks[first]):
                end += 1
        begin = end if max(map(len, lines[first:end])) <= width else _begin(lines, first, end)
        yield from (range(line, line + 1) for line in range(first, begin))
        if begin < end:
            yield range(begin, end)
        first = end


def begins(line: str) -> bool:
    """Tell whether a line begins something of its own: an item of a list, a heading, a row of a table."""
    return _BEGINS.match(line) is not None


def indent(line: str) -> int:
    """Return how far in a line begins, in cells."""
    blank = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blank.replace("\t", TAB))


def _goes_on(lines: Sequence[str], first: int, at: int) -> bool:
    """Tell whether a line may belong to the paragraph that begins with the line `first` and has come so far."""
    line, begin = lines[at], lines[first]
    if not line.strip() or not begin.strip() or begins(line) or _ALONE.match(begin) or _ALONE.match(line):
        return False
    if at == first + 1:
        return abs(indent(line) - indent(begin)) <= _DEEPEST
    return indent(line) == indent(lines[first + 1])


def _begin(lines: Sequence[str], first: int, end: int) -> int:
    """Return where the paragraph begins in these lines, `end` if there is none; further out may stand a heading."""
    if _is_full(lines[first:end]):
        return first
    headed = end > first + 2 and indent(lines[first]) < indent(lines[first + 1]) and _is_full(lines[first + 1 : end])
    return first + 1 if headed else end


def _is_full(lines: Sequence[str]) -> bool:
    """Tell whether each line was broken where the next word did not fit."""
    measure = max(map(len, lines))
    least = measure - measure // 10  # who breaks lines by hand sometimes does it a little earlier
    full = (len(line.rstrip()) + 1 + len(after.split(None, 1)[0]) > least for line, after in pairwise(lines))
    return len(lines) > 1 and measure <= _WIDEST and all(full)
