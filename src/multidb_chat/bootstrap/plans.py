"""What each plan allows, by the settings."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.domain.plans import Limits
    from multidb_chat.settings import Settings

MEGABYTE = 1_000_000


def limits_of(settings: "Settings") -> "dict[str, Limits]":
    """Return what each plan allows, where 0 stands for no limit."""
    from multidb_chat.domain.plans import Limits

    def limit(key: str, unit: int = 1) -> int | None:
        return int(settings.value(f"plans.{key}")) * unit or None

    paid = {
        plan: Limits(
            limit(f"{plan}_messages"),
            limit(f"{plan}_documents"),
            limit(f"{plan}_storage_mb", MEGABYTE),
            limit(f"{plan}_tasks"),
            limit(f"{plan}_tokens"),
        )
        for plan in ("free", "pro", "enterprise")
    }
    return paid | {
        "guest": Limits(limit("guest_messages"), documents=0, storage=0, tasks=0, tokens=limit("guest_tokens"))
    }
