"""`multidb-chat models use` and `models key`: the language model that writes the answers, and the key for it."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.modelled.trying import Trial


def use(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="openai:NAME, anthropic:NAME, gemini:NAME, a GGUF file, or none: answers are quoted."
        ),
    ],
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where it is served, if not by its provider.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="PLACE", help="Where its key is: env:NAME (a variable), file:PATH or keyring:NAME."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Ask it one short question first.")] = False,
    as_json: Json = False,
) -> None:
    """Let a language model write the answers, each sentence held against your documents.

    Name, address and place of the key are written into the configuration file; what is not given is as the provider
    has it. Nothing is written where the model cannot be had, or with --check does not answer. The key itself is never
    in the file.
    """
    from multidb_chat.settings import load_settings
    from multidb_chat.settings.changing import SettingsFile
    from multidb_chat.settings.preferences import model_named

    session = session_of(context)
    console = session.console
    wanted = {"model.name": model_named(name), "model.url": url, "model.key": key}
    tried = {"model.url": "provider", "model.key": "none"} | {at: text for at, text in wanted.items() if text}
    file = SettingsFile.of(session.settings)
    read = session.settings.read_from
    settings = load_settings(config_file=read.config_file, overrides={**read.overrides, **tried}, environ=read.environ)

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.answering.explaining import writer
        from multidb_chat.services.modelled.trying import tried as asked

        model = application.language_model
        trial = await asked(model) if check and model is not None else None
        now = file.set_all(wanted).model
        if as_json:
            shown = {"name": now.name, "url": now.url, "key": now.key, "file": str(file.path)}
            console.write_json({**shown, "check": None if trial is None else _record(trial)})
            return Exit.DONE
        if trial is not None:
            _tell(console, trial)
        console.write(writer(settings.model.name, "multidb-chat models use"))
        if now.name != settings.model.name:
            console.tell("The file says so now, but the environment or a flag decides as long as it is set.")
        return Exit.DONE

    session.run_unopened(work, settings)


def key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is called in the keyring: openai, say.")],
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key from standard input instead of asking for it.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out of the keyring.")] = False,
) -> None:
    """Keep a provider's key in the keyring of the desktop; `models use ... --key keyring:NAME` takes it from there."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.bootstrap.models import kept_key
        from multidb_chat.cli.passwords import from_stdin, typed
        from multidb_chat.domain.errors import InvalidInput

        place = kept_key(name)
        if remove:
            place.remove()
            session.console.write("the key is not in the keyring")
            return Exit.DONE
        given = from_stdin()[0] if key_stdin else await typed(session.console, "Key:")
        if not given.strip():
            raise InvalidInput("The key is empty; nothing was changed.")
        if not place.put(given.strip()):
            raise InvalidInput(
                "There is no keyring here that keeps secrets (the extra `keyring`); put the key into a variable or a"
                " file that only you can read, and use --key env:NAME or --key file:PATH."
            )
        session.console.write(f"the key is kept; use it with: --key keyring:{clean_line(name)}")
        return Exit.DONE

    session.run_unopened(work, session.settings)


def _tell(console: Console, trial: "Trial") -> None:
    read = counted(trial.tokens_in or 0, "token")
    tokens = "" if trial.tokens_out is None else f", {read} in and {trial.tokens_out} out"
    took = f" after {trial.first:.1f} s, complete after {trial.seconds:.1f} s{tokens}"
    console.write(Styled("it answers", "good"), took, f': "{clean_line(trial.text)[:200]}"')


def _record(trial: "Trial") -> dict[str, object]:
    return {
        "text": trial.text,
        "first_s": round(trial.first, 3),
        "seconds": round(trial.seconds, 3),
        "tokens_in": trial.tokens_in,
        "tokens_out": trial.tokens_out,
    }
