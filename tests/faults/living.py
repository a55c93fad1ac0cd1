"""People who ask while servers are killed under them: what they were told, and whether it is true afterwards.

Each user is an account with a conversation of its own, who asks one question after the other. A question that fails is
asked again in other words, as people do. What was acknowledged is what came with `TurnCompleted`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Message
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection
from multidb_chat.domain.plans import month_of
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import Answer, AnswerSentence, Draft, Question, TurnCompleted, TurnFailed, TurnStarted
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.answering.extractive import NOTHING
from tests.servers import control
from tests.unit.services.ingesting import HashingEmbedder

PATIENCE = 240.0  # seconds until everything has to be well again


class FirstPassage:
    """An `Answerer` that quotes the best passage at once, so that what is tried is everything around it."""

    name = "first-passage"

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[AnswerSentence | Draft]:
        if not matches:
            yield NOTHING
            return
        cited = citation(matches[0], 1, 0, 200)
        sentence = AnswerSentence(cited.snippet, (1,), before="")
        yield sentence
        yield Draft((sentence,), (cited,), True)


@dataclass
class User:
    """Somebody who asks, and what was acknowledged: the answers, in order. `begun` are turns that were counted."""

    account: Account
    conversation_id: str
    answers: list[Answer] = field(default_factory=list)
    begun: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    async def ask(self, application: Application, collections: Sequence[Collection], question: str) -> bool:
        """Ask once; tell whether there was an answer."""
        async for event in application.chat.respond(
            self.account, question, collections=collections, conversation_id=self.conversation_id
        ):
            if isinstance(event, TurnStarted):
                self.begun += 1
            elif isinstance(event, TurnFailed):
                assert isinstance(event.error, StoreError), event.error
                assert "\n" not in str(event.error), event.error
                self.failed[event.error.store] += 1
            elif isinstance(event, TurnCompleted):
                if event.answer.message_id is not None:
                    self.answers.append(event.answer)
                return True
        return False


@dataclass(frozen=True)
class Damage:
    """What is not as it was acknowledged, over all users."""

    lost: int
    doubled: int
    disordered: int
    miscounted: int


async def furnish(application: Application, users: int) -> tuple[list[User], list[Collection]]:
    """Make accounts with a conversation each, and a collection that all may search."""
    application.embedders.use(HashingEmbedder())
    collection = Collection(new_id(), application.account.id, "shared", utc_now(), shared=True)
    await application.library.create_collection(collection)
    made = []
    for number in range(users):
        account = Account(new_id(), "user", "enterprise", utc_now())
        await application.accounts.create_account(account)
        made.append(User(account, (await application.history.start(account, f"User {number}")).id))
    application.chat._drafting._answerer = FirstPassage()
    return made, [collection]


async def live(
    application: Application,
    users: Sequence[User],
    collections: Sequence[Collection],
    questions: int,
    *,
    pause: float = 0.0,
) -> None:
    """Let every user ask until there are so many answers, with a pause of so many seconds behind each."""

    async def one(number: int, user: User) -> None:
        asked = tried = 0
        while asked < questions:
            tried += 1
            if await user.ask(application, collections, f"Question {asked} of user {number}, try {tried}?"):
                asked += 1
                await asyncio.sleep(pause)
            else:
                await asyncio.sleep(0.2)

    await asyncio.gather(*(one(number, user) for number, user in enumerate(users)))


async def kill_in_turn(servers: Sequence[str], rounds: int, pause: float) -> None:
    """Kill each server with -9 and start it again, one after the other."""
    for _ in range(rounds):
        for server in servers:
            await asyncio.sleep(pause)
            await asyncio.to_thread(control, "kill", server)
            await asyncio.to_thread(control, "start", server)


async def is_well(application: Application) -> None:
    """Wait until nothing is queued any more and every store answers."""
    end = time.monotonic() + PATIENCE
    wrong = ""
    while time.monotonic() < end:
        try:
            await application.accounts.account("nobody")
            await application.library.version()
            await application.conversations.conversation("nobody")
            await application.cache.get("nothing")
            backlog = await application.journal.backlog("conversations")
            if not backlog.waiting:
                return
            wrong = str(backlog)
        except StoreError as error:
            wrong = str(error)
        await asyncio.sleep(0.5)
    raise AssertionError(f"not everything is well again: {wrong}")


async def damage(application: Application, users: Sequence[User]) -> Damage:
    """Compare what is stored with what was acknowledged."""
    lost = doubled = disordered = miscounted = 0
    for user in users:
        stored = await all_messages(application, user.conversation_id)
        ids = [message.id for message in stored]
        lost += sum(answer.message_id not in ids for answer in user.answers)
        doubled += len(ids) - len(set(ids))
        doubled += sum(count - 1 for count in Counter(m.body for m in stored if m.role == "user").values())
        told = [answer.message_id for answer in user.answers]
        kept = [one for one in ids if one in set(told)]
        disordered += kept != [one for one in told if one in set(ids)]
        used = (await application.accounts.usage(user.account.id, month_of(utc_now()))).get("messages", 0)
        # A take whose reply was lost was counted, though its turn failed; no other may be.
        miscounted += not user.begun <= used <= user.begun + user.failed["accounts"]
    return Damage(lost, doubled, disordered, miscounted)


async def all_messages(application: Application, conversation_id: str) -> list[Message]:
    """Return all messages of a conversation, oldest first."""
    messages: list[Message] = []
    before = ""
    while page := await application.conversations.messages(conversation_id, before, 200):
        messages = page + messages
        before = page[0].id
    return messages
