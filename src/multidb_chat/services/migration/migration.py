"""The stores that are to move: whether they may, carried as often as it takes, and whether both sides are the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, StoreError
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.transfer import Comparison, Counts, Transfer, is_empty
from multidb_chat.services.audit import Recorder
from multidb_chat.services.migration.carrying import Carried, Carrying

_ROUNDS = 4
_FEW = 100  # rows that a pass while people go on may leave to the last one


@dataclass(frozen=True)
class Move:
    """A store that is to move, and the places, fit to be shown."""

    source: Transfer
    target: Transfer
    source_place: str
    target_place: str

    @property
    def store(self) -> str:
        """The name of its port."""
        return self.source.store


class Compared(NamedTuple):
    """How a table differs on both sides."""

    store: str
    table: str
    counts: Counts


class Step(NamedTuple):
    """How far it is: rows done of so many (0: unknown), of a table of a store."""

    store: str
    table: str
    doing: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a store; `rounds` is how often it was gone through."""

    store: str
    place: str
    tables: tuple[Carried, ...]
    rounds: int

    @property
    def same(self) -> bool:
        """Whether every table is the same on both sides."""
        return all(table.same for table in self.tables)


class Migration:
    """Carries stores. The ones that are in use now are the sources, so that nothing newer is ever overwritten."""

    def __init__(self, moves: Sequence[Move], comparison: Comparison, audit: Recorder) -> None:
        self._moves = moves
        self._comparison = comparison
        self._audit = audit

    async def authorise(self, actor: Account, *, last: bool) -> None:
        """Record in the source that its stores are carried; nothing is, yet. Raises `NotPermitted` or `StoreError`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        places = {move.store: move.target_place for move in self._moves}
        await self._audit.record(actor, "installation.migrate", ", ".join(places), last=str(last).lower(), **places)

    async def compare(self, actor: Account, tell: Callable[[Step], None] = lambda _: None) -> list[Compared]:
        """Read both sides and return how they differ; nothing is changed. Raises `NotPermitted` and what `run` does."""
        require(actor, Permission.MANAGE_INSTALLATION)
        found: list[Compared] = []
        for move in self._moves:
            await self._require_twin(move)
            found += [Compared(move.store, one.table.name, await one.compare()) for one in self._carryings(move, tell)]
        return found

    async def run(self, *, last: bool, tell: Callable[[Step], None] = lambda _: None) -> list[Outcome]:
        """Make the targets what the sources are, after `authorise`.

        While people go on (not `last`), a store is gone through until a round finds little to do; what they change
        behind it is left for the next run. The `last` one, when nobody writes any more, ends with both sides the same.
        Raises `InvalidInput` for a target that holds something else, `Conflict` for one that went its own way, and
        `StoreError`.
        """
        for move in self._moves:
            await self._require_twin(move)
        outcomes = []
        for move in self._moves:
            if (identity := await move.source.identity()) is not None:
                await move.target.adopt(identity)
            outcomes.append(await self._carried(move, 1 if last else _ROUNDS, tell))
        if last and (wrong := next((one for one in outcomes if not one.same), None)):
            raise StoreError(
                wrong.store,
                f"The {wrong.store} store was changed while it was carried: end all programs, and run it again.",
            )
        return outcomes

    async def _carried(self, move: Move, rounds: int, tell: Callable[[Step], None]) -> Outcome:
        done = 0
        while True:
            tables = tuple([await one.run() for one in self._carryings(move, tell)])
            done += 1
            if done == rounds or sum(one.put + one.removed for one in tables) <= _FEW:
                return Outcome(move.store, move.target_place, tables, done)

    def _carryings(self, move: Move, tell: Callable[[Step], None]) -> list[Carrying]:
        def telling(table: str) -> Callable[[str, int, int], None]:
            return lambda doing, done, of: tell(Step(move.store, table, doing, done, of))

        return [
            Carrying(move.source, move.target, table, self._comparison, telling(table.name))
            for table in move.source.tables
        ]

    async def _require_twin(self, move: Move) -> None:
        """Raise `InvalidInput` unless the target is empty, or what this very store was carried to before."""
        there = await move.target.identity()
        if there is not None and there == await move.source.identity():
            return
        if not await is_empty(move.target):
            raise InvalidInput(
                f"The {move.store} store on {move.target_place} holds data of another installation:"
                " name an empty place, or remove what is there."
            )
