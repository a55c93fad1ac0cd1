"""What widgets tell the screens above them. Attributes go down, messages come up."""

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from multidb_chat.tui.widgets.exchange import Exchange


class ServicesReady(Message):
    """The services are open."""


class Preparing(Message):
    """The services do what can wait until after the first paint; `what` says what, in a few words."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class ServicesPrepared(Message):
    """Questions are answered from now on at once; `problem` is what went wrong on the way, one line or empty."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class ServicesFailed(Message):
    """The services could not be opened; `reason` is one line for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Ended(Message):
    """A background task has ended; `notice` is one line about it."""

    def __init__(self, notice: str) -> None:
        super().__init__()
        self.notice = notice


class Submitted(Message):
    """The composer was sent; `attachments` are texts pasted whole, none for a command.

    `instead_of` is the question that was edited, or is to be answered again.
    """

    def __init__(self, text: str, attachments: tuple[str, ...] = (), instead_of: "Exchange | None" = None) -> None:
        super().__init__()
        self.text = text
        self.attachments = attachments
        self.instead_of = instead_of


class DraftChanged(Message):
    """What is in the question box changed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class NextPart(Message):
    """The cursor shall go to the next part of the screen."""
