"""Commands about who is talking."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def login(chat: "ChatScreen", argument: str) -> None:
    """Log in, also as somebody else."""
    chat.entrance.log_in()


async def register(chat: "ChatScreen", argument: str) -> None:
    """Make an account; a guest keeps the conversation."""
    chat.entrance.register()


async def logout(chat: "ChatScreen", argument: str) -> None:
    """Log out; the welcome screen comes back."""
    await chat.entrance.log_out()


async def profile(chat: "ChatScreen", argument: str) -> None:
    """Show the account."""
    from multidb_chat.tui.screens.profile import ProfileScreen

    chat.app.push_screen(ProfileScreen(chat.serving), chat.entrance.profile_left)
