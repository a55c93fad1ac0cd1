"""Registering: an address, and a password twice whose strength shows while it is typed."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from multidb_chat.domain.errors import InvalidInput, LogInRefused, UnfitPassword
from multidb_chat.tui.screens.form import Field, FormScreen
from multidb_chat.tui.serving import Serving
from multidb_chat.tui.wording import strength_of


class NewPasswordScreen(FormScreen):
    """A form with a new password in the fields `password` and `again`.

    `refused_in` is the field that is wrong when it is not the new password.
    """

    refused_in: ClassVar[str] = "email"

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self.serving = serving

    def below(self, field: Field) -> Iterator[Widget]:
        if field.name == "password":
            yield Static(id="strength", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge the password that is being typed."""
        if event.input.id == "password":
            self.judge()

    @work(exclusive=True, group="strength", exit_on_error=False)
    async def judge(self) -> None:
        """Show how strong the password is, and one line of advice."""
        services = await self.serving.services()
        password = self.value("password")
        strength = await services.identity.strength(password, self.address(services.account.email or ""))
        self.query_one("#strength", Static).update(strength_of(strength) if password else Content(""))

    def address(self, own: str) -> str:
        """Return the address that the password is for."""
        return own

    def at_fault(self, error: Exception) -> str:
        if isinstance(error, UnfitPassword):
            return "password"
        return self.refused_in if isinstance(error, LogInRefused | InvalidInput) else ""

    def same(self, values: dict[str, str]) -> bool:
        """Tell whether the password was typed twice; if not, say so."""
        if values["password"] == values["again"]:
            return True
        self.fail("The two passwords are not the same.", "again")
        return False


class RegisterScreen(NewPasswordScreen):
    """Makes an account; a guest keeps the conversation."""

    heading = "Register"
    intro = "An account of your own: your documents and conversations are yours alone, and they stay."
    button = "Register"
    fields = (
        Field("email", "E-mail address", placeholder="ada@example.org"),
        Field("password", "Password, 8 characters or more", secret=True),
        Field("again", "The same password once more", secret=True),
    )

    def address(self, own: str) -> str:
        return self.value("email")

    async def carry_out(self, values: dict[str, str]) -> bool:
        if not self.same(values):
            return False
        services = await self.serving.services()
        await services.identity.register(values["email"], values["password"])
        return True


class ChangePasswordScreen(NewPasswordScreen):
    """Changes one's own password."""

    heading = "Change the password"
    refused_in = "present"
    intro = "All your other log-ins end."
    button = "Change the password"
    fields = (
        Field("present", "Present password", secret=True),
        Field("password", "New password, 8 characters or more", secret=True),
        Field("again", "The new password once more", secret=True),
    )

    async def carry_out(self, values: dict[str, str]) -> bool:
        if not self.same(values):
            return False
        services = await self.serving.services()
        await services.account_security.change_password(
            services.account, values["present"], values["password"], session_id=services.identity.session_id
        )
        return True


class ResetScreen(NewPasswordScreen):
    """Sets a new password with a one-time code."""

    heading = "Forgotten password"
    intro = "An administrator gives you a code; it is good once. All your log-ins end."
    button = "Set the password"
    fields = (
        Field("email", "E-mail address", placeholder="ada@example.org"),
        Field("code", "Code", placeholder="k7mf-2qxw-9rta"),
        Field("password", "New password, 8 characters or more", secret=True),
        Field("again", "The new password once more", secret=True),
    )

    def __init__(self, serving: Serving, email: str) -> None:
        super().__init__(serving)
        self._email = email

    def on_mount(self) -> None:
        """Begin with the address that was typed before."""
        self.query_one("#email", Input).value = self._email
        super().on_mount()

    def address(self, own: str) -> str:
        return self.value("email")

    def at_fault(self, error: Exception) -> str:
        return "code" if isinstance(error, LogInRefused) else super().at_fault(error)

    async def carry_out(self, values: dict[str, str]) -> bool:
        if not self.same(values):
            return False
        services = await self.serving.services()
        security = await asyncio.to_thread(lambda: services.account_security)
        await security.reset_password(values["email"], values["code"], values["password"])
        return True
