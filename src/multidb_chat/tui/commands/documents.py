"""Commands about documents."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def docs(chat: "ChatScreen", argument: str) -> None:
    """Show the documents that are searched."""
    from multidb_chat.tui.screens.documents import DocumentsScreen

    chat.app.push_screen(DocumentsScreen(chat.serving))
