"""`multidb-chat admin doctor`: what is wrong with the installation, and how to mend it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, Quiet
from multidb_chat.cli.session import Session, session_of
from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.upkeep import Finding
    from multidb_chat.settings import Settings

_INDENT = 23
_STYLES = {"ok": "good", "note": "fair", "wrong": "bad"}


def doctor(
    context: typer.Context,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is safe: modes of files, the search index, the cache, leftovers.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check the stores, the index, the model, the keys, files, clock and disk, and say how to mend what is wrong.

    It needs no log-in, changes nothing without --fix, and shows nothing of anybody's. The exit code is 1 when something
    is wrong.
    """
    session = session_of(context)
    session.console.quiet = quiet
    settings, broken = _settings_of(session)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.terminal import terminal_findings

        health = application.health
        found = [*broken, *([one async for one in health.examine()])]
        mended = await health.mend(found) if fix else []
        if mended:
            found = [*broken, *([one async for one in health.examine()])]
        found += terminal_findings(session.console, os.environ)
        return _told(session.console, found, mended, as_json)

    session.run_unopened(work, settings)


def _settings_of(session: Session) -> "tuple[Settings, list[Finding]]":
    """Return the settings, and what is wrong with them; broken ones give way to the defaults."""
    from multidb_chat.domain.upkeep import Finding
    from multidb_chat.settings import load_settings
    from multidb_chat.settings.paths import HOME_VARIABLE

    try:
        return session.settings, [Finding("configuration", "ok", "The configuration can be read.")]
    except InvalidSetting as error:
        kept = {HOME_VARIABLE: os.environ[HOME_VARIABLE]} if HOME_VARIABLE in os.environ else {}
        mend = "Change or remove it: multidb-chat config path shows the file"
        return load_settings(config_file=Path(os.devnull), environ=kept), [
            Finding("configuration", "wrong", str(error), mend)
        ]


def _told(console: Console, found: "Sequence[Finding]", mended: Sequence[str], as_json: bool) -> Exit:
    wrong = sum(one.severity == "wrong" for one in found)
    if as_json:
        console.write_json({"wrong": wrong, "mended": list(mended), "findings": [_record(one) for one in found]})
        return Exit.PARTLY if wrong else Exit.DONE
    from multidb_chat.cli.admin.tables import write_paragraph

    for line in mended:
        console.write(Styled("mended  ", "good"), line)
    for one in found:
        if console.quiet and one.severity == "ok":
            continue
        severity = Styled(f"{one.severity:<7} ", _STYLES[one.severity])
        write_paragraph(console, (severity, f"{one.about:<14} "), _INDENT, one.text)
        if one.mend:
            write_paragraph(
                console, [" " * _INDENT], _INDENT, one.mend, "strong" if one.severity == "wrong" else "faint"
            )
    safe = any(one.severity == "wrong" and one.safe for one in found)
    hint = "; --fix mends what is safe to mend" if safe else ""
    console.tell(f"{counted(wrong, 'thing is', 'things are')} wrong{hint}" if wrong else "all is well")
    return Exit.PARTLY if wrong else Exit.DONE


def _record(finding: "Finding") -> dict[str, Any]:
    return {
        "about": finding.about,
        "severity": finding.severity,
        "text": finding.text,
        "mend": finding.mend,
        "safe": finding.safe,
    }
