"""What widgets tell the screens above them. Attributes go down, messages come up."""

from textual.message import Message

from multidb_chat.tui.services import Services


class ServicesReady(Message):
    """The services are open and answer from now on."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services


class ServicesFailed(Message):
    """The services could not be opened; `reason` is one line for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Submitted(Message):
    """The composer was sent; `attachments` are texts pasted whole."""

    def __init__(self, text: str, attachments: tuple[str, ...]) -> None:
        super().__init__()
        self.text = text
        self.attachments = attachments
