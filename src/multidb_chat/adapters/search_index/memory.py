"""What is remembered between searches, of one state of the index: a change makes another state, remembered anew."""

import sqlite3

from multidb_chat.adapters.search_index.keys import Keys
from multidb_chat.adapters.search_index.masks import Masks
from multidb_chat.adapters.search_index.postings import Postings
from multidb_chat.adapters.search_index.segments import State, state


class Remembered:
    """What is known of the state `of`, for all threads that search it."""

    def __init__(self, of: State) -> None:
        self.of = of
        self.keys = Keys()
        self.masks = Masks()
        self.postings = Postings()


class Memory:
    """The state that was searched last. A search keeps what it got here, whatever others change meanwhile."""

    def __init__(self) -> None:
        self._latest: Remembered | None = None

    def of(self, connection: sqlite3.Connection) -> Remembered:
        """Return what is remembered of the state that the connection sees in its transaction."""
        now, latest = state(connection), self._latest
        if latest is None or latest.of != now:
            latest = self._latest = Remembered(now)
        return latest
