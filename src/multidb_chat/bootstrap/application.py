"""Opening the application, and closing all of it that was made."""

import asyncio
from contextlib import asynccontextmanager
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.installation import Installation
from multidb_chat.domain.errors import InvalidSetting, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multidb_chat.adapters.installation.in_use import InUse
    from multidb_chat.services.identity import Who
    from multidb_chat.settings import Settings
    from multidb_chat.settings.preferences import Preferences

# Stores last, since the others write to them.
_CLOSED = (
    "statistics",
    "password_hasher",
    "reader",
    "index",
    "embedders",
    "span_reader",
    "talk_replayer",
    "use_replayer",
    "talk_memory",
    "meter",
    "reranking",
    "language_model",
    "cache",
    "library",
    "conversations",
    "tasks",
    "accounts",
    "outage_log",
    "journal",
)

# What is made anew when settings change: what makes answers, and what orders the passages that they are made from.
_OF_ANSWERS = (
    "chat",
    "answerer",
    "language_model",
    "talk_memory",
    "recollection",
    "retrieval",
    "evaluation",
    "rewriter",
    "reranking",
)

_OF_MODEL = attrgetter("name", "url", "key", "timeout_s", "context")  # what a language model is made of


class Application(Installation):
    """The services of one running program and the account that uses them."""

    def __init__(self, settings: "Settings") -> None:
        super().__init__(settings)
        self._in_use: InUse | None = None
        self._spooling: asyncio.Task[None] | None = None

    @cached_property
    def preferences(self) -> "Preferences":
        """The settings, to look at and to change."""
        from multidb_chat.settings.preferences import Preferences

        return Preferences(lambda: self.settings, self.apply)

    def apply(self, settings: "Settings") -> None:
        """Use changed settings: answers are made by them from the next question on, all else from the next start on.

        Raises `InvalidSetting`, and changes nothing, for a language model or a reranker that cannot be had.
        """
        before, self.settings = self.settings, settings
        # What takes long to load stays: a model in a file, a cross-encoder.
        same_model = _OF_MODEL(before.model) == _OF_MODEL(settings.model)
        same_search = repr(before.search) == repr(settings.search) and settings.search.rerank != "model"
        staying = {"language_model": same_model, "reranking": same_search}
        names = [name for name in _OF_ANSWERS if not staying.get(name)]
        made = {name: self.__dict__.pop(name) for name in names if name in self.__dict__}
        try:
            if not same_model:
                self.__dict__["language_model"] = self._made_language_model()
            self.rewriter, self.reranking  # noqa: B018 - making them is what checks them
        except InvalidSetting:
            self.settings = before
            for name in names:
                self.__dict__.pop(name, None)
            self.__dict__.update(made)
            raise
        if (memory := made.get("talk_memory")) is not None:
            memory.stop()

    async def prepare(self) -> None:
        """Do what can wait until after the first paint: index the handbook, load the embedder, let old guests go; and
        begin to load the language model's libraries.

        A store that is away keeps only back what needs it. Raises the first error, when all else is done.
        """
        self.store_uploads()
        problems: list[StoreError] = []
        for step in (self.handbook.ensure, lambda: self.embedder.embed_query("warm up"), self.retention.tidy):
            try:
                await step()
            except StoreError as error:
                problems.append(error)
        if self.language_model is not None:
            from multidb_chat.bootstrap.models import load_early

            load_early(self.language_model)
        if problems:
            raise problems[0]

    def store_uploads(self) -> None:
        """Add uploads that wait for the library whenever it is there, from now until the application is closed."""
        if self.spools and self._spooling is None:
            self._spooling = asyncio.create_task(self.spool.run())

    async def open(self, who: "Who") -> None:
        """Hold the data folder, and find or make the account that talks."""
        from multidb_chat.adapters.installation.in_use import InUse

        self.stays = who != "shell"
        self._in_use = InUse(self.settings.paths.data)
        await asyncio.to_thread(self._in_use.share)
        await self.identity.open(who)

    async def close(self) -> None:
        """Close what was made."""
        if self._spooling is not None:
            self._spooling.cancel()
            await asyncio.wait({self._spooling})
        for name in _CLOSED:
            if (made := self.__dict__.get(name)) is not None:
                await made.close()
        if self._in_use is not None:
            self._in_use.release()

    @asynccontextmanager
    async def alone(self) -> "AsyncIterator[None]":
        """Close everything, and keep other programs out of the data folder for as long as the block lasts.

        Raises `StoreUnavailable` while one uses it.
        """
        from multidb_chat.adapters.installation.in_use import InUse

        await self.close()
        with InUse(self.settings.paths.data).alone():
            yield


@asynccontextmanager
async def open_application(settings: "Settings", who: "Who" = "shell") -> "AsyncIterator[Application]":
    """Compose the application for an account and close it afterwards.

    Raises `InvalidSetting` for a store that this version has no adapter for, `StoreError` when the account cannot be
    read, and `SessionEnded` in the shell when the log-in of this machine is over.
    """
    application = Application(settings)
    try:
        await application.open(who)
        yield application
    finally:
        await application.close()


@asynccontextmanager
async def unopened_application(settings: "Settings") -> "AsyncIterator[Application]":
    """Compose the application for nobody, without making or reading anything, and close it afterwards."""
    application = Application(settings)
    try:
        yield application
    finally:
        await application.close()
