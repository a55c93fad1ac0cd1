"""`multidb-chat feedback`: say what an answer or the program was like, and see what you said."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.cli.console import Console, Exit
    from multidb_chat.domain.conversations import Feedback

feedback = typer.Typer(rich_markup_mode=None)
_ABOUT = {1: "good answer", -1: "bad answer", 0: "the program"}


@feedback.command(epilog='Example: multidb-chat feedback give --bad "It missed the table on page 3."')
def give(
    context: typer.Context,
    message: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="What to say; with a rating it may be left out.")
    ] = None,
    good: Annotated[bool, typer.Option("--good", help="The last answer was good.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="The last answer was bad.")] = False,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", metavar="ID", help="Rate the last answer of this conversation instead."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rate the last answer, or say something about the program.

    A rating replaces the one that you gave the same answer before.
    """
    session = session_of(context)
    if good and bad:
        raise typer.BadParameter("give either --good or --bad", ctx=context, param_hint="--good")
    if conversation and not (good or bad):
        raise typer.BadParameter("it goes with --good or --bad", ctx=context, param_hint="--conversation")
    if not (good or bad or message):
        raise typer.BadParameter("say something, or rate with --good or --bad", ctx=context, param_hint="MESSAGE")

    async def work(application: "Application") -> "Exit":
        from multidb_chat.cli.console import Exit

        account = application.account
        if good or bad:
            found, answer = await _last_answer(application, conversation)
            given = await application.feedback.rate(account, found, answer, 1 if good else -1, message or "")
        else:
            given = await application.feedback.tell(account, message or "")
        if as_json:
            session.console.write_json(record(given))
        else:
            session.console.write(f"noted as feedback on {_about(given)}")
        return Exit.DONE

    session.run(work)


@feedback.command("list", epilog="Example: multidb-chat feedback list --json")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the feedback that you gave, the latest first."""
    session = session_of(context)

    async def work(application: "Application") -> "Exit":
        from multidb_chat.cli.console import Exit

        if as_json:
            given = await application.feedback.own(application.account, limit=limit)
            session.console.write_json({"feedback": [record(one) for one in given]})
        else:
            await list_own(session.console, application, limit)
        return Exit.DONE

    session.run(work)


async def list_own(console: "Console", application: "Application", limit: int) -> None:
    """Write the feedback that the account gave, the latest first, a line each."""
    from multidb_chat.cli.console import Styled

    given = await application.feedback.own(application.account, limit=limit)
    if not given:
        console.tell("You gave no feedback yet. Rate an answer: multidb-chat feedback give --good")
    for one in given:
        at = Styled(f"{one.created_at:%Y-%m-%d %H:%M}  ", "faint")
        console.write(at, Styled(f"{_ABOUT[one.rating]:<13}", "strong"), clean_line(one.comment))


def record(given: "Feedback") -> dict[str, Any]:
    """Return feedback as JSON values; the time is ISO 8601 in UTC."""
    return {
        "id": given.id,
        "at": given.created_at.isoformat(),
        "rating": given.rating,
        "comment": given.comment,
        "conversation_id": given.conversation_id,
        "message_id": given.message_id,
    }


def _about(given: "Feedback") -> str:
    return _ABOUT[0] if given.message_id is None else f"a {_ABOUT[given.rating]}"


async def _last_answer(application: "Application", conversation_id: str | None) -> tuple[str, str]:
    """Return the conversation and the message of the last answer. Raises `NotFound`."""
    from multidb_chat.domain.errors import NotFound

    account, history = application.account, application.history
    if conversation_id is None:
        latest = await history.latest(account)
        if latest is None:
            raise NotFound('There is no answer yet to rate; ask something: multidb-chat ask "..."')
        conversation_id = latest.id
    for message in reversed(await history.page(account, conversation_id)):
        if message.role == "assistant":
            return conversation_id, message.id
    raise NotFound("There is no answer yet in this conversation.")
