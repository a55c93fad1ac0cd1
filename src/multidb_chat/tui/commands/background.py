"""Commands about background tasks and the inbox."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def analyze(chat: "ChatScreen", argument: str) -> None:
    """Count what is in the documents, in the background."""
    await _submit(chat, "analyze", argument)


async def research(chat: "ChatScreen", argument: str) -> None:
    """Research a topic in the documents, in the background; `--save NAME` adds the report to a collection."""
    await _submit(chat, "research", argument)


async def _submit(chat: "ChatScreen", kind: str, argument: str) -> None:
    """Queue a task; `#name` narrows it to a collection."""
    from multidb_chat.services.tasks.requests import read_request

    request = read_request(argument)
    if kind == "research" and not any(character.isalnum() for character in request.about):
        chat.say("Say what to find out: /research customer churn. With --save NAME the report becomes a document.")
        return
    services = await chat.serving.services()
    options = await request.options(services.account, services.documents)
    await services.task_service.submit(services.account, kind, request.about, options)
    chat.say(f"{kind}: {request.about or 'your documents'} is under way. Go on asking; /tasks shows how far it is.")


async def tasks(chat: "ChatScreen", argument: str) -> None:
    """Show the background tasks."""
    from multidb_chat.tui.screens.tasks import TasksScreen

    chat.app.push_screen(TasksScreen(chat.serving))


async def notifications(chat: "ChatScreen", argument: str) -> None:
    """Show the inbox, or clear it."""
    if argument.strip().lower() == "clear":
        services = await chat.serving.services()
        cleared = await services.inbox.clear(services.account)
        chat.say(f"{cleared:,} cleared; /tasks still has the reports." if cleared else "The inbox was empty.")
        await chat.news.look()
        return
    if argument.strip():
        chat.say(f"/notifications knows only clear, not {argument.strip()[:40]}.")
        return
    from multidb_chat.tui.screens.inbox import InboxScreen

    chat.app.push_screen(InboxScreen(chat.serving))
