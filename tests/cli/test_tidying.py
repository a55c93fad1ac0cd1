"""When the process of the app looks for garbage among all objects: seldom, and sooner while nobody waits."""

import gc
import weakref

from multidb_chat.cli.app import tidy


class Knot:
    """What only a search for garbage finds: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


def old_knot() -> weakref.ref[Knot]:
    """Return a knot that is garbage, and old: only a search among all objects finds it."""
    gc.collect()
    knot = Knot()
    gc.collect(1)
    return weakref.ref(knot)


def test_nothing_is_looked_for_where_little_is_new() -> None:
    knot = old_knot()
    tidy()
    assert knot() is not None


def test_old_garbage_is_gone_once_there_may_be_much_of_it() -> None:
    knot = old_knot()
    for _ in range(10):
        gc.collect(1)
    tidy()
    assert knot() is None
