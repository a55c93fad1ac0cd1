"""Commands about feedback."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def feedback(chat: "ChatScreen", argument: str) -> None:
    """Say something about the program."""
    services = await chat.serving.services()
    await services.feedback.tell(services.account, argument)
    chat.say("Thank you. /my-feedback lists what you said.")


async def my_feedback(chat: "ChatScreen", argument: str) -> None:
    """List the feedback that was given by whoever is talking."""
    from multidb_chat.tui.screens.feedback import FeedbackScreen

    chat.app.push_screen(FeedbackScreen(chat.serving))
