"""Conversations as trees of messages, curated knowledge, and feedback; and the port that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol, TypedDict, Unpack

MessageRole = Literal["user", "assistant", "notice"]

META_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of messages that belongs to one account. `id` is time-ordered, so it also tells when it began.

    `title` is made from what was said until somebody gives another one (`renamed`). `head` is the message at the end of
    the branch that is shown; where it is None or unknown, that is the latest message. `read_at` is up to when the
    account has seen what was said. One with `deleted_at` is hidden, and goes for good when its time has come.
    """

    id: str
    account_id: str
    title: str
    last_activity: datetime
    archived: bool = False
    forked_from: str | None = None
    renamed: bool = False
    head: str | None = None
    read_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def unread(self) -> bool:
        """Whether something was said since the account has looked last."""
        return self.read_at is None or self.last_activity > self.read_at


class Changes(TypedDict, total=False):
    """What may change of a conversation; what is not named stays."""

    title: str
    renamed: bool
    last_activity: datetime
    archived: bool
    head: str | None
    read_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """One immutable message. A retry or an edit is a sibling (same `parent_id`), never an overwrite.

    `meta` is what a face needs to show it again (the answer's citations and timings as JSON): at most `META_LIMIT`
    bytes.
    """

    id: str
    conversation_id: str
    account_id: str
    role: MessageRole
    body: str
    created_at: datetime
    parent_id: str | None = None
    meta: str = ""


class Link(NamedTuple):
    """A message without its words: where it hangs in the tree."""

    id: str
    parent_id: str | None
    role: MessageRole


class FoundConversation(NamedTuple):
    """A conversation in which words were found, and the latest message with them (None: they are in the title)."""

    conversation: Conversation
    message: Message | None


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """A curated question and its answer; `question_key` is the normal form under which questions are equal.

    `category` is a free word to group entries by, "" for none. `vector` is the question's, empty where none was made,
    and `embedder` names what made it.
    """

    id: str
    tenant_id: str
    question: str
    question_key: str
    answer: str
    version: int
    updated_at: datetime
    vector: bytes = field(default=b"", repr=False)
    category: str = ""
    embedder: str = ""


class KnowledgeVector(NamedTuple):
    """What comparing questions needs of an entry."""

    entry_id: str
    question_key: str
    question: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Feedback:
    """A rating (-1, 0, 1) and a comment on one answer, or on the program when `message_id` is None.

    Feedback on an answer names its conversation too, and goes with it.
    """

    id: str
    account_id: str
    rating: int
    comment: str
    created_at: datetime
    conversation_id: str | None = None
    message_id: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


