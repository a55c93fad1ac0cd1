"""What widgets tell the screens above them. Attributes go down, messages come up."""

from textual.message import Message


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


class Submitted(Message):
    """The composer was sent; `attachments` are texts pasted whole, none for a command."""

    def __init__(self, text: str, attachments: tuple[str, ...]) -> None:
        super().__init__()
        self.text = text
        self.attachments = attachments
