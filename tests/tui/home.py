"""A real installation in a folder: settings, documents and a handbook, made through the program's own services."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from multidb_chat import bootstrap
from multidb_chat.services.ingesting.events import Failure
from multidb_chat.settings import Settings, load_settings

HERE = Path(__file__).parent
TEXTS = HERE / "texts"
HANDBOOK = HERE / "handbook"


def settings_in(home: Path, **overrides: object) -> Settings:
    """Return the settings of an installation in this folder; `section__key=value` overrides one."""
    named: Mapping[str, object] = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}, overrides=named)


def guest_of(home: Path) -> AbstractAsyncContextManager[bootstrap.Application]:
    """Return what opens the services for a guest."""
    return bootstrap.open_application(settings_in(home), "guest")


def member_of(home: Path) -> AbstractAsyncContextManager[bootstrap.Application]:
    """Return what opens the services for an account that may add documents: the one of this installation."""
    return bootstrap.open_application(settings_in(home), "local")


async def furnish(home: Path, inputs: Sequence[Path | str], environ: Mapping[str, str] | None = None) -> None:
    """Make the installation with a handbook, and these documents in the shared collection "documents"."""
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(home), **(environ or {})})
    async with bootstrap.open_application(settings) as application:
        await application.prepare()
        if inputs:
            collection = await application.documents.ensure_collection(application.account)
            async for event in application.ingestion.add(application.account, collection, list(inputs)):
                assert not isinstance(event, Failure), event
