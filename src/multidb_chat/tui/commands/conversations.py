"""Commands about conversations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def new(chat: "ChatScreen", argument: str) -> None:
    """Clear the screen and begin a new conversation."""
    await chat.turns.forget()
    await chat.transcript.clear()
    await chat.panel.empty()
