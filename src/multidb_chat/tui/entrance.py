"""Coming and going while the app runs: who talks changes, and the chat with it."""

from contextlib import suppress
from typing import TYPE_CHECKING

from multidb_chat.domain.errors import NotPermitted, StoreError
from multidb_chat.tui.leaving import leave
from multidb_chat.tui.services import Services
from multidb_chat.tui.serving import Serving, told

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen

LOOK_AGAIN = 30.0
"""Seconds after which it is looked again whether the log-in was ended from elsewhere."""


class Entrance:
    """Logs in, registers and logs out on behalf of a chat; a guest who registers keeps the conversation."""

    def __init__(self, chat: "ChatScreen", serving: Serving) -> None:
        self._chat = chat
        self._serving = serving
        self._known = ""
        self._asking = False

    async def opened(self) -> None:
        """Show who talks; ask whoever is not known."""
        services = await self._serving.services()
        self._known = services.account.id
        if services.identity.chosen:
            self._chat.name_account(services.account)
            await self._offer_to_go_on(services)
        else:
            self.welcome(services.identity.notice)

    def welcome(self, notice: str = "") -> None:
        """Ask who is there, once at a time."""
        from multidb_chat.tui.screens.welcome import WelcomeScreen

        if not self._asking:
            self._asking = True
            self._chat.app.push_screen(WelcomeScreen(self._serving, notice), self._welcomed)

    def log_in(self) -> None:
        """Ask for a log-in."""
        from multidb_chat.tui.screens.login import LoginScreen

        self._chat.app.push_screen(LoginScreen(self._serving), self._changed)

    def register(self) -> None:
        """Ask for what an account needs."""
        from multidb_chat.tui.screens.register import RegisterScreen

        self._chat.app.push_screen(RegisterScreen(self._serving), self._changed)

    async def log_out(self) -> None:
        """End the log-in, or the guest, and ask who is there."""
        services = await self._serving.services()
        await self._chat.begin_anew()
        await services.identity.log_out()
        self.welcome()

    async def profile_left(self, wanted: str | None) -> None:
        """Log out when the profile was left for that."""
        if wanted == "log out":
            await self.log_out()

    async def still_in(self) -> bool:
        """Tell whether whoever talks still may; if not, begin anew and ask who is there.

        While the store is away, whoever is in stays in: what is asked then checks for itself.
        """
        services = self._serving.opened
        if services is not None and services.identity.waiting:
            await self._try_again(services)
        if services is None or not services.identity.chosen:
            return True
        try:
            await services.identity.recheck()
        except StoreError:
            return True
        except NotPermitted as error:
            await self._chat.begin_anew()
            await services.identity.log_out()
            self.welcome(told(error))
            return False
        return True

    async def _try_again(self, services: Services) -> None:
        """Let in whoever was logged in, or ask who is there, once the accounts can be read."""
        from multidb_chat.tui.screens.welcome import WelcomeScreen

        asking = self._chat.app.screen
        if not isinstance(asking, WelcomeScreen):  # somebody is writing right now
            return
        with suppress(StoreError):
            await services.identity.open("app")
        if services.identity.chosen:
            leave(asking, True)
        else:
            asking.tell(services.identity.notice)

    async def _welcomed(self, done: bool | None) -> None:
        self._asking = False
        await self._changed(done)

    async def _changed(self, done: bool | None) -> None:
        """Show who talks now; another account gets an empty chat."""
        if not done:
            return
        services = await self._serving.services()
        if self._known and services.account.id != self._known:
            await self._chat.begin_anew()
        self._known = services.account.id
        self._chat.name_account(services.account)
        await self._offer_to_go_on(services)
        await self._offer_to_add(services)

    async def _offer_to_go_on(self, services: Services) -> None:
        """Tell whoever has talked before how to go on with it."""
        latest = None
        if self._chat.turns.conversation_id is None:
            with suppress(StoreError):  # it is only an offer
                latest = await services.history.latest(services.account)
        if latest is not None:
            self._chat.say(f"Your last conversation was “{latest.title}”; /resume goes on with it.")

    async def _offer_to_add(self, services: Services) -> None:
        """Tell whoever has no documents yet, and may have some, what to do next."""
        from multidb_chat.services.collections import owns

        account = services.account
        with suppress(StoreError):  # as above
            collections = await services.documents.collections(account)
            if account.role != "guest" and not any(owns(account, one) for one in collections):
                self._chat.say("Now add documents of your own: /add, or F3 and then a.")
