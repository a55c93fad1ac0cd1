"""Neighbouring passages as one match: what continues is read, cited and answered from as a whole."""

from collections.abc import Mapping, Sequence

from multidb_chat.domain.library import Chunk
from multidb_chat.services.ranking import Ranked

# A match grows to at most so many chunks.
MOST_MERGED = 3

Group = list[Ranked]


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


def continuous(group: Sequence[Ranked], chunks: Mapping[tuple[str, int], Chunk]) -> list[Chunk]:
    """Return the chunks around the group's best one that continue its section and page, in order of the text.

    Another page or heading would be told wrongly of the whole, so that such a neighbour is left out.
    """
    best = chunks[group[0].key]
    there = {one.ordinal: chunks[one.key] for one in group if one.key in chunks}
    joined = [best]
    for step in (-1, 1):
        ordinal = best.ordinal + step
        while (chunk := there.get(ordinal)) and (chunk.page, chunk.headings) == (best.page, best.headings):
            joined.insert(0 if step < 0 else len(joined), chunk)
            ordinal += step
    return joined


def _adjoins(group: Group, one: Ranked) -> bool:
    if len(group) >= MOST_MERGED or one.document_id != group[0].document_id:
        return False
    ordinals = [member.ordinal for member in group]
    return one.ordinal in (min(ordinals) - 1, max(ordinals) + 1)
