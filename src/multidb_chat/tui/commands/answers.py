"""Commands about the last answer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def sources(chat: "ChatScreen", argument: str) -> None:
    """Show or hide the sources panel: beside the chat where there is room, else over it."""
    chat.toggle_sources()


async def why(chat: "ChatScreen", argument: str) -> None:
    """Show how the last answer came about."""
    from multidb_chat.tui.screens.why import WhyScreen

    if chat.turns.answer is None:
        chat.say("There is no answer yet to explain.")
    else:
        chat.app.push_screen(WhyScreen(chat.turns.answer))
