"""Commands about what was used and done."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen
    from multidb_chat.tui.services import Services


async def dashboard(chat: "ChatScreen", argument: str) -> None:
    """Show usage and figures as plots."""
    import asyncio
    from importlib import import_module

    # Drawing libraries take longer to import than a key may wait for its letter.
    module = await asyncio.to_thread(import_module, "multidb_chat.tui.screens.dashboard")
    chat.app.push_screen(module.DashboardScreen(chat.serving))


async def stats(chat: "ChatScreen", argument: str) -> None:
    """Show usage and figures in words."""
    from multidb_chat.services.figures_wording import figure_rows, rows_of, usage_rows
    from multidb_chat.services.resilience.states import state_rows
    from multidb_chat.tui.screens.figures import FiguresScreen

    if (services := _opened(chat)) is None:
        return
    plan = await rows_of(services.plans.usage_of(services.account), usage_rows)
    figures = await rows_of(services.statistics.of(services.account), figure_rows)
    sections = [("Plan", plan), ("Last 30 days", figures)]
    if states := await services.store_states.now():
        sections.append(("Servers", state_rows(states)))
    chat.app.push_screen(FiguresScreen("Your figures", sections))


async def session_stats(chat: "ChatScreen", argument: str) -> None:
    """Show what happened since the program was started."""
    from multidb_chat.services.figures_wording import session_rows
    from multidb_chat.tui.screens.figures import FiguresScreen

    if (services := _opened(chat)) is None:
        return
    rows = session_rows(services.statistics.session())
    chat.app.push_screen(FiguresScreen("This session", [("", rows)]))


async def clear_cache(chat: "ChatScreen", argument: str) -> None:
    """Let all answers be computed anew."""
    if (services := _opened(chat)) is None:
        return
    await services.chat.forget_answers(services.account)
    chat.say("Your cached answers are forgotten; the next ones are made anew.")


def _opened(chat: "ChatScreen") -> "Services | None":
    """Return the services; where there are none yet, say so: a command that waited would keep the screen waiting."""
    if chat.serving.opened is None:
        chat.say("That works in a moment: the stores are still being opened.")
    return chat.serving.opened
