"""Commands about the program itself."""

from typing import TYPE_CHECKING

from multidb_chat.tui.themes import NAMES, next_theme

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def help_(chat: "ChatScreen", argument: str) -> None:
    """Show the keys and commands."""
    from multidb_chat.tui.screens.help import HelpScreen

    chat.app.push_screen(HelpScreen())


async def theme(chat: "ChatScreen", argument: str) -> None:
    """Change the colours: to this theme, or to the next one."""
    if argument and argument not in NAMES:
        chat.say(f"There is no theme {argument[:40]}; there are {', '.join(NAMES)}.")
    else:
        chat.app.theme = argument or next_theme(chat.app.theme)


async def quit_(chat: "ChatScreen", argument: str) -> None:
    """Leave."""
    await chat.app.action_quit()
