"""`multidb-chat admin backup` and `restore`: everything out into one file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, Quiet, Yes
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidb_chat.bootstrap import Application
    from multidb_chat.services.installation.archive import KeysIn, Manifest
    from multidb_chat.services.installation.backup import Step

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]
PassphraseStdin = Annotated[
    bool, typer.Option("--passphrase-stdin", help="Read the passphrase of the keys from standard input.")
]
_KEYS: "dict[str, KeysIn]" = {"plain": "plain", "sealed": "sealed", "none": "none"}
_ABOUT_KEYS = {
    "plain": "The keys are in it: whoever has the file could log in as anybody. Keep it as you keep the data.",
    "sealed": "The keys in it are sealed: without the passphrase nobody can log in to what is restored from it.",
    "none": "The keys are not in it: where others are in use, all passwords have to be reset after restoring it.",
}


def backup(
    context: typer.Context,
    file: File,
    keys: Annotated[
        str,
        typer.Option("--keys", metavar="HOW", help="plain, sealed (with a passphrase), or none: leave the keys out."),
    ] = "plain",
    passphrase_stdin: PassphraseStdin = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write accounts, conversations, documents and keys into one file, while everything goes on.

    The file is read again and checked before it gets its name. The cache and the search index are not in it, since they
    come back by themselves; nor is the configuration file. Stores on servers are named and not copied: their own tools
    back them up; what waits here for such a store is in it.
    """
    session = session_of(context)
    console = session.console
    console.quiet = quiet
    if keys not in _KEYS:
        raise typer.BadParameter(f"{keys!r} is not one of {', '.join(_KEYS)}", ctx=context, param_hint="--keys")

    async def work(application: "Application") -> Exit:
        passphrase = ""
        if keys == "sealed":
            from multidb_chat.cli.passwords import from_stdin, typed_twice

            passphrase = from_stdin()[0] if passphrase_stdin else await typed_twice(console, "Passphrase of the keys:")
        made = await application.backups.create(
            application.account, file, keys=_KEYS[keys], passphrase=passphrase, step=_telling(console)
        )
        if as_json:
            console.write_json({"file": str(file), **manifest_record(made)})
        else:
            console.write("wrote ", Styled(str(file), "strong"), f", {made.size / 1e6:,.1f} MB of data, checked")
            console.tell(Styled(_ABOUT_KEYS[keys], "faint"))
            if made.elsewhere:
                console.tell(
                    Styled(f"Not in it: {_named(made.elsewhere)}, on servers, whose own tools back them up.", "fair")
                )
        return Exit.DONE

    session.run(work)


def restore(
    context: typer.Context,
    file: File,
    check: Annotated[bool, typer.Option("--check", help="Only check the file and say what it is.")] = False,
    passphrase_stdin: PassphraseStdin = False,
    yes: Yes = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put a backup in the place of the data; what is there now is kept in a folder beside it.

    Every byte is checked before anything is touched, and either all of it is put in place or nothing. No other
    multidb-chat may run. An installation without an administrator can be filled from a backup by anybody who may write
    its files.
    """
    session = session_of(context)
    console = session.console
    console.quiet = quiet

    async def work(application: "Application") -> Exit:
        service, account = application.restoring, application.account
        manifest = await service.inspect(account, file)
        if check:
            return _shown(console, file, manifest, as_json)
        _told(console, manifest)
        if not yes and not await console.confirm(f"Replace everything in {application.settings.paths.data}?"):
            return Exit.REFUSED
        passphrase = ""
        if manifest.keys == "sealed":
            from multidb_chat.cli.passwords import from_stdin, typed

            passphrase = from_stdin()[0] if passphrase_stdin else await typed(console, "Passphrase of the keys:")
        prepared = await service.prepare(account, file, passphrase=passphrase)
        await application.close()
        done = await service.commit(prepared)
        aside = str(done.aside) if done.aside else None
        if as_json:
            console.write_json({"file": str(file), "aside": aside, **manifest_record(manifest)})
            return Exit.DONE
        console.write("restored ", Styled(str(file), "strong"))
        console.tell("Accounts, passwords and sessions are those of the backup: log in again, multidb-chat login")
        if aside:
            console.tell(f"What was there before is in {aside}; remove it when you do not need it any more.")
        return Exit.DONE

    session.run(work)


def manifest_record(manifest: "Manifest") -> dict[str, Any]:
    """Return what a backup is as JSON values."""
    return {
        "elsewhere": list(manifest.elsewhere),
        "program": manifest.program,
        "made_at": manifest.made_at,
        "keys": manifest.keys,
        "size_bytes": manifest.size,
        "copies": [
            {"name": one.name, "size_bytes": one.size, "sha256": one.sha256, "schema": one.schema}
            for one in manifest.copies
        ],
    }


def _shown(console: Console, file: Path, manifest: "Manifest", as_json: bool) -> Exit:
    if as_json:
        console.write_json({"file": str(file), **manifest_record(manifest)})
        return Exit.DONE
    console.write(Styled(str(file), "strong"), " is whole")
    for name, value in _summary(manifest).items():
        console.write(Styled(f"{name:<12}", "faint"), value)
    return Exit.DONE


def _told(console: Console, manifest: "Manifest") -> None:
    for name, value in _summary(manifest).items():
        console.tell(Styled(f"{name:<12}", "faint"), value)


def _summary(manifest: "Manifest") -> dict[str, str]:
    made = manifest.made_at[:16].replace("T", " ")
    elsewhere = {"on servers": f"{_named(manifest.elsewhere)} (not in it)"} if manifest.elsewhere else {}
    return {
        "made": f"{made} UTC by multidb-chat {manifest.program}",
        "holds": f"{', '.join(one.name for one in manifest.copies)} ({manifest.size / 1e6:,.1f} MB)",
        "keys": {"plain": "in it", "sealed": "in it, sealed with a passphrase", "none": "not in it"}[manifest.keys],
        **elsewhere,
    }


def _named(stores: "Sequence[str]") -> str:
    return " and ".join([", ".join(stores[:-1]), stores[-1]] if len(stores) > 1 else stores)


def _telling(console: Console) -> "Step":
    """Return what says which store is copied when it is."""

    def step(store: str, share: float) -> None:
        if share == 1.0:
            console.tell(Styled(f"copied {store}", "faint"))

    return step
