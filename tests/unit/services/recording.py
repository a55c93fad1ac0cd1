"""What stands for the audit log where a service only records."""

from typing import Any

from multidb_chat.domain.accounts import Account


class Recorder:
    """Remembers what was recorded: who, what and on what."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, str]] = []

    async def record(self, actor: Account | None, action: str, target: object = "", **details: str) -> Any:
        self.records.append((actor.id if actor else "", action, str(target)))
