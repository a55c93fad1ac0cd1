"""The commands about conversations of the chat line by line."""

from typing import TYPE_CHECKING

from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.cli.plain import PlainChat
    from multidb_chat.domain.conversations import Conversation

_MOST = 20
_NOTHING_YET = "there is no conversation here yet; ask something first"


async def conversations(chat: "PlainChat", argument: str) -> None:
    """List the conversations talked in last, numbered for /resume; those with these words, where there are some."""
    history, account = chat.application.history, chat.application.account
    if argument:
        found = [one.conversation for one in await history.search(account, argument, _MOST)]
    else:
        found = [one for one in await history.all(account) if not one.archived]
    latest = sorted(found, key=lambda one: (one.last_activity, one.id), reverse=True)[:_MOST]
    for number, one in enumerate(latest, 1):
        unread = "unread, " if one.unread else ""
        chat.console.write(f"{number}: {one.title} ({unread}{one.last_activity.astimezone():%Y-%m-%d %H:%M})")
    if latest:
        chat.listed = [one.id for one in latest]
        chat.console.write("/resume and its number goes on with one.")
    else:
        chat.console.write("No conversation has all of these words." if argument else "There are no conversations yet.")


async def resume(chat: "PlainChat", argument: str) -> None:
    """Go on with a conversation: the one talked in last, one of those that were listed, or the one with this id."""
    if argument.isdecimal() and 0 < int(argument) <= len(chat.listed):
        argument = chat.listed[int(argument) - 1]
    found = await chat.application.history.named(chat.application.account, argument or "last")
    await _go_on_with(chat, found)


async def rename(chat: "PlainChat", argument: str) -> None:
    """Give the conversation another title."""
    if not argument:
        chat.console.error("say how it is to be called: /rename TITLE")
    elif (key := await _here(chat)) is not None:
        renamed = await chat.application.history.rename(chat.application.account, key, argument)
        chat.console.write("This conversation is called ", renamed.title, " now.")


async def fork(chat: "PlainChat", argument: str) -> None:
    """Go on in a copy."""
    if (key := await _here(chat)) is not None:
        made = await chat.application.branches.fork(chat.application.account, key)
        chat.console.write("This is the copy; /conversations lists both.")
        await _go_on_with(chat, made)


async def export(chat: "PlainChat", argument: str) -> None:
    """Write the conversation to a file, as Markdown or JSON."""
    from multidb_chat.tui.exporting import export_to_file

    if (key := await _here(chat)) is not None:
        chat.console.write(f"Wrote {clean_line(str(await export_to_file(chat.application, key, argument)))}")


async def _here(chat: "PlainChat") -> str | None:
    """Return the conversation that is talked in; None, and say so, where there is none yet."""
    if chat.conversation_id is None:
        chat.console.error(_NOTHING_YET)
    return chat.conversation_id


async def _go_on_with(chat: "PlainChat", conversation: "Conversation") -> None:
    """Let the next question follow the last answer of this conversation, which is said again."""
    from multidb_chat.services.answering.codec import answer_in

    account, branches = chat.application.account, chat.application.branches
    branch = await branches.shown(account, conversation.id)
    last = await branches.messages(account, conversation.id, branch.turns[-1] if branch.turns else ())
    asked = [one for one in last if one.role == "user"]
    said = [one for one in last if one.role != "user"]
    chat.go_on(conversation.id, answer_in(said[-1]) if said else None, (asked[0].parent_id or "") if asked else "")
    chat.console.write(conversation.title, f" ({counted(len(branch.turns), 'question')})")
    for message in (*asked[:1], *said[-1:]):
        chat.console.write("> " if message.role == "user" else "", message.body)
    await chat.application.history.mark_read(account, conversation.id)
