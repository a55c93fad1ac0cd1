"""How a plan and what is left of it are put into words, the same wherever they are shown."""

from collections.abc import Mapping

from multidb_chat.domain.plans import COST, STORAGE, TOKENS, Resource, Tier, Usage
from multidb_chat.services.wording import size

NAMES: Mapping[Resource, str] = {
    "messages": "messages",
    "documents": "documents",
    "storage": "storage",
    "tasks": "background tasks",
    "tokens": "tokens",
    "cost": "cost of tokens",
}
_THEN: Mapping[Resource, str] = {
    "messages": "questions are refused",
    "documents": "new documents are refused",
    "storage": "new documents are refused",
    "tasks": "new tasks are refused",
    "tokens": "answers are quoted",
}


def amount(resource: Resource, figure: int) -> str:
    """Return a figure of a resource: storage in megabytes or smaller units, costs in dollars, all else counted."""
    if resource == COST:
        return f"${figure / 1e6:,.4f}"
    if resource != STORAGE:
        return f"{figure:,}"
    if 0 < figure < 1_000_000:
        return size(figure)
    return f"{figure / 1e6:,.0f} MB" if figure >= 100e6 or figure % 1_000_000 == 0 else f"{figure / 1e6:,.1f} MB"


def used_up(plan: Tier, usage: Usage) -> str:
    """Return one line for what was refused: what is used up, and when or how one can go on."""
    limit = amount(usage.resource, usage.limit or 0)
    if usage.resets_at is None:
        return f"This does not fit into the {limit} of storage ({plan}); remove documents to make room."
    if usage.resource == TOKENS:
        return (
            f"All {limit} tokens a month ({plan}) are used; answers are quoted from your documents until {_day(usage)}."
        )
    more = " Register to ask more: /register, or multidb-chat register." if plan == "guest" else ""
    return f"All {limit} {NAMES[usage.resource]} a month ({plan}) are used; you can go on from {_day(usage)}.{more}"


def warning(plan: Tier, usage: Usage) -> str:
    """Return one line for what is nearly used up: what is left, what happens then, and when it begins anew."""
    left, limit = amount(usage.resource, usage.left or 0), amount(usage.resource, usage.limit or 0)
    then = _THEN[usage.resource]
    until = "some are removed" if usage.resets_at is None else _day(usage)
    head = f"{left} of {limit} {NAMES[usage.resource]} left ({plan})"
    return f"{head}; then {then} until {until}." if usage.left else f"{head}: {then} until {until}."


def _day(usage: Usage) -> str:
    assert usage.resets_at is not None
    return f"{usage.resets_at.day} {usage.resets_at:%B %Y}"


def on_lease(left: int) -> str:
    """Return the line that tells of a message that is counted later."""
    more = "none more can be asked" if not left else f"{left} more can be asked"
    return f"Your plan cannot be read now: this question is counted later, and {more} until it can."
