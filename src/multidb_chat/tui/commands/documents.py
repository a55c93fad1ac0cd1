"""Commands about documents."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen


async def docs(chat: "ChatScreen", argument: str) -> None:
    """Show the documents that are searched."""
    from multidb_chat.tui.screens.documents import DocumentsScreen

    chat.app.push_screen(DocumentsScreen(chat.serving, chat.desk))


async def add(chat: "ChatScreen", argument: str) -> None:
    """Add files and folders: ask for their paths, beginning with those that are given."""
    from multidb_chat.services.collections import DEFAULT_COLLECTION
    from multidb_chat.tui.screens.add import AddScreen

    chat.app.push_screen(AddScreen(chat.serving, chat.desk.additions, argument, DEFAULT_COLLECTION))


async def collection(chat: "ChatScreen", argument: str) -> None:
    """Show the documents of a collection; without a name, all collections."""
    from multidb_chat.tui.screens.collections import CollectionsScreen
    from multidb_chat.tui.screens.documents import DocumentsScreen

    if argument:
        # Not waited for: the screen draws nothing while its command waits.
        if (services := chat.serving.opened) is None:
            chat.say("/collection works in a moment: the stores are still being opened.")
            return
        found = (await services.documents.resolve(services.account, [argument]))[0]
        chat.app.push_screen(DocumentsScreen(chat.serving, chat.desk, found.id))
        return

    def show(chosen: str | None) -> None:
        if chosen is not None:
            chat.app.push_screen(DocumentsScreen(chat.serving, chat.desk, chosen))

    chat.app.push_screen(CollectionsScreen(chat.serving), show)


async def offer(chat: "ChatScreen", paths: list[str]) -> bool:
    """Offer to add files, in a worker; False when they were not taken. Guests are told what they need for it."""
    from multidb_chat.domain.permissions import Permission, may
    from multidb_chat.services.collections import DEFAULT_COLLECTION
    from multidb_chat.tui.paths import quoted
    from multidb_chat.tui.screens.add import AddScreen
    from multidb_chat.tui.screens.documents import GUEST

    services = await chat.serving.services()
    if not may(services.account, Permission.INGEST):
        chat.say(GUEST)
        return False
    typed = " ".join(map(quoted, paths))
    screen = AddScreen(chat.serving, chat.desk.additions, typed, DEFAULT_COLLECTION)
    return await chat.app.push_screen_wait(screen) is not None
