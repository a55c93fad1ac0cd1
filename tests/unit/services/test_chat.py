"""A turn, on the embedded stores, the real index and the real embedder."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.journal import SqliteJournal
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import KnowledgeEntry, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, QuotaExceeded, StoreUnavailable
from multidb_chat.domain.library import Collection, Document, DocumentContent, document_id
from multidb_chat.domain.plans import Limits
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.domain.turns import (
    Answer,
    AnswerToken,
    CuratedBy,
    Notice,
    SourcesFound,
    TurnCompleted,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from multidb_chat.services.answering import codec
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.chat import Chat
from multidb_chat.services.chunking.structure import chunk_document
from multidb_chat.services.drafting import NOT_FOUND
from multidb_chat.services.history import History
from multidb_chat.services.knowledge.base import KnowledgeBase
from multidb_chat.services.one_off import OneOff
from multidb_chat.services.placing import BEGINNING
from multidb_chat.services.plans import Plans
from multidb_chat.services.question_vectors import QuestionVectors
from multidb_chat.services.resilience.guarded import guarded
from multidb_chat.services.resilience.journaled_conversations import JournaledConversations
from multidb_chat.services.resilience.ports import CONVERSATIONS
from multidb_chat.services.resilience.replaying import Replayer
from multidb_chat.services.resilience.talk_entries import STORE
from multidb_chat.services.resilience.talk_replay import TalkReplay
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.services.saving import DELAYED, UNREAD, Saving
from multidb_chat.services.statistics import Statistics
from multidb_chat.services.turn import MAX_QUESTION
from tests.unit.services.recording import Recorder
from tests.unit.services.resilience.outages import Switch

NOW = datetime(2026, 1, 31, 22, tzinfo=UTC)
TEXTS = {
    2019: "Customer churn was 6.4 percent in 2019: 118 customers left. Most of them named the price as the reason.",
    2020: "Churn rose to 8.1 percent in 2020, when 149 customers left. The support desk in Bergen opened in May.",
}
LIMITS = {"guest": Limits(2), "free": Limits(), "pro": Limits(), "enterprise": Limits()}
GUIDE = "To change the colours, type /theme. The themes are ink and paper. Esc stops an answer."


@pytest.fixture(scope="module")
def embedder() -> Iterator[MiniLMEmbedder]:
    made = MiniLMEmbedder(1)
    yield made
    asyncio.run(made.close())


Late = tuple[Switch, JournaledConversations, SqliteJournal]


class Away:
    """A store that is away: whatever is asked of it fails as a driver's time-out does."""

    def __init__(self, store: str) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable(self._store, f"The {self._store} store does not answer.")

        return fail


@dataclass
class House:
    """What a turn needs, on the stores of one folder."""

    accounts: SqliteAccounts
    conversations: SqliteConversations
    library: SqliteLibrary
    cache: SqliteCache
    index: EmbeddedSearchIndex
    embedder: MiniLMEmbedder
    account: Account
    collection: Collection
    handbook: Collection

    def chat(self, **changed: Any) -> Chat:
        """Return the service, some of its parts changed."""
        conversations = changed.pop("conversations", self.conversations)
        library = changed.pop("library", self.library)
        cache = changed.pop("cache", self.cache)
        limits = changed.pop("limits", LIMITS)
        accounts = changed.pop("accounts", self.accounts)
        vectors = QuestionVectors(self.embedder, None)
        counted = Statistics(self.cache, self.conversations, self.library)
        return Chat(
            Plans(accounts, self.library, limits=limits, clock=lambda: NOW),
            conversations,
            library,
            cache,
            changed.pop("retrieval", Retrieval(self.index, library, self.embedder, None)),
            changed.pop("answerer", Extractive()),
            history=History(conversations, Recorder),
            knowledge=changed.pop("knowledge", KnowledgeBase(conversations, cache, vectors, self.embedder, "tenant")),
            statistics=changed.pop("statistics", counted),
            handbook_id=self.handbook.id,
            tenant_id="tenant",
            **changed,
        )

    async def put(self, collection: Collection, name: str, text: str) -> None:
        """Add or replace a document."""
        parsed = ParsedDocument(name, name, "text", text, ())
        own_id = document_id(collection.id, name, name)
        chunks = chunk_document(parsed, document_id=own_id)
        vectors = await self.embedder.embed_documents([chunk.text for chunk in chunks])
        chunks = [replace(chunk, vector=vector) for chunk, vector in zip(chunks, vectors, strict=True)]
        document = Document(own_id, collection.id, name, name, name, "text", text, NOW, NOW, chunks=len(chunks))
        await self.library.put_documents([DocumentContent(document, text, (), tuple(chunks))])

    async def ask(self, question: str, chat: Chat | None = None, **options: Any) -> list[TurnEvent]:
        """Return all events of a turn."""
        options.setdefault("collections", [self.collection, self.handbook])
        return [event async for event in (chat or self.chat()).respond(self.account, question, **options)]

    async def answer(self, question: str, chat: Chat | None = None, **options: Any) -> Answer:
        """Return the answer of a turn that must have one."""
        last = (await self.ask(question, chat, **options))[-1]
        assert isinstance(last, TurnCompleted), last
        return last.answer

    async def conversation(self) -> str:
        """Begin a conversation of the account."""
        return (await History(self.conversations, Recorder).start(self.account, "talk")).id

    async def stored(self, conversation_id: str) -> list[Message]:
        """Return what the conversation holds."""
        return await self.conversations.messages(conversation_id)


