"""Commands about background tasks and the inbox."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen

_SAVE = re.compile(r"\s+--save(?:[= ]+(\S+))?\s*$")
_NARROWED = re.compile(r"(?<!\w)#([\w.-]+)")


async def analyze(chat: "ChatScreen", argument: str) -> None:
    """Count what is in the documents, in the background."""
    await _submit(chat, "analyze", argument, {})


async def research(chat: "ChatScreen", argument: str) -> None:
    """Research a topic in the documents, in the background; `--save NAME` adds the report to a collection."""
    saving = _SAVE.search(argument)
    topic = argument[: saving.start()] if saving else argument
    if not any(character.isalnum() for character in topic):
        chat.say("Say what to find out: /research customer churn. With --save NAME the report becomes a document.")
        return
    await _submit(chat, "research", topic, {"save": saving[1] or "reports"} if saving else {})


async def _submit(chat: "ChatScreen", kind: str, about: str, options: dict[str, str]) -> None:
    """Queue a task; `#name` narrows it to a collection."""
    services = await chat.serving.services()
    names = _NARROWED.findall(about)
    if names:
        chosen = await services.documents.resolve(services.account, names)
        options["collections"] = "\n".join(one.id for one in chosen)
    task = await services.task_service.submit(services.account, kind, _NARROWED.sub(r"\1", about), options)
    what = task.payload["about"] or "your documents"
    chat.say(f"{kind}: {what} is under way. Go on asking; /tasks shows how far it is.")


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
