"""Commands about what is remembered."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen

NOTHING = "Nothing is remembered. /remember FACT keeps one; a language model gets it with your questions."


async def remember(chat: "ChatScreen", argument: str) -> None:
    """Keep a fact."""
    services = await chat.serving.services()
    facts = await services.pinned_facts.remember(services.account, argument)
    chat.say(f"Remembered as number {len(facts)}; /memory lists all, /forget {len(facts)} forgets it.")


async def forget(chat: "ChatScreen", argument: str) -> None:
    """Forget a fact."""
    services = await chat.serving.services()
    chat.say(f"Forgotten: {await services.pinned_facts.forget(services.account, argument)}")


async def memory(chat: "ChatScreen", argument: str) -> None:
    """List the facts, and what is recalled of the conversation."""
    from multidb_chat.services.recalling.reading import recalled_rows
    from multidb_chat.tui.screens.figures import FiguresScreen

    services = await chat.serving.services()
    facts = await services.pinned_facts.all(services.account)
    sections = [("Facts", [(str(number), fact) for number, fact in enumerate(facts, 1)])] if facts else []
    if (conversation_id := chat.turns.conversation_id) is not None:
        seen = await services.recollection.of(services.account, conversation_id)
        sections.append(("This conversation", recalled_rows(seen)))
    if sections:
        chat.app.push_screen(FiguresScreen("What is remembered", sections))
    else:
        chat.say(NOTHING)