@pytest.fixture
async def house(tmp_path: Path, embedder: MiniLMEmbedder) -> AsyncIterator[House]:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    account = Account("0190a0a0-0000-7000-8000-000000000001", "user", "free", NOW)
    made = House(
        SqliteAccounts(tmp_path / "accounts.sqlite"),
        SqliteConversations(tmp_path / "conversations.sqlite"),
        library,
        SqliteCache(tmp_path / "cache.sqlite"),
        EmbeddedSearchIndex(tmp_path / "index", library),
        embedder,
        account,
        Collection("documents", account.id, "documents", NOW),
        Collection("handbook", account.id, "handbook", NOW, shared=True),
    )
    await made.accounts.create_account(account)
    for collection in (made.collection, made.handbook):
        await library.create_collection(collection)
    for year, text in TEXTS.items():
        await made.put(made.collection, f"report {year}", text)
    await made.put(made.handbook, "the app", GUIDE)
    yield made
    for store in (made.index, made.cache, made.conversations, made.accounts, made.library):
        await store.close()


def error_of(events: Sequence[TurnEvent]) -> Exception:
    last = events[-1]
    assert isinstance(last, TurnFailed), last
    return last.error


async def test_a_turn_is_started_shows_its_sources_and_ends_with_a_cited_answer(house: House) -> None:
    events = await house.ask("How many customers left in 2020?")
    kinds = [type(event) for event in events]
    assert kinds[:2] == [TurnStarted, SourcesFound]
    assert set(kinds[2:-1]) == {AnswerToken}
    assert isinstance(events[-1], TurnCompleted)
    answer = events[-1].answer
    assert "".join(event.text for event in events if isinstance(event, AnswerToken)) == answer.text
    assert answer.text == "Churn rose to 8.1 percent in 2020, when 149 customers left. [1]"
    assert [citation.document_name for citation in answer.citations] == ["report 2020"]
    assert (answer.found, answer.cached, answer.method) == (True, False, "extractive")
    assert {"quota", "cache", "retrieval", "answer", "total"} <= set(answer.timings)


