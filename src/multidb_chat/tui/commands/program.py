"""Commands about the program itself."""

import asyncio
from typing import TYPE_CHECKING

from multidb_chat.tui.themes import NAMES, next_theme

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def help_(chat: "ChatScreen", argument: str) -> None:
    """Show the keys and commands."""
    from multidb_chat.tui.screens.help import HelpScreen

    chat.app.push_screen(HelpScreen(chat))


async def settings(chat: "ChatScreen", argument: str) -> None:
    """Show the settings, to look at and to change."""
    from multidb_chat.tui.screens.settings import SettingsScreen

    chat.app.push_screen(SettingsScreen(chat.serving))


async def theme(chat: "ChatScreen", argument: str) -> None:
    """Change the colours at once, to this theme or to the next one, and keep them for the next time."""
    if argument and argument not in NAMES:
        chat.say(f"There is no theme {argument[:40]}; there are {', '.join(NAMES)}.")
        return
    chosen = argument or next_theme(chat.app.theme)
    chat.app.theme = chosen
    if (services := chat.serving.opened) is not None:
        changed = await services.preferences.set(services.account, "tui.theme", chosen)
        if changed.overridden:
            chat.say(f"The {changed.origin} decides the colours of the next start.")


async def model(chat: "ChatScreen", argument: str) -> None:
    """Tell which language model writes the answers, or use another one from the next question on."""
    if (services := chat.serving.opened) is None:
        chat.say("One moment: the documents are still being opened.")
        return
    from multidb_chat.services.answering.explaining import writer

    if argument:
        await asyncio.to_thread(services.preferences.for_now, services.account, "model.name", argument)
        chat.show_title()
    chat.say(writer(services.preferences.model))


async def quit_(chat: "ChatScreen", argument: str) -> None:
    """Leave."""
    await chat.app.action_quit()
