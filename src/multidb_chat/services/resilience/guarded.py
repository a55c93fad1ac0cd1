"""A store behind a guard: a class for each port, made once of the port's own methods, so that none can be forgotten.

::

    cache: Cache = guarded(RedisCache(url), CACHE, guard)
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cache, partial, wraps
from inspect import iscoroutinefunction
from typing import Any, Protocol, TypeVar, cast

from multidb_chat.services.resilience.guard import DEADLINE, Guard

P = TypeVar("P")


@dataclass(frozen=True, eq=False)
class Port:
    """How the calls of a port are guarded; `protocol` declares them.

    `again` are those that may be done twice: reads, and writes that are idempotent by their identifiers or by what they
    set. A call may take `deadline` seconds, or what `deadlines` says of it: those that read or remove much.
    """

    protocol: type
    again: frozenset[str]
    deadline: float = DEADLINE
    deadlines: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = {*self.again, *self.deadlines} - set(calls_of(self.protocol))
        assert not unknown, f"{self.protocol.__name__} has no {sorted(unknown)}"


def guarded(store: P, port: Port, guard: Guard) -> P:
    """Return the store with every call of its port guarded; call it where the type of the port is expected."""
    return cast(P, _guarding(port)(cast(_Closing, store), guard))


def calls_of(protocol: type) -> dict[str, Callable[..., Any]]:
    """Return the methods that a protocol and those it extends declare, by name."""
    declared: dict[str, Callable[..., Any]] = {}
    for owner in reversed(protocol.__mro__):
        if getattr(owner, "_is_protocol", False) and owner is not Protocol:
            declared |= {name: call for name, call in vars(owner).items() if iscoroutinefunction(call)}
    return declared


class _Closing(Protocol):
    async def close(self) -> None: ...


class _Guarded:
    """What all guarded stores have: the store, its guard, and an end."""

    def __init__(self, store: _Closing, guard: Guard) -> None:
        self._store = store
        self._guard = guard

    async def close(self) -> None:
        """Close the store; no guard stands before that."""
        await self._guard.close()
        await self._store.close()


@cache
def _guarding(port: Port) -> type[_Guarded]:
    calls = {name: _call(port, name, declared) for name, declared in calls_of(port.protocol).items()}
    return type(f"Guarded{port.protocol.__name__}", (_Guarded,), calls)


def _call(port: Port, name: str, declared: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    deadline, again = port.deadlines.get(name, port.deadline), name in port.again

    @wraps(declared)
    async def call(self: _Guarded, *arguments: Any, **named: Any) -> Any:
        work = partial(getattr(self._store, name), *arguments, **named)
        return await self._guard.call(work, deadline=deadline, again=again)

    return call
