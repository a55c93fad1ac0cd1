"""Roles of a database server for those who use it: who upgrades it, the programs, and who reads figures; the port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RoleNames:
    """What the three roles are called.

    `owner` has the tables and upgrades them; `app` is what programs connect as, and can do what they do and nothing
    else; `reader` reads the corpus views, and is granted to whoever should.
    """

    owner: str
    app: str
    reader: str


@dataclass(frozen=True, slots=True)
class RolesMade:
    """What was made: the passwords of the roles that are new (shown once, kept nowhere), and the programs' URL."""

    names: RoleNames
    passwords: Mapping[str, str]
    url: str


class DatabaseRoles(Protocol):
    """Makes the roles of one database. All can be repeated: what there is stays, and is given the rights it needs."""

    def names(self, name: str) -> RoleNames:
        """Return what the roles of an installation are called. Raises `InvalidInput` for a name that cannot be."""

    async def make(self, names: RoleNames) -> RolesMade:
        """Make the roles that are missing and give all of them their rights, in one step.

        Raises `NotPermitted` when the role that is connected may not, and `StoreError`.
        """

    async def script(self, names: RoleNames) -> tuple[str, RolesMade]:
        """Return the SQL that does the same, for whoever may; the passwords in it are verifiers only.

        Nothing is changed. Raises `StoreError`.
        """