async def test_what_no_document_says_is_said_with_the_nearest_passages(house: House) -> None:
    answer = await house.answer("Who won the football world cup in 1954?")
    assert (answer.found, answer.text, answer.citations) == (False, NOT_FOUND, ())
    assert len(answer.nearest) == 3, "two of the user's own, and one of the handbook to fill up"
    assert answer.nearest[0].score >= answer.nearest[1].score
    assert {one.collection_id for one in answer.nearest[:2]} != {answer.nearest[2].collection_id}


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("???", "empty"),
        ("\x1b[31m\x1b[0m", "empty"),
        ("x" * (MAX_QUESTION + 1), "32,001 characters"),
        ("a" * 1_000_000, "1,000,000 characters"),
        ("PNG\x00\x01\x02", "not text"),
        (b"\x89PNG\xff\xfe\xfa".decode("utf-8", "surrogateescape"), "not text"),
    ],
)
async def test_what_is_no_question_is_refused_in_one_clear_line(house: House, question: str, reason: str) -> None:
    error = error_of(await house.ask(question))
    assert isinstance(error, InvalidInput)
    assert reason in str(error)
    assert "\n" not in str(error)
    assert await house.accounts.usage(house.account.id, NOW.date().replace(day=1)) == {}


async def test_a_question_in_another_script_gets_an_answer_or_none_but_no_error(house: House) -> None:
    await house.put(house.collection, "日本", "昨年の解約率は六パーセントでした。社長は田中です。")
    assert isinstance((await house.ask("解約率は何パーセントですか？"))[-1], TurnCompleted)


async def test_passages_are_sought_while_the_message_is_counted(house: House) -> None:
    searching, counted = asyncio.Event(), asyncio.Event()

    class Watched(Retrieval):
        async def search(self, *arguments: Any, **options: Any) -> Any:
            searching.set()
            await counted.wait()
            return await super().search(*arguments, **options)

    class Counting(SqliteAccounts):
        async def take(self, *arguments: Any) -> int:
            await asyncio.wait_for(searching.wait(), 30)
            used = await super().take(*arguments)
            counted.set()
            return used

    accounts = Counting(house.accounts._database._file.path)
    retrieval = Watched(house.index, house.library, house.embedder, None)
    answer = await house.answer("How many customers left in 2020?", house.chat(accounts=accounts, retrieval=retrieval))
    assert "149 customers" in answer.text
    await accounts.close()


async def test_each_turn_takes_one_message_and_beyond_the_quota_nothing_is_answered(house: House) -> None:
    chat = house.chat(limits=dict.fromkeys(LIMITS, Limits(1)) | {"free": Limits(2)})
    for _ in range(2):
        await house.answer("How many customers left in 2020?", chat)
    assert isinstance(error_of(await house.ask("How many customers left in 2020?", chat)), QuotaExceeded)


async def test_what_is_left_is_told_once_at_each_share_before_it_runs_out(house: House) -> None:
    chat = house.chat(limits=LIMITS | {"free": Limits(20)})
    told = []
    for number in range(1, 21):
        events = await house.ask("How many customers left in 2020?", chat)
        assert isinstance(events[-1], TurnCompleted)
        told += [(number, event.text) for event in events if isinstance(event, Notice)]
    assert told == [
        (
            16,
            "4 of 20 messages left (free); then questions are refused until 1 February 2026.",
        ),
        (
            19,
            "1 of 20 messages left (free); then questions are refused until 1 February 2026.",
        ),
    ]


async def test_the_second_time_the_answer_comes_from_the_cache_and_searches_nothing(house: House) -> None:
    first = await house.answer("How many customers left in 2020?")
    second = await house.answer("  how many customers LEFT in 2020 ", house.chat(retrieval=Away("index")))
    assert (first.cached, second.cached) == (False, True)
    assert second.question == "how many customers LEFT in 2020"
    assert (second.text, second.citations) == (first.text, first.citations)


async def test_forgotten_answers_are_computed_anew_and_those_of_others_stay(house: House) -> None:
    other = replace(house.account, id="other", email=None)
    await house.accounts.create_account(other)
    chat = house.chat()
    house.collection = replace(house.collection, shared=True)
    await house.library.update_collection(house.collection)
    both = (house.account, other)
    cached = []
    for account in (*both, *both):
        house.account = account
        cached.append((await house.answer("How many customers left in 2020?", chat)).cached)
        if account is other:
            await chat.forget_answers(both[0])
    assert cached == [False, False, False, True]