class Conversations(Protocol):
    """Messages, conversations by account, knowledge entries with their use counters, and feedback.

    Every write is durable when the call returns, and idempotent by its identifier: replaying it changes nothing.
    Ownership is checked by the services; here an account id narrows a query, inside the query.
    Raises `StoreError` when the store cannot do its work.
    """

    async def put_conversation(self, conversation: Conversation) -> None:
        """Add the conversation, or replace all of it but where it was forked from; another owner is a `Conflict`."""

    async def change_conversation(
        self, account_id: str, conversation_id: str, **changes: Unpack[Changes]
    ) -> Conversation | None:
        """Set these fields and no others; return the conversation as it is then, None when the account has none such.

        So that processes that do it at once do not undo each other's: `last_activity` and `read_at` never go back, and
        a `title` without `renamed` changes nothing where somebody has renamed the conversation.
        """

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation, a deleted one too."""

    async def conversations(
        self, account_id: str, before: str = "", limit: int = 50, archived: bool = False, deleted: bool = False
    ) -> list[Conversation]:
        """Return the account's conversations with this archived mark, the latest id first, ids below `before`.

        Those with `deleted_at` are left out; `deleted` returns them alone, archived or not.
        """

    async def deleted_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        """Return conversations of all accounts whose `deleted_at` is `until` or earlier, the earliest first."""

    async def search_conversations(
        self, account_id: str, words: Sequence[str], limit: int = 50, archived: bool = False
    ) -> list[FoundConversation]:
        """Return the account's conversations with all the words, in title and messages together, the latest id first.

        A word (as `domain.words.words_of` yields them) is found where one of the text begins with it; case and accents
        make no difference. The message returned is the latest with all of the words, else the latest with one.
        Deleted conversations are never found; without words, nothing is. A store that has no index of words reads all
        that the account has said: thousands of messages, not millions.
        """

    async def idle_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        """Return conversations of all accounts whose `last_activity` is `until` or earlier, the earliest first."""

    async def delete_conversation(self, conversation_id: str) -> bool:
        """Remove the conversation for good, with its messages and their feedback; False when it is unknown."""

    async def erase(self, account_id: str) -> int:
        """Remove everything of an account for good: messages, feedback, conversations last; return how many of these.

        What is written for the account from then on, by whichever process, raises `NotFound`. It may be interrupted
        anywhere; doing it again completes it.
        """

    async def append(self, *messages: Message) -> None:
        """Add messages of one conversation, all of them or none. The same id again changes nothing.

        Raises `NotFound` when the conversation is unknown, `InvalidInput` when a `meta` is too long.
        """

    async def message(self, conversation_id: str, message_id: str) -> Message | None:
        """Return one message of the conversation."""

    async def messages(self, conversation_id: str, before: str = "", limit: int = 50) -> list[Message]:
        """Return the page of messages with ids below `before` (empty: the latest), in order of id, oldest first."""

    async def questions(self, first: date, account_id: str | None = None) -> Mapping[date, int]:
        """Return how many messages of the role user there are by day (UTC), from `first` on; days without are left out.

        Of one account, or (None) of all.
        """

    async def messages_named(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        """Return the messages with these ids, in order of id; unknown ones are left out."""

    async def outline(self, conversation_id: str) -> list[Link]:
        """Return the whole tree without its words, in order of id."""

    async def put_knowledge(self, entry: KnowledgeEntry) -> None:
        """Add or replace an entry by its id. An older `version` than the stored one changes nothing.

        Raises `Conflict` when another entry of the tenant has the same `question_key`.
        """

    async def knowledge(self, tenant_id: str, question_key: str) -> KnowledgeEntry | None:
        """Return the tenant's entry with exactly this key."""

    async def knowledge_entry(self, tenant_id: str, entry_id: str) -> KnowledgeEntry | None:
        """Return the tenant's entry with this id."""

    async def knowledge_entries(self, tenant_id: str, after: str = "", limit: int = 100) -> list[KnowledgeEntry]:
        """Return the tenant's entries in order of id, from just behind `after`."""

    async def knowledge_vectors(
        self, tenant_id: str, embedder: str, after: str = "", limit: int = 1000
    ) -> list[KnowledgeVector]:
        """Return the tenant's entries whose vectors this embedder made, in order of id, from just behind `after`."""

    async def delete_knowledge(self, tenant_id: str, entry_id: str) -> bool:
        """Remove an entry and its counter; False when the tenant has no such entry."""

    async def count_use(self, tenant_id: str, entry_id: str) -> None:
        """Add one to the entry's use counter. Approximate: a retry may count twice. Unknown entries count nothing."""

    async def uses(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
        """Return how often each of these entries was used, 0 also for unknown ones."""

    async def put_feedback(self, feedback: Feedback) -> None:
        """Add feedback. Of an account's feedback on one message the one with the latest id is kept.

        Raises `InvalidInput` for another rating than -1, 0 or 1, or for a message without its conversation.
        """

    async def feedback(self, account_id: str, before: str = "", limit: int = 50) -> list[Feedback]:
        """Return the account's feedback, the latest id first, ids below `before`."""

    async def feedback_to(self, account_id: str, conversation_id: str, message_ids: Sequence[str]) -> list[Feedback]:
        """Return what the account said of these messages of a conversation, by order of id."""

    async def feedback_on(self, day: date, limit: int = 1000) -> list[Feedback]:
        """Return all feedback given on one day (UTC), oldest first."""
