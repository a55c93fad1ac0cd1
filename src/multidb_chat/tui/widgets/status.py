"""One line that says what is being done, and for how long already."""

from time import monotonic

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from multidb_chat.domain.text import clean_line

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_SECONDS = 0.1
_FIRST = ("opening", "preparing", "turn")  # what comes later waits for what comes before


class StatusLine(Static):
    """Shows the activity that the others wait for: "opening", "preparing" or "turn"; blank when there is none."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 2; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    StatusLine.error { height: auto; max-height: 3; color: $text-error; text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._activities: dict[str, tuple[str, float]] = {}
        self._failure = ""
        self._ticking: Timer | None = None

    def begin(self, activity: str, text: str) -> None:
        """Show `text` until `end` is called for this activity; another text for it does not set back its time."""
        since = self._activities[activity][1] if activity in self._activities else monotonic()
        self._activities[activity] = (text, since)
        if self._ticking is None:
            self._ticking = self.set_interval(_FRAME_SECONDS, self._tick)
        self._ticking.resume()
        self._tick()

    def end(self, activity: str) -> None:
        """Stop showing an activity."""
        self._activities.pop(activity, None)
        if not self._activities and self._ticking is not None:
            self._ticking.pause()
        self._tick()

    def fail(self, reason: str) -> None:
        """Show why nothing works, for good."""
        self._failure = clean_line(reason)
        self.add_class("error")
        self.update(Content(self._failure))

    def _tick(self) -> None:
        if self._failure:
            return
        if not self._activities:
            self.update(Content(""), layout=False)
            return
        text, since = self._activities[min(self._activities, key=_FIRST.index)]
        seconds = monotonic() - since
        frame = _FRAMES[int(seconds / _FRAME_SECONDS) % len(_FRAMES)]
        elapsed = f"  {seconds:.0f} s" if seconds > 1 else ""
        escape = "  · Esc stops" if "turn" in self._activities else ""
        # Always one line: nothing around it moves, so that nothing has to be laid out anew ten times a second.
        self.update(Content(f"{frame} {text} …{elapsed}{escape}"), layout=False)
