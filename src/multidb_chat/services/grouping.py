"""Neighbouring passages as one match: what continues is read, cited and answered from as a whole."""

from collections.abc import Iterable, Mapping, Sequence

from multidb_chat.domain.library import Chunk
from multidb_chat.services.ranking import Ranked

# A match grows to at most so many chunks.
MOST_MERGED = 3

Group = list[Ranked]
Run = tuple[Ranked, list[Chunk]]
# A document, and its chunks from one number to another.
Span = tuple[str, int, int]


def grouped(ranked: Sequence[Ranked], limit: int) -> list[Group]:
    """Put chunks with neighbouring numbers together around the best ones, which come first; at most `limit` groups."""
    groups: list[Group] = []
    there: dict[str, list[Group]] = {}
    for one in ranked:
        same = there.setdefault(one.document_id, [])
        home = next((group for group in same if _adjoins(group, one)), None)
        if home is not None:
            home.append(one)
        elif len(groups) < limit:
            groups.append([one])
            same.append(groups[-1])
    return groups


def span(group: Group) -> Span:
    """Return what the group spans."""
    ordinals = [one.ordinal for one in group]
    return group[0].document_id, min(ordinals), max(ordinals)


def spans(keys: Iterable[tuple[str, int]]) -> list[Span]:
    """Return what the chunks span, neighbours together."""
    ordinals: dict[str, list[int]] = {}
    for document_id, ordinal in keys:
        ordinals.setdefault(document_id, []).append(ordinal)
    found: list[Span] = []
    for document_id, numbers in ordinals.items():
        for number in sorted(numbers):
            if found and found[-1][0] == document_id and found[-1][2] == number - 1:
                found[-1] = (document_id, found[-1][1], number)
            else:
                found.append((document_id, number, number))
    return found


def runs(group: Sequence[Ranked], chunks: Sequence[Chunk]) -> list[Run]:
    """Return the group as runs of those `chunks` that continue each other's section and page, each with its best chunk.

    Another page or heading would be told wrongly of the whole, so such a neighbour becomes a run of its own.
    """
    there = {chunk.ordinal: chunk for chunk in chunks}
    left = [one for one in group if one.ordinal in there]
    found: list[Run] = []
    while left:
        best = left[0]
        joined = _continuous(best, {one.ordinal: there[one.ordinal] for one in left})
        taken = {chunk.ordinal for chunk in joined}
        found.append((best, joined))
        left = [one for one in left if one.ordinal not in taken]
    return found


def _continuous(start: Ranked, there: Mapping[int, Chunk]) -> list[Chunk]:
    best = there[start.ordinal]
    joined = [best]
    for step in (-1, 1):
        ordinal = start.ordinal + step
        while (chunk := there.get(ordinal)) and (chunk.page, chunk.headings) == (best.page, best.headings):
            joined.insert(0 if step < 0 else len(joined), chunk)
            ordinal += step
    return joined


def _adjoins(group: Group, one: Ranked) -> bool:
    if len(group) >= MOST_MERGED:
        return False
    ordinals = [member.ordinal for member in group]
    return one.ordinal in (min(ordinals) - 1, max(ordinals) + 1)
