"""The feedback that an account gave, the latest first."""

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.wording import MUTED

if TYPE_CHECKING:
    from multidb_chat.domain.conversations import Feedback

_MOST = 200
_ABOUT = {1: "▲ good answer", -1: "▼ bad answer", 0: "the program"}
EMPTY = "You gave no feedback yet.\n\nRate an answer with /rate + or /rate -, or say something with /feedback MESSAGE."


class FeedbackScreen(ModalScreen[None]):
    """A list to read."""

    CSS_PATH = "feedback.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="feedback") as box:
            box.border_title = "Your feedback"
            box.border_subtitle = "Esc closes"
            yield Static("Loading …", id="given", markup=False)

    def on_mount(self) -> None:
        """Read it behind the screen."""
        self._load()

    @work(exclusive=True, group="feedback", exit_on_error=False)
    async def _load(self) -> None:
        try:
            services = await self._serving.services()
            given = await services.feedback.own(services.account, limit=_MOST)
            text = Content("\n").join([_line(one) for one in given]) if given else Content(EMPTY)
        except Exception as error:  # noqa: BLE001 - said in the place of the list
            text = Content(told(error))
        self.query_one("#given", Static).update(text)


def _line(given: "Feedback") -> Content:
    at = Content.styled(f"{given.created_at:%Y-%m-%d %H:%M}  ", MUTED)
    return at + Content.styled(f"{_ABOUT[given.rating]:<14}", "$accent") + Content(clean_line(given.comment))
