"""What the terminal can show: none of it is wrong, and some of it explains what one sees."""

import os
import shutil
from collections.abc import Mapping

from multidb_chat.cli.console import Console
from multidb_chat.domain.upkeep import Finding

_NARROWEST, _LOWEST = 80, 24


def terminal_findings(console: Console, environ: Mapping[str, str]) -> list[Finding]:
    """Return what keeps the app or colours from being shown."""
    if not console.err_is_terminal:
        return [Finding("terminal", "ok", "There is no terminal; output is plain.")]
    size = shutil.get_terminal_size()
    notes = [(text, mend) for text, mend, applies in _possible(console, environ, size) if applies]
    if notes:
        return [Finding("terminal", "note", text, mend) for text, mend in notes]
    return [Finding("terminal", "ok", f"The terminal has colours and {size.columns} columns in {size.lines} lines.")]


def _possible(console: Console, environ: Mapping[str, str], size: os.terminal_size) -> list[tuple[str, str, bool]]:
    return [
        (
            f"The terminal has {size.columns} columns in {size.lines} lines.",
            f"The app wants {_NARROWEST} by {_LOWEST}.",
            size.columns < _NARROWEST or size.lines < _LOWEST,
        ),
        (
            "TERM says that it can do little.",
            "Set TERM, for example to xterm-256color.",
            not console.full_terminal,
        ),
        ("NO_COLOR is set: there are no colours.", "", bool(environ.get("NO_COLOR"))),
        ("The terminal's encoding is not UTF-8.", "Set LANG, for example to C.UTF-8.", not console.is_unicode),
    ]
