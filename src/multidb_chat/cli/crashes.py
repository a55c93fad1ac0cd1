"""Tracebacks go into files, never to the user."""

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat import __version__
from multidb_chat.domain.errors import MultidbChatError

if TYPE_CHECKING:
    from multidb_chat.cli.session import Session


def write_report(error: Exception, session: "Session") -> Path | None:
    """Write the traceback to a new file in the folder of logs, else to the temporary folder; return where, or None.

    It holds no argument and no setting, since these can be private.
    """
    text = f"multidb-chat {__version__}, Python {platform.python_version()}, {sys.platform}\n\n"
    text += "".join(traceback.format_exception(error))
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in _folders(session):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path
    return None


def _folders(session: "Session") -> list[Path]:
    try:
        return [session.paths.logs, Path(tempfile.gettempdir())]
    except (MultidbChatError, OSError):
        return []
