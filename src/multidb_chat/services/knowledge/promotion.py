"""A well-rated answer becomes an entry of the knowledge base."""

from dataclasses import dataclass

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversations, Feedback, KnowledgeEntry, Message
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer
from multidb_chat.services.answering import codec
from multidb_chat.services.knowledge.curation import Curation
from multidb_chat.services.knowledge.exchange import checked

_PAGE = 200


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


class Promotions:
    """Makes entries of answers that the person who asked rated as good; nobody else's answers can be seen here."""

    def __init__(self, conversations: Conversations, curation: Curation) -> None:
        self._conversations = conversations
        self._curation = curation

    async def proposal(self, actor: Account, conversation_id: str, message_id: str) -> Proposal:
        """Return what `promote` would add. Raises `NotPermitted`, or `NotFound` unless the answer was rated as good."""
        require(actor, Permission.MANAGE_KNOWLEDGE)
        rating = await self._rating(conversation_id, message_id)
        message = await self._conversations.message(conversation_id, message_id)
        if rating is None or rating.rating < 1 or message is None:
            raise NotFound(
                f"There is no answer {clean_line(message_id)} that was rated as good;"
                " multidb-chat admin feedback list shows what was rated."
            )
        answer = _answer_of(message)
        sources = dict.fromkeys(clean_line(one.title) or clean_line(one.document_name) for one in answer.citations)
        return Proposal(message_id, answer.standalone, _unmarked(answer), tuple(sources), rating.comment)

    async def promote(
        self,
        actor: Account,
        conversation_id: str,
        message_id: str,
        *,
        question: str | None = None,
        answer: str | None = None,
        category: str = "",
    ) -> KnowledgeEntry:
        """Add the answer as an entry, in other words where they are given.

        Raises `NotPermitted`, `NotFound`, `InvalidInput`, or `Conflict` when the question has an entry already.
        """
        found = await self.proposal(actor, conversation_id, message_id)
        row = checked("", question or found.question, answer or found.answer, category)
        return await self._curation.add_promoted(actor, row, message_id)

    async def _rating(self, conversation_id: str, message_id: str) -> Feedback | None:
        """Return what the conversation's owner said of the message."""
        conversation = await self._conversations.conversation(conversation_id)
        before = ""
        while conversation and (page := await self._conversations.feedback(conversation.account_id, before, _PAGE)):
            if rating := next((one for one in page if one.message_id == message_id), None):
                return rating
            before = page[-1].id
        return None


def _answer_of(message: Message) -> Answer:
    try:
        answer = codec.loads(message.meta)
    except ValueError:
        answer = None
    if message.role != "assistant" or answer is None or not answer.found:
        raise InvalidInput("This message is no answer that could become an entry.")
    return answer


def _unmarked(answer: Answer) -> str:
    """Return the answer's Markdown without the marks of its citations, which mean nothing outside of it."""
    return "".join(sentence.before + sentence.text for sentence in answer.sentences).strip()
