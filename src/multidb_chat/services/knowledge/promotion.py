"""A well-rated answer becomes an entry of the knowledge base."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversations, Feedback, KnowledgeEntry, Message
from multidb_chat.domain.errors import NotFound
from multidb_chat.domain.ids import made_at
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.answering import codec
from multidb_chat.services.knowledge.curation import Curation
from multidb_chat.services.knowledge.exchange import checked

_MOST_A_DAY = 100_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would become an entry: the stand-alone question, the answer without its marks, and where it came from.

    `sources` are the titles of the documents that were cited: an entry is shown to everybody, and they may be private.
    """

    message_id: str
    question: str
    answer: str
    sources: tuple[str, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer that somebody rated as good: the id of the feedback, when, what was said, and the question."""

    feedback_id: str
    at: datetime
    comment: str
    question: str


class Promotions:
    """Makes entries of answers that whoever asked rated as good; nobody else's answers can be seen here."""

    def __init__(
        self, conversations: Conversations, curation: Curation, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._conversations = conversations
        self._curation = curation
        self._clock = clock

    async def candidates(self, actor: Account, days: int = 30) -> list[Rated]:
        """Return the answers that were rated as good in the last `days` days, the latest first.

        Raises `NotPermitted`.
        """
        require(actor, Permission.MANAGE_KNOWLEDGE)
        today = self._clock().date()
        found: list[Rated] = []
        for back in range(days):
            given = await self._conversations.feedback_on(today - timedelta(days=back), _MOST_A_DAY)
            for one in reversed(given):
                answer = await self._answer(one)
                if answer is not None:
                    found.append(Rated(one.id, one.created_at, one.comment, answer.standalone))
        return found

    async def proposal(self, actor: Account, feedback_id: str) -> Proposal:
        """Return what `promote` would add.

        Raises `NotPermitted`, or `NotFound` when there is no such feedback on an answer that was found good.
        """
        require(actor, Permission.MANAGE_KNOWLEDGE)
        given = await self._given(feedback_id)
        answer = await self._answer(given) if given is not None else None
        if given is None or answer is None:
            raise NotFound(
                f"There is no good rating {clean_line(feedback_id)} of an answer;"
                " multidb-chat admin feedback list --good shows them."
            )
        sources = dict.fromkeys(clean_line(one.title) or clean_line(one.document_name) for one in answer.citations)
        return Proposal(given.message_id or "", answer.standalone, _unmarked(answer), tuple(sources), given.comment)

    async def promote(
        self,
        actor: Account,
        feedback_id: str,
        *,
        question: str | None = None,
        answer: str | None = None,
        category: str = "",
    ) -> KnowledgeEntry:
        """Add the answer as an entry, in other words where they are given.

        Raises `NotPermitted`, `NotFound`, `InvalidInput`, or `Conflict` when the question has an entry already.
        """
        found = await self.proposal(actor, feedback_id)
        row = checked("", question or found.question, answer or found.answer, category)
        return await self._curation.add_promoted(actor, row, found.message_id)

    async def _given(self, feedback_id: str) -> Feedback | None:
        """Return the feedback with this id; the id tells on which day to look."""
        if (made := made_at(feedback_id)) is None:
            return None
        for near in (0, -1, 1):
            for one in await self._conversations.feedback_on(made.date() + timedelta(days=near), _MOST_A_DAY):
                if one.id == feedback_id:
                    return one
        return None

    async def _answer(self, given: Feedback) -> Answer | None:
        """Return the answer that was found good; None for other feedback, or where the answer is gone."""
        if given.rating < 1 or given.conversation_id is None or given.message_id is None:
            return None
        message = await self._conversations.message(given.conversation_id, given.message_id)
        return _answer_of(message) if message is not None else None


def _answer_of(message: Message) -> Answer | None:
    """Return the answer in a message that found something."""
    try:
        answer = codec.loads(message.meta)
    except ValueError:
        return None
    return answer if message.role == "assistant" and answer.found else None


def _unmarked(answer: Answer) -> str:
    """Return the answer's Markdown without the marks of its citations, which mean nothing outside of it."""
    return "".join(sentence.before + sentence.text for sentence in answer.sentences).strip()
