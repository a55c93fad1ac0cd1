"""The conversations of the account: searched as one types, opened, renamed, put away, deleted and taken back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, Static

from multidb_chat.domain.conversations import Conversation, FoundConversation
from multidb_chat.domain.text import clean_line
from multidb_chat.tui.services import Services
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.conversation_table import ConversationTable
from multidb_chat.tui.widgets.key_line import KeyLine

NEW = ""
"""What the screen returns for a new conversation."""
_PAUSE_SECONDS = 0.1  # between keys: what is typed on is not searched for
_LONGEST_TITLE = 80
_MOST_FOUND = 500

Work = Callable[[Services], Awaitable[object]]
View = Literal["current", "archived", "deleted"]
VIEWS: tuple[View, ...] = ("current", "archived", "deleted")
EMPTY = {
    "current": "There are no conversations yet. Press n and ask something: every conversation is kept here.",
    "archived": "Nothing is archived. In the list of conversations, a puts one away.",
    "deleted": "Nothing is deleted. What is deleted stays here for 30 days and can be taken back.",
}
_ON_ONE = frozenset({"open", "rename", "archive", "delete", "fork", "export"})
NOT_FOUND = "No conversation has all of these words, in its title or in what was said."


class ConversationsScreen(Screen[str | None]):
    """Returns the id of the conversation to open, `NEW` for a new one, or None."""

    CSS_PATH = "conversations.tcss"
    AUTO_FOCUS = "ConversationTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("o", "open", "Open", key_display="Enter"),
        Binding("t", "take_back", "Take back", key_display="Enter"),
        Binding("slash", "search", "Search", key_display="/"),
        Binding("n", "new", "New"),
        Binding("r", "rename", "Rename"),
        Binding("a", "archive", "Archive"),
        Binding("d,delete", "delete", "Delete", key_display="d"),
        Binding("u", "undo", "Undo", show=False),
        Binding("f", "fork", "Fork"),
        Binding("e", "export", "Export"),
        Binding("v", "view", "View"),
        Binding("q,f5", "app.pop_screen", show=False),
    ]

    def __init__(self, serving: Serving, looked_for: str = "") -> None:
        super().__init__()
        self._serving = serving
        self._looked_for = looked_for
        self._view: View = "current"
        self._undoing: list[tuple[str, Work]] = []
        self._renaming: Conversation | None = None
        self._search = Input(looked_for, placeholder="Search titles and messages: /", id="search", compact=True)
        self._table = ConversationTable()
        self._title = Input(id="rename", max_length=_LONGEST_TITLE, compact=True)

    def compose(self) -> ComposeResult:
        yield Static(" Conversations", id="title", markup=False)
        yield self._search
        yield Static("Loading …", id="state", markup=False)
        yield self._table
        yield self._title
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the conversations."""
        self.look()

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        self._end_renaming()
        if self._table.row_count:
            self._table.draw(self._table.cursor_row)

    # Finding

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        if event.value != self._looked_for:
            self._looked_for = event.value
            self.look(_PAUSE_SECONDS)

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        self._table.focus()

    @work(exclusive=True, group="conversations", exit_on_error=False)
    async def look(self, pause: float = 0.0, keep: str = "") -> None:
        """Read the conversations anew, with the cursor on the one with the id `keep`, else on the first one."""
        await asyncio.sleep(pause)
        try:
            found = await self._read(await self._serving.services())
        except Exception as error:  # noqa: BLE001 - said in the place of the conversations
            self._say(told(error), error=True)
            return
        self._table.show(found, self._looked_for, keep)
        self.refresh_bindings()
        shown = "" if self._view == "current" else f" · {self._view}"
        self.query_one("#title", Static).update(Content(f" Conversations{shown} · {len(found):,}"))
        self._say("" if found else NOT_FOUND if self._searching else EMPTY[self._view])

    @property
    def _searching(self) -> bool:
        return self._view != "deleted" and bool(self._looked_for.strip())

    async def _read(self, services: Services) -> Sequence[FoundConversation]:
        history, account = services.history, services.account
        archived = self._view == "archived"
        if self._searching:
            return await history.search(account, self._looked_for, _MOST_FOUND, archived)
        everything = await history.all(account, deleted=self._view == "deleted")
        wanted = (one for one in everything if self._view == "deleted" or one.archived is archived)
        return [FoundConversation(one, None) for one in wanted]

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with the conversation under the cursor: deleted ones are only taken back."""
        if action == "take_back":
            return self._view == "deleted" and self._table.chosen is not None
        return action not in _ON_ONE or self._own is not None

    @on(ConversationTable.RowSelected)
    def _chosen(self) -> None:
        if self._view == "deleted":
            self.action_take_back()
        else:
            self.action_open()

    def action_open(self) -> None:
        """Open the conversation."""
        if (one := self._own) is not None:
            self.dismiss(one.id)

    def action_take_back(self) -> None:
        """Take the deleted conversation back."""
        if (one := self._table.chosen) is not None:
            self._take_out(one, "Took back", lambda s: s.history.undelete(s.account, one.id))

    def action_back(self) -> None:
        """Leave what was begun: the new title, the search, then the screen."""
        if self._renaming is not None:
            self._end_renaming()
        elif self._search.value or self._search.has_focus:
            self._search.value = ""
            self._table.focus()
        else:
            self.dismiss(None)

    def action_search(self) -> None:
        """Type what to look for."""
        self._search.focus()

    def action_new(self) -> None:
        """Begin a new conversation."""
        self.dismiss(NEW)

    def action_view(self) -> None:
        """Show those that are archived, then those that are deleted, then the current ones."""
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self.look()

    def action_archive(self) -> None:
        """Put the conversation away, or take it out again."""
        if (one := self._own) is not None:
            away = not one.archived
            self._take_out(
                one,
                "Archived" if away else "Took out",
                lambda s: s.history.archive(s.account, one.id, away),
                lambda s: s.history.archive(s.account, one.id, not away),
            )

    def action_delete(self) -> None:
        """Delete the conversation; it can be taken back."""
        if (one := self._own) is not None:
            self._take_out(
                one,
                "Deleted",
                lambda s: s.history.delete(s.account, one.id),
                lambda s: s.history.undelete(s.account, one.id),
            )

    def action_undo(self) -> None:
        """Take back what was archived or deleted last."""
        if self._undoing:
            key, undo = self._undoing.pop()
            self._carry_out(undo, keep=key)
        else:
            self.notify("There is nothing to undo.", markup=False)

    def action_fork(self) -> None:
        """Copy the conversation into one of its own."""
        if (one := self._own) is not None:
            self._carry_out(lambda s: s.branches.fork(s.account, one.id), f"Forked {_quoted(one)}.")

    def action_export(self) -> None:
        """Write the conversation to a Markdown file."""
        if (one := self._own) is not None:
            self._export(one)

    @property
    def _own(self) -> Conversation | None:
        """The conversation that something is to be done to; deleted ones are only taken back."""
        return self._table.chosen if self._view != "deleted" else None

    @work(group="changes", exit_on_error=False)
    async def _export(self, conversation: Conversation) -> None:
        from multidb_chat.tui.exporting import export_to_file

        try:
            written = await export_to_file(await self._serving.services(), conversation.id)
        except Exception as error:  # noqa: BLE001 - told on the screen
            self.notify(told(error), severity="error", markup=False)
        else:
            self.notify(f"Wrote {clean_line(str(written))}", markup=False)

    def _take_out(self, conversation: Conversation, done: str, work: Work, undo: Work | None = None) -> None:
        """Do what takes the conversation out of this list, and say how to undo it."""
        keep = self._table.take_out(conversation)
        said = f"{done} {_quoted(conversation)}."
        if undo is None:
            self._carry_out(work, said, keep)
        else:
            self._carry_out(work, f"{said} Press u to undo.", keep, (conversation.id, undo))

    @work(group="changes", exit_on_error=False)
    async def _carry_out(
        self, work: Work, said: str = "", keep: str = "", undoing: tuple[str, Work] | None = None
    ) -> None:
        try:
            outcome = await work(await self._serving.services())
        except Exception as error:  # noqa: BLE001 - told on the screen
            self.notify(told(error), severity="error", markup=False)
        else:
            if undoing is not None:
                self._undoing.append(undoing)
            if said:
                self.notify(said, markup=False)
            keep = keep or (outcome.id if isinstance(outcome, Conversation) else "")
        self.look(keep=keep)

    # Renaming

    def action_rename(self) -> None:
        """Type another title where the title stands."""
        if (one := self._own) is not None:
            self._renaming = one
            place = self._table.title_place
            self._title.styles.offset = (place.offset.x, place.offset.y)
            self._title.styles.width = place.width
            self._title.value = one.title
            self._title.display = True
            self._title.focus()
            self._title.action_end()

    @on(Input.Submitted, "#rename")
    def _renamed(self, event: Input.Submitted) -> None:
        conversation, title = self._renaming, event.value
        self._end_renaming()
        if conversation is not None and clean_line(title) not in ("", conversation.title):
            self._carry_out(lambda s: s.history.rename(s.account, conversation.id, title), keep=conversation.id)

    def _end_renaming(self) -> None:
        if self._renaming is not None:
            self._renaming = None
            self._title.display = False
            self._table.focus()


def _quoted(conversation: Conversation) -> str:
    return f"“{clean_line(conversation.title)}”"