async def test_each_turn_is_counted_with_what_became_of_it(house: House) -> None:
    statistics = Statistics(house.cache, house.conversations, house.library)
    chat = house.chat(statistics=statistics, limits=dict.fromkeys(LIMITS, Limits(3)))
    for question in ("How many customers left in 2020?",) * 2 + ("Who won the world cup in 1954?",) * 2:
        await house.ask(question, chat)
    session = statistics.session()
    assert (session.turns, session.cached, session.not_found, session.failed) == (4, 1, 1, 1)


async def test_that_nothing_was_found_is_remembered_too(house: House) -> None:
    await house.answer("Who won the football world cup in 1954?")
    assert (await house.answer("Who won the football world cup in 1954?", house.chat(retrieval=Away("index")))).cached


async def test_a_changed_document_is_never_answered_from_the_cache(house: House) -> None:
    await house.answer("How many customers left in 2020?")
    await house.put(house.collection, "report 2020", TEXTS[2020].replace("149", "151"))
    answer = await house.answer("How many customers left in 2020?")
    assert not answer.cached
    assert "151 customers left" in answer.text


async def test_another_account_is_not_answered_from_this_ones_cache(house: House) -> None:
    await house.library.describe_collection(house.collection.id, shared=True)
    await house.answer("How many customers left in 2020?")
    house.account = replace(house.account, id="0190a0a0-0000-7000-8000-000000000002")
    await house.accounts.create_account(house.account)
    assert not (await house.answer("How many customers left in 2020?")).cached


async def test_another_set_of_collections_is_not_answered_from_the_cache(house: House) -> None:
    await house.answer("How many customers left in 2020?")
    assert not (await house.answer("How many customers left in 2020?", collections=[house.collection])).cached
    assert not (await house.answer("How many customers left in 2020?", collections=[house.handbook])).found


async def test_a_collection_of_somebody_else_is_not_found_however_it_was_come_by(house: House) -> None:
    secret = Collection("secret", "somebody-else", "secret", NOW)
    await house.library.create_collection(secret)
    await house.put(secret, "plan", "In 2020 exactly 777 customers left in secret.")
    error = error_of(await house.ask("How many customers left in 2020?", collections=[house.collection, secret]))
    assert isinstance(error, NotFound)
    assert str(error) == 'There is no collection named "secret".'
    await house.library.describe_collection(secret.id, shared=True)
    assert "777" in (await house.answer("How many customers left in secret?", collections=[secret])).text
    await house.library.describe_collection(secret.id, shared=False)
    again = await house.ask("How many customers left in secret?", collections=[secret])
    assert isinstance(error_of(again), NotFound)  # not from the cache either


async def test_without_the_cache_nothing_is_read_from_it_or_kept_in_it(house: House) -> None:
    assert not (await house.answer("How many customers left in 2020?", use_cache=False)).cached
    assert not (await house.answer("How many customers left in 2020?")).cached
    assert not (await house.answer("How many customers left in 2020?", use_cache=False)).cached


class CountedKnowledge(KnowledgeBase):
    """Knowledge that counts how often it is looked into."""

    looked = 0

    async def exact(self, question: str) -> KnowledgeEntry | None:
        self.looked += 1
        return await super().exact(question)


async def test_for_an_answer_that_is_kept_nothing_else_is_looked_for(house: House) -> None:
    knowledge = CountedKnowledge(
        house.conversations, house.cache, QuestionVectors(house.embedder, None), house.embedder, "tenant"
    )
    chat = house.chat(knowledge=knowledge)
    for cached in (False, True, True):
        events = await house.ask("How many customers left in 2020?", chat)
        assert isinstance(events[-1], TurnCompleted)
        assert events[-1].answer.cached is cached
        assert knowledge.looked == 1


async def test_a_curated_answer_comes_before_the_documents(house: House) -> None:
    entry = KnowledgeEntry("e1", "tenant", "What was churn?", "what was churn", "Ask **Ada**.", 1, NOW)
    await house.conversations.put_knowledge(entry)
    answer = await house.answer("What was churn??")
    assert (answer.text, answer.method, answer.found) == ("Ask **Ada**.", "knowledge", True)
    assert await house.conversations.uses("tenant", ["e1"]) == {"e1": 1}


