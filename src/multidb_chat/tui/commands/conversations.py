"""Commands about conversations."""

from typing import TYPE_CHECKING

from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen

_NOTHING_YET = "Nothing is said here yet: ask something first, or open a conversation with /conversations."


async def new(chat: "ChatScreen", argument: str) -> None:
    """Clear the screen and begin a new conversation."""
    await chat.turns.forget()
    await chat.transcript.clear()
    await chat.panel.empty()


async def conversations(chat: "ChatScreen", argument: str) -> None:
    """List the conversations, those with these words where there are some; open the chosen one."""
    from multidb_chat.tui.screens.conversations import NEW, ConversationsScreen

    async def go_on(chosen: str | None) -> None:
        chat.composer.area.focus()
        if chosen == NEW:
            await new(chat, "")
        elif chosen is not None:
            chat.attempt(chat.turns.open(chosen))

    chat.app.push_screen(ConversationsScreen(chat.serving, argument), go_on)


async def resume(chat: "ChatScreen", argument: str) -> None:
    """Go on with the conversation talked in last, or with the one of this id."""
    services = await chat.serving.services()
    history, account = services.history, services.account
    found = await (history.named(account, argument) if argument else history.latest(account))
    if found is None or found.id == chat.turns.conversation_id:
        chat.say("There is no other conversation to go on with.")
    else:
        await chat.turns.open(found.id)


async def rename(chat: "ChatScreen", argument: str) -> None:
    """Give the conversation another title."""
    if chat.turns.conversation_id is None:
        chat.say(_NOTHING_YET)
    elif not argument:
        chat.say("Say how it is to be called: /rename TITLE")
    else:
        services = await chat.serving.services()
        renamed = await services.history.rename(services.account, chat.turns.conversation_id, argument)
        chat.say(f"This conversation is called “{renamed.title}” now.")


async def fork(chat: "ChatScreen", argument: str) -> None:
    """Copy the conversation up to the answer that is looked at, else all of it, and go on in the copy."""
    exchange = chat.transcript.looked_at
    if chat.turns.conversation_id is None:
        chat.say(_NOTHING_YET)
        return
    services = await chat.serving.services()
    at = exchange.message_id or None if exchange is not None else None
    made = await services.branches.fork(services.account, chat.turns.conversation_id, at)
    await chat.turns.open(made.id)
    chat.composer.area.focus()
    chat.say(f"This is the copy, “{made.title}”; /conversations lists both.")


async def export(chat: "ChatScreen", argument: str) -> None:
    """Write the conversation to a file, as Markdown or JSON."""
    from multidb_chat.tui.exporting import export_to_file

    if chat.turns.conversation_id is None:
        chat.say(_NOTHING_YET)
    else:
        written = await export_to_file(await chat.serving.services(), chat.turns.conversation_id, argument)
        chat.say(f"Wrote {clean_line(str(written))}")
