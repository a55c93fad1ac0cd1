"""Conversations as rows: an unread mark, the title, the words that were found below it, and when it was talked in."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.geometry import Offset
from textual.widgets import DataTable

from multidb_chat.domain.conversations import Conversation, FoundConversation
from multidb_chat.domain.text import clean_line
from multidb_chat.services.excerpts import excerpt

PAGE = 100
"""Rows that are drawn at once; more come as the cursor nears the last one."""
_NEAR_THE_END = 20
_MARK, _WHEN = 1, 16


class TitlePlace(NamedTuple):
    """Where a title stands on the screen."""

    offset: Offset
    width: int


class ConversationTable(DataTable[Text]):
    """The conversations that were found, the one talked in last first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", show_header=False)
        self._found: list[FoundConversation] = []
        self._looked_for = ""

    @property
    def chosen(self) -> Conversation | None:
        """The conversation under the cursor."""
        row = self.cursor_row
        return self._found[row].conversation if 0 <= row < self.row_count else None

    @property
    def title_place(self) -> TitlePlace:
        """Where the title under the cursor stands, with a column of room on each side."""
        cell = self._get_cell_region(Coordinate(self.cursor_row, 1))
        return TitlePlace(self.region.offset + cell.offset - self.scroll_offset, cell.width)

    def show(self, found: Sequence[FoundConversation], looked_for: str, keep: str) -> None:
        """Show these conversations, with the cursor on the one with the id `keep`, else on the first."""
        self._found = sorted(found, key=_activity, reverse=True)
        self._looked_for = looked_for
        keys = [one.conversation.id for one in self._found]
        self.draw(keys.index(keep) if keep in keys else 0)

    def draw(self, row: int) -> None:
        """Draw all anew, with the cursor on this row."""
        self.clear(columns=True)
        for width in self._widths:
            self.add_column("", width=width)
        self._append(max(PAGE, row + PAGE))
        self.move_cursor(row=min(row, max(0, self.row_count - 1)))

    def take_out(self, conversation: Conversation) -> str:
        """Remove a row; return the id of the conversation that the cursor is on then, empty for none."""
        row = self.cursor_row
        self._found = [one for one in self._found if one.conversation.id != conversation.id]
        self.draw(max(0, min(row, len(self._found) - 1)))
        return self.chosen.id if self.chosen is not None else ""

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Draw more rows when the last ones come near."""
        if self.row_count < len(self._found) and event.cursor_row >= self.row_count - _NEAR_THE_END:
            self._append(PAGE)

    @property
    def _widths(self) -> tuple[int, int, int]:
        """The widths of the columns in cells; the title gets what the others and their padding leave."""
        return _MARK, max(12, self.app.size.width - _MARK - _WHEN - 7), _WHEN

    def _append(self, count: int) -> None:
        drawn = self.row_count
        for one in self._found[drawn : drawn + count]:
            self.add_row(*self._cells(one), height=1 if one.message is None else 2)

    def _cells(self, found: FoundConversation) -> tuple[Text, Text, Text]:
        conversation = found.conversation
        strong = "bold" if conversation.unread else ""
        title = self._line(clean_line(conversation.title), strong)
        if found.message is not None:
            words = excerpt(found.message.body, self._looked_for, self._widths[1])
            title = Text("\n").join([title, self._line(words, "italic")])
        when = Text(f"{conversation.last_activity.astimezone():%Y-%m-%d %H:%M}")
        return Text("●" if conversation.unread else " ", style=strong), title, when

    def _line(self, text: str, style: str) -> Text:
        line = Text(text, style=style, no_wrap=True)
        line.truncate(self._widths[1], overflow="ellipsis")
        return line


def _activity(found: FoundConversation) -> tuple[datetime, str]:
    return found.conversation.last_activity, found.conversation.id