async def test_a_curated_answer_to_the_question_in_other_words_says_how_sure_it_is(house: House) -> None:
    question = "Who may see the churn figures?"
    vector = await house.embedder.embed_query(question)
    entry = KnowledgeEntry(
        "e1", "tenant", question, "who may see the churn figures", "Ask Ada.", 3, NOW, vector, "HR", house.embedder.name
    )
    await house.conversations.put_knowledge(entry)
    talk = await house.conversation()
    answer = await house.answer("Who is allowed to see the churn figures?", conversation_id=talk)
    assert (answer.text, answer.method, answer.cached) == ("Ask Ada.", "knowledge", False)
    assert answer.curated is not None
    assert replace(answer.curated, confidence=1.0) == CuratedBy("e1", question, "HR", 3, 1.0)
    assert 0.75 <= answer.curated.confidence < 1
    _, said = await house.stored(talk)
    assert codec.loads(said.meta).curated == answer.curated


async def test_a_question_about_a_given_text_is_not_answered_from_curated_knowledge(house: House) -> None:
    entry = KnowledgeEntry("e1", "tenant", "How many left?", "how many left", "Ask Ada.", 1, NOW)
    await house.conversations.put_knowledge(entry)
    given = await OneOff(house.embedder).rank_texts("How many left?", [("note", "In May 3 customers left.")])
    assert (await house.answer("How many left?", extra=given)).method == "extractive"


async def test_a_new_curated_answer_is_given_once_its_scope_is_invalidated(house: House) -> None:
    await house.answer("What was churn?")
    entry = KnowledgeEntry("e1", "tenant", "What was churn?", "what was churn", "Ask Ada.", 1, NOW)
    await house.conversations.put_knowledge(entry)
    await house.cache.invalidate("knowledge:tenant")
    assert (await house.answer("What was churn?")).text == "Ask Ada."


async def test_the_handbook_answers_where_it_fits_better_and_is_never_mixed_in(house: House) -> None:
    answer = await house.answer("How do I change the colours of the theme?")
    assert {citation.collection_id for citation in answer.citations} == {"handbook"}
    answer = await house.answer("How many customers left in 2019?")
    assert {citation.collection_id for citation in answer.citations} == {"documents"}


async def test_a_turn_is_stored_with_everything_to_show_it_again(house: House) -> None:
    talk = await house.conversation()
    answer = await house.answer("How many customers left in 2020?", conversation_id=talk)
    asked, said = await house.stored(talk)
    assert (asked.role, asked.body, asked.parent_id) == ("user", "How many customers left in 2020?", None)
    assert (said.role, said.body, said.parent_id, said.id) == ("assistant", answer.text, asked.id, answer.message_id)
    kept = codec.loads(said.meta)
    assert (kept.citations, kept.conversation_id) == (answer.citations, talk)


async def test_a_follow_up_is_understood_from_its_conversation(house: House) -> None:
    talk = await house.conversation()
    await house.answer("How many customers left in 2019?", conversation_id=talk)
    answer = await house.answer("and in 2020?", conversation_id=talk)
    assert (answer.question, answer.standalone) == ("and in 2020?", "How many customers left in 2020?")
    assert "149 customers left" in answer.text
    assert [message.parent_id for message in await house.stored(talk)][1:] == [
        message.id for message in (await house.stored(talk))[:-1]
    ]


async def test_a_follow_up_leans_on_the_branch_it_belongs_to(house: House) -> None:
    talk = await house.conversation()
    first = await house.answer("How many customers left in 2019?", conversation_id=talk)
    await house.answer("How do I change the colours?", conversation_id=talk)
    answer = await house.answer("and in 2020?", conversation_id=talk, parent_id=first.message_id)
    assert answer.standalone == "How many customers left in 2020?"


async def test_without_a_conversation_nothing_is_leaned_on(house: House) -> None:
    await house.answer("How many customers left in 2019?")
    assert (await house.answer("and in 2020?")).standalone == "and in 2020?"


