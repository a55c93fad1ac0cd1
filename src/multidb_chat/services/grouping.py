"""Neighbouring passages as one match: what continues is read, cited and answered from as a whole."""

from collections.abc import Mapping, Sequence

from multidb_chat.domain.library import Chunk
from multidb_chat.services.ranking import Ranked

# A match grows to at most so many chunks.
MOST_MERGED = 3

Group = list[Ranked]
Run = tuple[Ranked, list[Chunk]]


def grouped(ranked: Sequence[Ranked], limit: int) -> list[Group]:
    """Put chunks with neighbouring numbers together around the best ones, which come first; at most `limit` groups."""
    groups: list[Group] = []
    for one in ranked:
        home = next((group for group in groups if _adjoins(group, one)), None)
        if home is not None:
            home.append(one)
        elif len(groups) < limit:
            groups.append([one])
    return groups


def runs(group: Sequence[Ranked], chunks: Mapping[tuple[str, int], Chunk]) -> list[Run]:
    """Return the group as runs of chunks that continue each other's section and page, each with its best chunk.

    Another page or heading would be told wrongly of the whole, so such a neighbour becomes a run of its own.
    """
    left = [one for one in group if one.key in chunks]
    found: list[Run] = []
    while left:
        best = left[0]
        joined = _continuous(best, {one.ordinal: chunks[one.key] for one in left})
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
    if len(group) >= MOST_MERGED or one.document_id != group[0].document_id:
        return False
    ordinals = [member.ordinal for member in group]
    return one.ordinal in (min(ordinals) - 1, max(ordinals) + 1)
