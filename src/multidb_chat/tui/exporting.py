"""Conversations as files, from inside the app."""

import asyncio
from pathlib import Path

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.services.exporting import Export, write_whole
from multidb_chat.services.talk_export import TalkForm
from multidb_chat.tui.services import Services

_FORMS: dict[str, TalkForm] = {"md": "md", "json": "json"}


async def export_to_file(services: Services, conversation_id: str, asked: str = "") -> Path:
    """Write the conversation to a file and return its path; `asked` is the form, the path, both or nothing.

    Without a path, the file gets the conversation's name in the folder where the app was started, and a number where
    there is such a file. Raises `InvalidInput` when it cannot be written.
    """
    form, to = _read(asked)
    export = await services.branches.export(services.account, conversation_id, form)
    return await asyncio.to_thread(_write, to, export)


def _read(asked: str) -> tuple[TalkForm, str]:
    first, _, rest = asked.partition(" ")
    if (form := _FORMS.get(first.lower())) is not None:
        return form, rest.strip()
    return "json" if asked.lower().endswith(".json") else "md", asked


def _write(to: str, export: Export) -> Path:
    if to == "-":  # standard output to a shell; a file of that name is a nuisance to get rid of
        raise InvalidInput("Name a file to write, as in /export talk.md.")
    target = Path(to).expanduser()
    if not to or target.is_dir():
        target = _free(target / export.name)
    write_whole(target, export.content)
    return target


def _free(path: Path) -> Path:
    """Return the path, or one with a number behind its stem that is not taken."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
