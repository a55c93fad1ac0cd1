"""A line that is there only when little is left of the plan: what, and when it begins anew."""

from textual import work
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.tui.serving import Serving


class QuotaLine(Static):
    """Says of which resource little is left; the rest is on the dashboard."""

    DEFAULT_CSS = """
    QuotaLine { height: auto; max-height: 2; padding: 0 2; color: $text-warning; display: none; }
    """

    def __init__(self, serving: Serving) -> None:
        super().__init__(markup=False)
        self._serving = serving

    @work(exclusive=True, group="quota", exit_on_error=False)
    async def look(self) -> None:
        """Look what is left now; where that cannot be told, the line is not there."""
        lines: tuple[str, ...] = ()
        try:
            services = await self._serving.services()
            lines = await services.plans.warnings(services.account)
        except MultidbChatError:
            pass
        self.update(Content(lines[0] if lines else ""))
        self.display = bool(lines)
