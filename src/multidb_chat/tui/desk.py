"""What goes on with the user's documents in this run of the app, whichever screen is shown."""

from typing import TYPE_CHECKING

from multidb_chat.tui.adding import Additions
from multidb_chat.tui.serving import Serving

if TYPE_CHECKING:
    from multidb_chat.services.documents import Removed


class Desk:
    """The documents being added, and those that were removed and can be put back until the app is left."""

    def __init__(self, serving: Serving) -> None:
        self.additions = Additions(serving)
        self.removed: list[Removed] = []
