"""`Judge`: the port `PasswordJudge`, with zxcvbn and a list of breached passwords that lies in the package."""

import asyncio
import lzma
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files

from multidb_chat.domain.signing_in import Strength

_LONGEST = 72
"""zxcvbn's time grows with the length; behind so many characters nothing changes."""


class Judge:
    """The port `PasswordJudge`. The list is read when it is first needed."""

    async def is_breached(self, password: str) -> bool:
        return await asyncio.to_thread(lambda: password.casefold() in self._breached)

    async def strength(self, password: str, about: Sequence[str] = ()) -> Strength:
        return await asyncio.to_thread(_strength, password, about)

    @cached_property
    def _breached(self) -> frozenset[str]:
        packed = files(__package__).joinpath("breached.txt.xz").read_bytes()
        return frozenset(lzma.decompress(packed).decode().splitlines())


def _strength(password: str, about: Sequence[str]) -> Strength:
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    if not password:
        return Strength(0, 1)
    found = zxcvbn(password[:_LONGEST], user_inputs=list(about), max_length=_LONGEST)
    feedback = found["feedback"]
    hint = feedback["warning"] or (feedback["suggestions"][0] if feedback["suggestions"] else "")
    return Strength(int(found["score"]), float(found["guesses"]), str(hint).partition(". ")[0].rstrip("."))