async def test_somebody_elses_conversation_does_not_exist(house: House) -> None:
    talk = await house.conversation()
    other = replace(house.account, id="0190a0a0-0000-7000-8000-000000000002")
    await house.accounts.create_account(other)
    house.account = other
    assert isinstance(error_of(await house.ask("How many left?", conversation_id=talk)), NotFound)
    assert isinstance(error_of(await house.ask("How many left?", conversation_id="none such")), NotFound)
    assert await house.stored(talk) == []


async def test_without_the_cache_store_all_goes_on(house: House) -> None:
    events = await house.ask("How many customers left in 2020?", house.chat(cache=Away("cache")))
    assert isinstance(events[-1], TurnCompleted)
    assert events[-1].answer.found


async def test_without_the_conversations_the_answer_comes_with_a_notice(house: House) -> None:
    talk = await house.conversation()
    service = Plans(house.accounts, house.library, limits=LIMITS)
    chat = Chat(
        service,
        Away("conversations"),
        house.library,
        house.cache,
        Retrieval(house.index, house.library, house.embedder, None),
        Extractive(),
        history=History(Away("conversations"), Recorder),
        knowledge=KnowledgeBase(
            Away("conversations"), house.cache, QuestionVectors(house.embedder, None), house.embedder
        ),
        statistics=Statistics(house.cache, house.conversations, house.library),
    )
    events = await house.ask("How many customers left in 2020?", chat, conversation_id=talk)
    assert any(isinstance(event, Notice) and "not saved" in event.text for event in events)
    assert isinstance(events[-1], TurnCompleted)
    assert events[-1].answer.found
    assert events[-1].answer.message_id is None


async def test_when_saving_fails_the_answer_comes_with_a_notice(house: House) -> None:
    talk = await house.conversation()
    chat = house.chat()
    chat._saving = Saving(History(Away("conversations"), Recorder), None)
    events = await house.ask("How many customers left in 2020?", chat, conversation_id=talk)
    assert any(isinstance(event, Notice) and "not saved" in event.text for event in events)
    assert isinstance(events[-1], TurnCompleted)
    assert await house.stored(talk) == []


@pytest.fixture
async def late(house: House, tmp_path: Path) -> AsyncIterator[Late]:
    """The conversations behind a switch and a journal."""
    switch = Switch()
    journal = SqliteJournal(tmp_path / "journal.db")
    yield switch, JournaledConversations(guarded(house.conversations, CONVERSATIONS, switch), journal), journal
    await journal.close()


async def test_a_turn_is_kept_while_the_conversations_are_away_and_told_in_one_notice(house: House, late: Late) -> None:
    switch, conversations, journal = late
    chat = house.chat(conversations=conversations, late=conversations)
    talk = (await History(conversations, Recorder).start(house.account, "")).id
    await house.ask("How many customers left in 2020?", chat, conversation_id=talk)
    switch.away = True
    events = await house.ask("How many customers left in 2021?", chat, conversation_id=talk)
    assert [event.text for event in events if isinstance(event, Notice)] == [DELAYED]
    assert isinstance(events[-1], TurnCompleted)
    switch.away = False
    await Replayer(journal, STORE, TalkReplay(guarded(house.conversations, CONVERSATIONS, switch))).drain()
    asked, _, again, answer = await house.stored(talk)
    assert (asked.parent_id, again.body, answer.id) == (None, events[0].question, events[-1].answer.message_id)
    assert not any(isinstance(event, Notice) for event in await house.ask("And in 2020?", chat, conversation_id=talk))


async def test_a_turn_of_a_conversation_that_cannot_be_read_joins_it_later(house: House, late: Late) -> None:
    switch, conversations, journal = late
    talk = await house.conversation()
    await house.ask("How many customers left in 2020?", conversation_id=talk)
    last = (await house.stored(talk))[-1].id
    switch.away = True
    chat = house.chat(conversations=conversations, late=conversations)
    events = await house.ask("How many customers left in 2021?", chat, conversation_id=talk)
    assert [event.text for event in events if isinstance(event, Notice)] == [UNREAD]
    switch.away = False
    await Replayer(journal, STORE, TalkReplay(guarded(house.conversations, CONVERSATIONS, switch))).drain()
    assert [(message.parent_id, message.role) for message in await house.stored(talk)][2] == (last, "user")
    found = await house.conversations.conversation(talk)
    assert found is not None
    assert found.head == events[-1].answer.message_id


