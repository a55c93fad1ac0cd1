"""Stored conversations on the screen: the turns of a branch, each read when it comes near the view."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

if TYPE_CHECKING:  # What is imported here later is not needed for the first paint.
    from multidb_chat.domain.conversations import Feedback, Message
    from multidb_chat.services.branches import Branch
    from multidb_chat.tui.widgets.exchange import Exchange

ReadMessages = Callable[[Sequence[str]], Awaitable["tuple[Sequence[Message], Mapping[str, Feedback]]"]]


class BranchPages:
    """The turns of a branch, and those that are added to it while it is on the screen.

    `read_messages` returns the messages with some ids, in their order, and how those of them were rated that were.
    """

    def __init__(self, read_messages: ReadMessages, branch: "Branch | None" = None) -> None:
        self._read_messages = read_messages
        self._turns: list[Sequence[str]] = list(branch.turns) if branch is not None else []
        self._siblings: dict[str, Sequence[str]] = dict(branch.siblings) if branch is not None else {}

    def __len__(self) -> int:
        return len(self._turns)

    def append(self) -> None:
        """Count a turn that is only on the screen as yet."""
        self._turns.append(())

    def cut(self, count: int) -> None:
        """Forget all but the first turns."""
        del self._turns[count:]

    def keep(self, at: int, widget: Widget) -> bool:
        """Remember the messages of a turn; False for one that is not stored, or not yet."""
        exchange = cast("Exchange", widget)
        if not exchange.question_id or not exchange.message_id:
            return False
        self._turns[at] = (exchange.question_id, exchange.message_id)
        self._siblings[exchange.question_id] = exchange.versions
        return True

    def place_of(self, question_id: str) -> int:
        """Return which turn begins with this question. Raises `StopIteration` where none does."""
        return next(at for at, turn in enumerate(self._turns) if turn[:1] == (question_id,))

    async def read(self, first: int, end: int) -> "Sequence[Exchange]":
        """Return these turns, not yet on the screen."""
        turns = self._turns[first:end]
        found, ratings = await self._read_messages([key for turn in turns for key in turn])
        messages = {one.id: one for one in found}
        exchanges = []
        for turn in turns:
            exchange = _exchange_of([messages[key] for key in turn if key in messages], self._siblings)
            if given := ratings.get(exchange.message_id):
                exchange.rated(given.rating, given.comment)
            exchanges.append(exchange)
        return exchanges


def _exchange_of(messages: "Sequence[Message]", siblings: Mapping[str, Sequence[str]]) -> "Exchange":
    """Return a turn with the question among these messages, and the last answer."""
    from multidb_chat.services.answering import codec
    from multidb_chat.tui.widgets.exchange import Exchange

    asked = [message for message in messages if message.role == "user"]
    said = [message for message in messages if message.role != "user"]
    exchange = Exchange(asked[0].body if asked else "", parent_id=(asked[0].parent_id or "") if asked else "")
    if asked:
        exchange.question_id = asked[0].id
        exchange.stand_among(siblings.get(asked[0].id, ()))
    exchange.restore(said[-1].body if said else "", codec.answer_in(said[-1]) if said else None)
    return exchange
