"""The branches of a conversation: which one is shown, what stands beside it, and copies of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Conversations, Link, Message
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.text import clean_line
from multidb_chat.services.exporting import Export
from multidb_chat.services.history import TITLE_LIMIT, History
from multidb_chat.services.talk_export import TalkForm, exported_talk

_FORK = " (fork)"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Branch:
    """The messages that are shown of a conversation, by their ids from the first to the last.

    `turns` are the same, a question with what answers it together. `siblings` tells, for each message on the branch
    that has some, all that answer to the same message, itself among them, in the order in which they were written: a
    retried or edited question is a sibling of the first one.
    """

    conversation: Conversation
    ids: tuple[str, ...]
    turns: tuple[tuple[str, ...], ...] = ()
    siblings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Branches:
    """Reads and chooses branches. All methods raise `NotFound` for a conversation of somebody else or a deleted one."""

    def __init__(self, history: History, conversations: Conversations) -> None:
        self._history = history
        self._conversations = conversations

    async def shown(self, account: Account, conversation_id: str) -> Branch:
        """Return the branch that was chosen last, or grew last."""
        conversation = await self._history.open(account, conversation_id)
        tree = _Tree(await self._conversations.outline(conversation_id))
        return tree.branch(conversation)

    async def messages(self, account: Account, conversation_id: str, ids: Sequence[str]) -> list[Message]:
        """Return these messages in the order of the ids; what is not in the conversation is left out."""
        await self._history.open(account, conversation_id)
        return await self._in_order(conversation_id, ids)

    async def siblings(self, account: Account, conversation_id: str, message_id: str) -> tuple[str, ...]:
        """Return the ids of all that answer to the same message as this one, itself among them, as they were written.

        Raises `NotFound` for an unknown message, too.
        """
        await self._history.open(account, conversation_id)
        tree = _Tree(await self._conversations.outline(conversation_id))
        tree.require(message_id)
        return tree.siblings(message_id)

    async def choose(self, account: Account, conversation_id: str, message_id: str) -> Branch:
        """Show the branch through this message that grew last; return it. Raises `NotFound` for an unknown message."""
        await self._history.open(account, conversation_id)
        tree = _Tree(await self._conversations.outline(conversation_id))
        tree.require(message_id)
        head = tree.end_below(message_id)
        changed = await self._conversations.change_conversation(account.id, conversation_id, head=head)
        if changed is None:
            raise NotFound(f"There is no conversation {clean_line(conversation_id)}.")
        return tree.branch(changed)

    async def fork(self, account: Account, conversation_id: str, message_id: str | None = None) -> Conversation:
        """Copy the branch that leads to a message (None: the one that is shown) into a conversation of its own.

        The beginning of the message's id is enough. The copy is hidden until it is complete. Raises `NotFound`, or
        `InvalidInput` where nothing was said or the beginning is that of several.
        """
        source = await self._history.open(account, conversation_id)
        outline = await self._conversations.outline(conversation_id)
        tree = _Tree(outline)
        if message_id is not None:
            source = replace(source, head=tree.named(message_id))
        ids = tree.branch(source).ids
        if not ids:
            raise InvalidInput("Nothing was said in this conversation yet, so there is nothing to fork.")
        now = datetime.now(UTC)
        title = f"{source.title[: TITLE_LIMIT - len(_FORK)]}{_FORK}"
        made = Conversation(
            new_id(), account.id, title, now, forked_from=source.id, renamed=True, read_at=now, deleted_at=now
        )
        await self._conversations.put_conversation(made)
        copies = await self._copy(conversation_id, ids, made)
        await self._copy_summary(outline, copies, made)
        head = next(reversed(copies.values()), None)
        shown = await self._conversations.change_conversation(account.id, made.id, head=head, deleted_at=None)
        assert shown is not None, "it was just made, and nobody else knows of it"
        return shown

    async def export(self, account: Account, conversation_id: str, form: TalkForm) -> Export:
        """Return the conversation as a file: the branch that is shown as Markdown, or the whole tree as JSON."""
        branch = await self.shown(account, conversation_id)
        ids: Sequence[str] = branch.ids
        if form == "json":
            ids = [link.id for link in await self._conversations.outline(conversation_id)]
        messages: list[Message] = []
        for at in range(0, len(ids), _PAGE):
            messages += await self._in_order(conversation_id, ids[at : at + _PAGE])
        return exported_talk(replace(branch.conversation, head=branch.ids[-1] if branch.ids else None), messages, form)

    async def _in_order(self, conversation_id: str, ids: Sequence[str]) -> list[Message]:
        found = {one.id: one for one in await self._conversations.messages_named(conversation_id, ids)}
        return [found[message_id] for message_id in ids if message_id in found]

    async def _copy(self, conversation_id: str, ids: Sequence[str], made: Conversation) -> dict[str, str]:
        """Copy messages, each below the one before; return the ids of the copies by those of the messages."""
        ids_of_copies: dict[str, str] = {}
        parent: str | None = None
        for at in range(0, len(ids), _PAGE):
            copies = []
            for message in await self._in_order(conversation_id, ids[at : at + _PAGE]):
                copies.append(replace(message, id=new_id(), conversation_id=made.id, parent_id=parent))
                parent = ids_of_copies[message.id] = copies[-1].id
            await self._conversations.append(*copies)
        return ids_of_copies

    async def _copy_summary(self, outline: Sequence[Link], copies: Mapping[str, str], made: Conversation) -> None:
        """Copy what sums up the most of the messages that were copied."""
        on_branch = [link for link in outline if link.role == "notice" and link.parent_id in copies]
        if on_branch and made.forked_from is not None:
            last = max(on_branch, key=lambda link: (copies[link.parent_id or ""], link.id))
            for message in await self._in_order(made.forked_from, [last.id]):
                parent = copies[message.parent_id or ""]
                await self._conversations.append(
                    replace(message, id=new_id(), conversation_id=made.id, parent_id=parent)
                )


class _Tree:
    """A conversation's messages as they hang together."""

    def __init__(self, outline: Sequence[Link]) -> None:
        outline = [link for link in outline if link.role != "notice"]
        self._parents = {link.id: link.parent_id for link in outline}
        self._questions = {link.id for link in outline if link.role == "user"}
        self._children: dict[str | None, list[str]] = {}
        for link in outline:
            self._children.setdefault(link.parent_id, []).append(link.id)
        self._latest = outline[-1].id if outline else None

    def require(self, message_id: str) -> None:
        """Raise `NotFound` unless there is such a message."""
        if message_id not in self._parents:
            raise NotFound(f"There is no message {clean_line(message_id)} in this conversation.")

    def named(self, beginning: str) -> str:
        """Return the id that begins like this. Raises `NotFound`, or `InvalidInput` when several do."""
        if beginning in self._parents:
            return beginning
        found = [key for key in self._parents if beginning and key.startswith(beginning)]
        if len(found) > 1:
            raise InvalidInput(f'"{clean_line(beginning)}" begins {len(found)} messages; give more of it.')
        self.require(found[0] if found else beginning)
        return found[0]

    def siblings(self, message_id: str) -> tuple[str, ...]:
        """Return the children of the message's parent."""
        return tuple(self._children[self._parents[message_id]])

    def branch(self, conversation: Conversation) -> Branch:
        """Return the branch that ends with the conversation's head, or with the latest message where it has none."""
        at = conversation.head if conversation.head in self._parents else self._latest
        ids: dict[str, None] = {}
        while at is not None and at in self._parents and at not in ids:
            ids[at] = None
            at = self._parents[at]
        path = tuple(ids)[::-1]
        siblings = {key: all_ for key in path if len(all_ := self.siblings(key)) > 1}
        return Branch(conversation, path, self._turns(path), siblings)

    def _turns(self, path: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        starts = [at for at, key in enumerate(path) if key in self._questions or at == 0]
        return tuple(tuple(path[at:end]) for at, end in pairwise([*starts, len(path)]))

    def end_below(self, message_id: str) -> str:
        """Return the latest message without an answer at or below this one."""
        waiting, seen, ends = [message_id], {message_id}, [message_id]
        while waiting:
            at = waiting.pop()
            below = [child for child in self._children.get(at, ()) if child not in seen]
            seen.update(below)
            waiting += below
            if not below:
                ends.append(at)
        return max(ends)