async def test_without_the_library_only_curated_answers_are_given(house: House) -> None:
    chat = house.chat(library=Away("library"))
    error = error_of(await house.ask("How many customers left in 2020?", chat))
    assert isinstance(error, StoreUnavailable)
    assert error.store == "library"
    entry = KnowledgeEntry("e1", "tenant", "What was churn?", "what was churn", "Ask Ada.", 1, NOW)
    await house.conversations.put_knowledge(entry)
    events = await house.ask("What was churn?", chat)
    assert any(isinstance(event, Notice) for event in events)
    assert isinstance(events[-1], TurnCompleted)
    assert events[-1].answer.text == "Ask Ada."


async def test_without_the_accounts_nobody_is_answered(house: House) -> None:
    error = error_of(await house.ask("How many customers left in 2020?", house.chat(accounts=Away("accounts"))))
    assert isinstance(error, StoreUnavailable)


@pytest.mark.parametrize("stop", range(6))
async def test_a_turn_that_is_left_early_stores_both_messages_or_none(house: House, stop: int) -> None:
    talk = await house.conversation()
    events = house.chat().respond(
        house.account, "How many customers left in 2020?", collections=[house.collection], conversation_id=talk
    )
    async for _ in events:
        if stop == 0:
            break
        stop -= 1
    await events.aclose()  # type: ignore[attr-defined]
    assert len(await house.stored(talk)) in (0, 2)


async def test_a_turn_that_is_cancelled_stores_both_messages_or_none(house: House) -> None:
    for delay in (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1):
        talk = await house.conversation()
        turn = asyncio.create_task(house.ask("How many customers left in 2020?", conversation_id=talk, use_cache=False))
        await asyncio.sleep(delay)
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
        assert len(await house.stored(talk)) in (0, 2)


async def test_a_text_given_with_the_question_answers_before_the_library(house: House) -> None:
    one_off = OneOff(house.embedder)
    given = await one_off.rank_texts("How many customers left in 2020?", [("note", "In 2020 only 3 customers left.")])
    answer = await house.answer("How many customers left in 2020?", extra=given)
    assert [citation.document_name for citation in answer.citations] == ["note"]
    assert not (await house.answer("How many customers left in 2020?")).cached


async def test_where_a_given_text_says_nothing_the_library_answers(house: House) -> None:
    given = await OneOff(house.embedder).rank_texts("How many customers left in 2020?", [("note", "The cat sleeps.")])
    answer = await house.answer("How many customers left in 2020?", extra=given)
    assert [citation.document_name for citation in answer.citations] == ["report 2020"]
    assert not (await house.answer("How many customers left in 2020?", extra=given, collections=[])).found


async def test_answers_about_different_given_texts_are_kept_apart(house: House) -> None:
    for left in (3, 4):
        given = await OneOff(house.embedder).rank_texts("How many left?", [("note", f"In May {left} customers left.")])
        assert f"{left} customers left" in (await house.answer("How many left?", extra=given)).text


async def test_a_question_goes_on_where_the_branch_that_is_shown_ends(house: House) -> None:
    talk = await house.conversation()

    async def asked(question: str, **options: Any) -> str:
        answer = await house.answer(question, conversation_id=talk, **options)
        assert answer.message_id is not None
        return answer.message_id

    first = await asked("How many customers left in 2020?")
    second = await asked("And in 2019?")
    edited = await asked("And in 2021?", parent_id=first)
    again = await asked("How many customers left in 2019?")
    for _ in range(11):  # so that the end of the branch is not among the messages looked at first
        begun = await asked("How many customers left in 2021?", parent_id=BEGINNING)
    away = await asked("And in 2020?", parent_id=second)
    parents = {link.id: link.parent_id for link in await house.conversations.outline(talk)}
    answered = [parents[str(parents[answer])] for answer in (first, second, edited, again, begun, away)]
    assert answered == [None, first, first, edited, None, second]
    assert isinstance(error_of(await house.ask("Who?", conversation_id=talk, parent_id="gone")), NotFound)
