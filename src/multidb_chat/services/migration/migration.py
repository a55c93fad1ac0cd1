"""The stores that are to move: whether they may, carried as often as it takes, and whether both sides are the same."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, StoreUnavailable
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.transfer import Comparison, Counts, Origin, Transfer, is_empty
from multidb_chat.services.audit import Recorder
from multidb_chat.services.migration.carrying import Carried, Carrying
from multidb_chat.services.wording import counted

_ROUNDS = 4
_FEW = 100  # rows that a round while people go on may have found different


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


Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a store; `rounds` is how often it was gone through, `settled` whether the last found nothing."""

    store: str
    place: str
    tables: tuple[Carried, ...]
    rounds: int
    settled: bool

    @property
    def same(self) -> bool:
        """Whether every table is the same on both sides."""
        return all(table.same for table in self.tables)


class Migration:
    """Carries stores. The ones that are in use now are the sources, so that nothing newer is ever overwritten.

    `backlog` tells how much waits on this machine for a store that was away.
    """

    def __init__(
        self,
        moves: Sequence[Move],
        comparison: Comparison,
        audit: Recorder,
        backlog: Callable[[str], Awaitable[int]],
    ) -> None:
        self.moves = tuple(moves)
        self._comparison = comparison
        self._audit = audit
        self._backlog = backlog

    async def begin(self, actor: Account, *, last: bool, again: bool = False) -> None:
        """Find out whether the stores may be carried, and record in the audit log that they are about to be.

        `again`: also to a place that was moved to before, though the installation is in use elsewhere.
        Raises `NotPermitted`; `InvalidInput` for a target that holds something else, or something newer;
        `StoreUnavailable` for the last run while something still waits for a source; and `StoreError`.
        """
        require(actor, Permission.MANAGE_INSTALLATION)
        for move in self.moves:
            await self._require_twin(move, again)
            if last and (waiting := await self._backlog(move.store)):
                raise StoreUnavailable(
                    move.store,
                    f"{counted(waiting, 'thing waits', 'things wait')} on this machine for the {move.store} store,"
                    " which was away: start the program until all is written, then run this again.",
                )
        places = {move.store: move.target_place for move in self.moves}
        await self._audit.record(actor, "installation.migrate", ", ".join(places), last=str(last).lower(), **places)

    async def compare(self, actor: Account, tell: Tell = lambda _: None, *, again: bool = False) -> list[Compared]:
        """Read both sides and return how they differ; no row is changed. Raises what `begin` raises."""
        require(actor, Permission.MANAGE_INSTALLATION)
        found: list[Compared] = []
        for move in self.moves:
            await self._require_twin(move, again)
            found += [Compared(move.store, one.table.name, await one.compare()) for one in self._carryings(move, tell)]
        return found

    async def run(self, *, last: bool, tell: Tell = lambda _: None) -> list[Outcome]:
        """Make the targets what the sources are, behind `begin`.

        While people go on (not `last`), a store is gone through until a round finds little to do; what they change
        behind it is left for the next run. The `last` one, when nobody writes any more, ends with a round that has read
        both sides whole and found nothing to do.
        It may be interrupted anywhere: the next run does the rest.
        Raises `Conflict` for a target that went its own way, and `StoreError`.
        """
        outcomes = []
        for move in self.moves:
            if (origin := await move.source.origin()) is not None:
                await move.target.adopt(origin)
            outcomes.append(await self._carried(move, 0 if last else _FEW, tell))
        if last and (wrong := next((one for one in outcomes if not one.settled), None)):
            raise StoreUnavailable(
                wrong.store,
                f"The {wrong.store} store was changed while it was carried: end all programs, and run this again.",
            )
        return outcomes

    async def moved(self) -> None:
        """Mark the targets as those that are in use from now on, behind the last run."""
        for move in self.moves:
            if (origin := await move.source.origin()) is not None:
                await move.target.adopt(Origin(origin.identity, origin.moves + 1))

    async def _carried(self, move: Move, few: int, tell: Tell) -> Outcome:
        """Go through a store until a round finds no more than a few rows different."""
        done: Counter[str] = Counter()
        tables: list[Carried] = []
        rounds, found = 0, few + 1
        while found > few and rounds < _ROUNDS:
            tables = [await one.run() for one in self._carryings(move, tell)]
            found = sum(one.put + one.removed for one in tables)
            rounds += 1
            done.update({f"{one.table} put": one.put for one in tables})
            done.update({f"{one.table} removed": one.removed for one in tables})
        counted = [replace(one, put=done[f"{one.table} put"], removed=done[f"{one.table} removed"]) for one in tables]
        settled = found == 0 and all(one.same for one in tables)
        return Outcome(move.store, move.target_place, tuple(counted), rounds, settled)

    def _carryings(self, move: Move, tell: Tell) -> list[Carrying]:
        def telling(table: str) -> Callable[[str, int, int], None]:
            return lambda doing, done, of: tell(Step(move.store, table, doing, done, of))

        return [
            Carrying(move.source, move.target, table, self._comparison, telling(table.name))
            for table in move.source.tables
        ]

    async def _require_twin(self, move: Move, again: bool) -> None:
        """Raise `InvalidInput` unless the target is empty, or what this very store was carried to before."""
        here, there = await move.source.origin(), await move.target.origin()
        if here is not None and there is not None and here.identity == there.identity:
            if there.moves > here.moves and not again:
                raise InvalidInput(
                    f"The installation has moved to {move.target_place} before, and what is there may be newer:"
                    f" set stores.{move.store} to it, or carry over it with --again."
                )
        elif not await is_empty(move.target):
            raise InvalidInput(
                f"The {move.store} store on {move.target_place} holds data of another installation:"
                " name an empty place, or remove what is there."
            )
