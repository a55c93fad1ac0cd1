"""What people say of answers and of the program, and what that comes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversations, Feedback
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean, clean_line

MOST_CHARACTERS = 4_000
"""Characters of the longest comment."""
_MOST_A_DAY = 100_000


@dataclass(frozen=True, slots=True)
class DayOfFeedback:
    """The feedback of one day (UTC): how many answers were found good and bad, and how many messages came besides."""

    day: date
    good: int
    bad: int
    messages: int

    @property
    def mean(self) -> float | None:
        """The mean of the ratings, -1 to 1; None where there were none."""
        rated = self.good + self.bad
        return (self.good - self.bad) / rated if rated else None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote; it does not say who."""

    at: datetime
    rating: int
    text: str
    on_answer: bool


@dataclass(frozen=True, slots=True)
class Given:
    """One piece of feedback; it does not say whose. `on_answer`: it is a rating of one, and not about the program."""

    id: str
    at: datetime
    rating: int
    text: str
    on_answer: bool


@dataclass(frozen=True, slots=True)
class FeedbackStatistics:
    """Feedback by day, the latest day first, and the latest comments."""

    days: tuple[DayOfFeedback, ...]
    comments: tuple[Comment, ...]


class FeedbackService:
    """Takes feedback, lists one's own, and counts everybody's for those who may read it."""

    def __init__(
        self, conversations: Conversations, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._conversations = conversations
        self._clock = clock

    async def rate(
        self, account: Account, conversation_id: str, message_id: str, rating: int, comment: str = ""
    ) -> Feedback:
        """Say that an answer was good (1) or bad (-1); what was said of it before is replaced.

        Raises `NotFound` for somebody else's answer or none, `InvalidInput` for another rating or a long comment.
        """
        require(account, Permission.GIVE_FEEDBACK)
        if rating not in (-1, 1):
            raise InvalidInput("A rating is 1 (good) or -1 (bad).")
        conversation = await self._conversations.conversation(conversation_id)
        message = await self._conversations.message(conversation_id, message_id)
        theirs = conversation is None or conversation.account_id != account.id
        if theirs or message is None or message.role != "assistant":
            raise NotFound(f"There is no answer {clean_line(message_id)} in this conversation.")
        given = Feedback(
            new_id(), account.id, rating, _checked(comment), self._clock(), conversation_id, message_id
        )  # fmt: skip
        await self._conversations.put_feedback(given)
        return given

    async def tell(self, account: Account, message: str) -> Feedback:
        """Say something about the program. Raises `InvalidInput` for an empty or too long message."""
        require(account, Permission.GIVE_FEEDBACK)
        comment = _checked(message)
        if not comment:
            raise InvalidInput("The feedback is empty: write what you want to say.")
        given = Feedback(new_id(), account.id, 0, comment, self._clock())
        await self._conversations.put_feedback(given)
        return given

    async def own(self, account: Account, before: str = "", limit: int = 50) -> list[Feedback]:
        """Return the account's feedback, the latest first, those with ids below `before`."""
        require(account, Permission.GIVE_FEEDBACK)
        return await self._conversations.feedback(account.id, before, limit)

    async def ratings(self, account: Account, conversation_id: str, message_ids: Sequence[str]) -> dict[str, Feedback]:
        """Return how the account rated answers of a conversation, by the answer; those it did not rate are left out.

        Nobody learns from it what somebody else said, nor whether there is such a conversation.
        """
        require(account, Permission.GIVE_FEEDBACK)
        said = await self._conversations.feedback_to(account.id, conversation_id, message_ids)
        return {one.message_id: one for one in said if one.message_id is not None}

    async def given(self, actor: Account, days: int = 30, rating: int | None = None) -> list[Given]:
        """Return what everybody said in the last `days` days, the latest first, narrowed by the rating.

        Who said it is not told. Raises `NotPermitted`.
        """
        require(actor, Permission.READ_FEEDBACK)
        today = self._clock().date()
        found: list[Given] = []
        for back in range(days):
            said = await self._conversations.feedback_on(today - timedelta(days=back), _MOST_A_DAY)
            found += [
                Given(one.id, one.created_at, one.rating, one.comment, one.message_id is not None)
                for one in reversed(said)
                if rating in (None, one.rating)
            ]
        return found

    async def statistics(self, actor: Account, days: int = 30, comments: int = 20) -> FeedbackStatistics:
        """Return what everybody said in the last `days` days, today among them, and the latest `comments`.

        Who said it is not told. Raises `NotPermitted`.
        """
        require(actor, Permission.READ_FEEDBACK)
        today = self._clock().date()
        counted: list[DayOfFeedback] = []
        latest: list[Comment] = []
        for back in range(days):
            day = today - timedelta(days=back)
            given = await self._conversations.feedback_on(day, _MOST_A_DAY)
            if given:
                counted.append(_counted(day, given))
            said = (one for one in reversed(given) if one.comment)
            latest += [Comment(one.created_at, one.rating, one.comment, one.message_id is not None) for one in said]
        return FeedbackStatistics(tuple(counted), tuple(latest[:comments]))


def _counted(day: date, given: Sequence[Feedback]) -> DayOfFeedback:
    rated = [one.rating for one in given if one.message_id is not None]
    return DayOfFeedback(day, rated.count(1), rated.count(-1), len(given) - len(rated))


def _checked(comment: str) -> str:
    text = clean(comment).strip()
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(f"The comment has {len(text):,} characters; {MOST_CHARACTERS:,} are allowed.")
    return text
