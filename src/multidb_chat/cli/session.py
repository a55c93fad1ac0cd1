"""One run of the program: its console, its settings, and the services for as long as a command needs them."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import typer

from multidb_chat.cli.console import Console, Exit

if TYPE_CHECKING:  # `--help` needs neither
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.identity import Who
    from multidb_chat.settings import Paths, Settings

T = TypeVar("T")
Work = Callable[["Application"], Awaitable[Exit]]


class Session:
    """What the root command hands to the others as Typer's `obj`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.config_file: Path | None = None
        self.overrides: dict[str, str] = {}

    @cached_property
    def settings(self) -> "Settings":
        """The settings. Raises `InvalidSetting`."""
        from multidb_chat.settings import load_settings

        return load_settings(config_file=self.config_file, overrides=self.overrides)

    @cached_property
    def paths(self) -> "Paths":
        """Where the program keeps its files, also when the configuration file is broken."""
        from multidb_chat.settings import find_paths

        return find_paths(os.environ)

    def run(self, work: Work, who: "Who" = "shell") -> None:
        """Do a command's work with the services open for `who`, and leave with its exit code."""
        import asyncio

        settings = self.settings
        start_log(settings)

        async def opened() -> Exit:
            from multidb_chat.bootstrap import open_application

            async with open_application(settings, who) as application:
                return await work(application)

        raise typer.Exit(asyncio.run(opened()))

    def run_unopened(self, work: Work, settings: "Settings") -> None:
        """Do a command's work where perhaps nothing can be opened, for nobody, and leave with its exit code."""
        import asyncio

        start_log(settings)

        async def composed() -> Exit:
            from multidb_chat.bootstrap import unopened_application

            async with unopened_application(settings) as application:
                return await work(application)

        raise typer.Exit(asyncio.run(composed()))


def session_of(context: typer.Context) -> Session:
    """Return the session of a command."""
    session = context.obj
    assert isinstance(session, Session)
    return session


def closed_after(events: AsyncIterator[T]) -> "AbstractAsyncContextManager[object]":
    """Return what closes a service's stream of events when its reader leaves early."""
    return aclosing(cast("AsyncGenerator[T, None]", events))  # the ports promise less than the generators they are


def start_log(settings: "Settings") -> None:
    """Send what is logged from here on to a file, which is made when there is something to log."""
    import logging

    from multidb_chat.cli.logs import LogFile

    root = logging.getLogger()
    root.setLevel(settings.log.level.upper())
    root.addHandler(LogFile(settings.paths.logs / "multidb-chat.log"))
    logging.captureWarnings(True)
