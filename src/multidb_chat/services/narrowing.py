"""Which documents a question itself says to look in: `@document` and `#collection`, found and offered by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.library import Collection
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.services.documents import Documents

Sign = Literal["@", "#"]

# A sign at the beginning of a word, then a name, in quotes where it has spaces; a mark that ends a sentence is not part
# of it. "#5" is a number, and "a@b.example" an address.
_MENTION = re.compile(r'(?<!\S)([@#])(?:"([^"\n]{1,200})"|(?!\d+\b)([^\s"@#][^\s"]{0,199}?))(?=[?!.,;:)]*(?:\s|$))')
_BEGUN = re.compile(r'(?:^|(?<=\s))([@#])(?:"([^"\n]{0,200})|([^\s"]{0,200}))$')
_PAGE = 1_000
_MOST = 20_000  # documents whose names are offered


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A question and where it is to be looked for. `question` is what remains of it to search with.

    `collections` are those to search; `documents` the ids of the only documents to search in them, empty for all.
    `marks` are the names that were found, with their signs; `unknown` says of each other name why it was not.
    """

    question: str
    collections: Sequence[Collection]
    documents: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def mentions(question: str) -> list[tuple[Sign, str]]:
    """Return the names in a question with their signs, in order, each once."""
    found = ((match[1], match[2] or match[3]) for match in _MENTION.finditer(question))
    return list(dict.fromkeys(("@" if sign == "@" else "#", name) for sign, name in found))


def begun(text: str) -> tuple[Sign, str] | None:
    """Return the name that is being typed at the end of `text`, with its sign; None when it is none."""
    match = _BEGUN.search(text)
    if match is None:
        return None
    return "@" if match[1] == "@" else "#", match[2] or match[3] or ""


def written(sign: Sign, name: str) -> str:
    """Return how a name is written in a question, so that `mentions` finds it again."""
    plain = f"{sign}{name}"
    return plain if mentions(plain) == [(sign, name)] else f'{sign}"{name}"'


class Narrowing:
    """Finds what questions name. All methods raise `NotPermitted` for an account that may not ask."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def read(self, account: Account, question: str, collections: Sequence[Collection] = ()) -> Narrowed:
        """Return where to look for a question, within these collections (none: all that the account may search).

        A name that is not found, or names several, narrows nothing and is told in `unknown`.
        """
        require(account, Permission.CHAT)
        named = mentions(question)
        if not named:
            return Narrowed(question, collections or await self._documents.resolve(account, []))
        unknown: list[str] = []
        marks: list[tuple[Sign, str]] = []
        within: list[Collection] = []
        for mark in (mark for mark in named if mark[0] == "#"):
            try:
                within += await self._within(account, mark[1], collections)
                marks.append(mark)
            except NotFound as error:
                unknown.append(str(error))
        within = within or list(collections or await self._documents.resolve(account, []))
        documents: list[str] = []
        for mark in (mark for mark in named if mark[0] == "@"):
            try:
                documents += [one.id for one in await self._documents.select(account, [mark[1]], within)]
                marks.append(mark)
            except (NotFound, InvalidInput) as error:
                unknown.append(str(error))
        rest = _without(question, marks)
        return Narrowed(rest, within, tuple(documents), tuple(sign + name for sign, name in marks), tuple(unknown))

    async def _within(self, account: Account, name: str, collections: Sequence[Collection]) -> list[Collection]:
        """Return the collection with this name. Raises `NotFound` when it is not among `collections`, if given."""
        found = await self._documents.resolve(account, [name])
        if collections and found[0].id not in {collection.id for collection in collections}:
            raise NotFound(f'The collection "{clean_line(name)}" is not among those that are searched.')
        return found

    async def suggest(self, account: Account, sign: Sign, beginning: str, limit: int = 8) -> list[str]:
        """Return names of collections (#) or documents (@) that fit what was typed: those that begin with it first."""
        require(account, Permission.CHAT)
        typed = beginning.casefold()
        if sign == "#":
            names = [collection.name for collection in await self._documents.collections(account)]
        else:
            names = await self._document_names(account)
        shown = dict.fromkeys(clean_line(name) for name in names)
        fitting = [name for name in shown if typed in name.casefold() and '"' not in name]
        fitting.sort(key=lambda name: (not name.casefold().startswith(typed), name.casefold()))
        return list(islice(fitting, limit))

    async def _document_names(self, account: Account) -> list[str]:
        names: list[str] = []
        after = ""
        while len(names) < _MOST and (page := await self._documents.list(account, after=after, limit=_PAGE)):
            names += [document.name for document in page]
            after = page[-1].id
        return names


def _without(question: str, marks: Sequence[tuple[Sign, str]]) -> str:
    """Return the question without the names at its beginning and end; inside they stay as words, without the sign."""

    def plain(match: re.Match[str]) -> str:
        sign, name = match[1], match[2] or match[3]
        if (sign, name) not in marks:
            return match[0]
        inside = question[: match.start()].strip() and question[match.end() :].strip(" ?!.,;:)")
        return name if inside else ""

    rest = " ".join(_MENTION.sub(plain, question).split(" ")).strip()
    return rest if any(character.isalnum() for character in rest) else question
