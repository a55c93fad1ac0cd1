"""What models take to find passages is counted for whoever pays; with nothing left none is asked, and nothing fails."""

# ruff: noqa: F811 - fixtures are imported

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.domain.errors import ModelUnavailable, QuotaExceeded
from multidb_chat.domain.language import Ended, LanguageModel, Piece, Prompt, Said
from multidb_chat.domain.plans import Limits
from multidb_chat.domain.search import SearchFilters
from multidb_chat.domain.turns import Notice, TurnCompleted, TurnFailed
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.chat import Chat
from multidb_chat.services.documents import Documents
from multidb_chat.services.evaluation.configuration import configuration
from multidb_chat.services.evaluation.evaluation import Evaluated, Evaluation
from multidb_chat.services.finding import Finding
from multidb_chat.services.modelled.answerer import Modelled
from multidb_chat.services.modelled.metering import Meter
from multidb_chat.services.modelled.paying import PaidModel, paid_by
from multidb_chat.services.modelled.reranking import ModelReranker
from multidb_chat.services.modelled.wordings import ModelRewriter
from multidb_chat.services.plans import Plans
from multidb_chat.services.reranking import RerankedRetrieval, Reranking
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.services.rewriting import MultiQuery
from tests.unit.services.modelled.scripted import Scripted
from tests.unit.services.test_chat import LIMITS, NOW, House, embedder, house  # noqa: F401

MONTH = date(2026, 1, 1)
ASKED = "How many customers left in 2020?"
SAID = "149 customers left in 2020 [1]."
USED_UP = "tokens a month (free) are used; answers are quoted from your documents until 1 February 2026."
TOKENS = st.integers(0, 1_000_000)
SHORT = Prompt("Be brief.", (Said("user", "What?"),), 10)


class Helping(Scripted):
    """Says one thing to those who want an order, another for wordings, and answers all others."""

    def __init__(self, order: str | Exception = "1, 2", wordings: str | Exception = "customers gone\nchurn") -> None:
        super().__init__()
        self._order = order
        self._wordings = wordings

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        self.prompts.append(prompt)
        orders, rewords = prompt.instructions.startswith("You put"), prompt.instructions.startswith("You help")
        said = self._order if orders else self._wordings if rewords else SAID
        if isinstance(said, Exception):
            raise said
        yield Piece(said)
        yield Ended(True, 100, 20) if not (orders or rewords) else Ended(True, 70, 7 if orders else 3)

    @property
    def helped(self) -> list[str]:
        beginnings = [prompt.instructions[:8] for prompt in self.prompts]
        return [one for one in beginnings if one in ("You put ", "You help")]


class Paying:
    """The house with a search that a model helps with, and a plan."""

    def __init__(self, house: House, model: LanguageModel, **limits: Any) -> None:
        self.house = house
        self.limits = LIMITS | {"free": Limits(**limits)}
        self.meter = Meter(Plans(house.accounts, house.library, limits=self.limits, clock=lambda: NOW), Extractive())
        self.model = model
        self.paid = PaidModel(model, self.meter)
        self.rewriter = ModelRewriter(self.paid)
        self.reranking = Reranking(ModelReranker(self.paid), 20, 10)
        self.search = Retrieval(house.index, house.library, house.embedder, None)

    @property
    def finding(self) -> Finding:
        return RerankedRetrieval(MultiQuery(self.search, self.rewriter, 10), self.reranking)

    @property
    def chat(self) -> Chat:
        return self.chat_with()

    def chat_with(self, **stores: object) -> Chat:
        answerer, meter = Modelled(self.model, Extractive()), self.meter
        return self.house.chat(
            retrieval=self.finding, answerer=answerer, meter=meter, limits=self.limits, order="by a model", **stores
        )

    @property
    def evaluation(self) -> Evaluation:
        return Evaluation(Documents(self.house.library), self.search, self.reranking, self.rewriter)

    async def tokens(self) -> int:
        await self.meter.close()
        return (await self.house.accounts.usage(self.house.account.id, MONTH)).get("tokens", 0)

    async def use_up(self, tokens: int) -> None:
        await self.house.accounts.take(self.house.account.id, "tokens", MONTH, tokens, None, "before")


async def test_a_turn_pays_for_wordings_order_and_answer(house: House) -> None:
    model = Helping()
    paying = Paying(house, model)
    assert (await house.answer(ASKED, paying.chat)).method == "model"
    assert model.helped == ["You help", "You put "]
    assert await paying.tokens() == 73 + 77 + 120


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TOKENS, TOKENS, st.floats(0, 5)), min_size=1, max_size=5))
async def test_what_the_provider_says_was_used_is_what_is_counted(
    house: House, uses: list[tuple[int, int, float]]
) -> None:
    paying = Paying(house, Scripted())
    before = await house.accounts.usage(house.account.id, MONTH)
    with paid_by(house.account):
        for read, written, cost in uses:
            await PaidModel(Scripted("so", ended=Ended(True, read, written, cost)), paying.meter).said(SHORT)
    await paying.meter.close()
    after = await house.accounts.usage(house.account.id, MONTH)
    assert after.get("tokens", 0) - before.get("tokens", 0) == sum(read + written for read, written, _ in uses)
    assert after.get("cost", 0) - before.get("cost", 0) == sum(round(cost * 1e6) for *_, cost in uses)


async def test_with_nothing_left_no_model_is_asked_and_the_passages_are_the_searchs_own(house: House) -> None:
    model = Helping()
    paying = Paying(house, model, tokens=150)
    await paying.use_up(150)
    filters = SearchFilters((house.collection.id,))
    with paid_by(house.account) as payer:
        found = await paying.finding.search(ASKED, filters)
        ranked = await paying.finding.rank_documents(ASKED, filters)
    assert payer.refusal == f"All 150 {USED_UP}"
    assert found == await paying.search.search(ASKED, filters)
    assert ranked == await paying.search.rank_documents(ASKED, filters)
    assert len(found) > 1
    assert model.prompts == []
    assert await paying.tokens() == 150


async def test_a_turn_with_nothing_left_says_so_once_and_is_made_anew_later(house: House) -> None:
    model = Helping()
    paying = Paying(house, model, tokens=150)
    await paying.use_up(150)
    for question, found in ((ASKED, True), ("Who painted the Sistine chapel ceiling?", False)):
        events = await house.ask(question, paying.chat)
        assert [event.text for event in events if isinstance(event, Notice)] == [f"All 150 {USED_UP}"]
        assert isinstance(events[-1], TurnCompleted)
        assert (events[-1].answer.found, events[-1].answer.method) == (found, "extractive")
        assert model.prompts == []
        later = await house.answer(question, Paying(house, helping := Helping()).chat)
        assert (later.found, later.cached, helping.helped) == (found, False, ["You help", "You put "])


async def test_the_last_tokens_may_go_to_finding_and_the_answer_is_quoted_then(house: House) -> None:
    model = Helping()
    paying = Paying(house, model, tokens=50)
    events = await house.ask(ASKED, paying.chat)
    assert isinstance(events[-1], TurnCompleted)
    assert model.helped[0] == "You help"
    assert await paying.tokens() >= 73
    assert (await house.answer("How many left in 2019?", paying.chat)).method == "extractive"
    assert len([one for one in model.helped if one == "You help"]) == 1


LOW = "tokens left (free); then answers are quoted until 1 February 2026."


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (180, f"30 of 180 {LOW}"),  # finding takes 150 of them, and the answer is quoted: nothing was found
        (1_000, ""),
    ],
)
async def test_a_turn_tells_that_little_is_left_when_finding_takes_it(house: House, limit: int, told: str) -> None:
    paying = Paying(house, Helping(), tokens=limit)
    chat = paying.house.chat(
        retrieval=paying.finding, answerer=Extractive(), meter=paying.meter, limits=paying.limits, order="by a model"
    )
    events = await house.ask(ASKED, chat)
    assert [event.text for event in events if isinstance(event, Notice)] == [told] * bool(told)
    assert isinstance(events[-1], TurnCompleted)


async def test_a_turn_whose_answer_takes_more_tells_once_what_is_left_then(house: House) -> None:
    events = await house.ask(ASKED, Paying(house, Helping(), tokens=280).chat)
    assert [event.text for event in events if isinstance(event, Notice)] == [f"10 of 280 {LOW}"]


async def test_a_turn_that_is_refused_a_model_does_not_tell_that_little_is_left_too(house: House) -> None:
    class Counting(Helping):
        """Puts passages in order when all that was taken before is counted."""

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
            await paying.meter.close()
            async for event in super().stream(prompt):
                yield event

    paying = Paying(house, Counting(), tokens=150)
    await paying.use_up(100)
    events = await house.ask(ASKED, paying.chat)
    assert [event.text for event in events if isinstance(event, Notice)] == [f"All 150 {USED_UP}"]


async def test_a_search_gives_the_warning_once(house: House) -> None:
    paying = Paying(house, Helping(), tokens=180)
    with paid_by(house.account) as payer:
        await paying.finding.search(ASKED, SearchFilters((house.collection.id,)))
    assert [await payer.warning(), await payer.warning()] == [f"30 of 180 {LOW}", ""]


async def test_a_measurement_gives_the_warning_with_what_crossed_the_line(house: House) -> None:
    paying = Paying(house, Helping(), tokens=180)
    assert [one.warning for one in await evaluated(paying, "both:rerank=20")] == [""]
    assert [one.warning for one in await evaluated(paying, "both:rerank=20")] == [f"26 of 180 {LOW}"]


class Slowly:
    """A store whose calls of one name take longer than a search does."""

    def __init__(self, store: object, slow: str) -> None:
        self._store = store
        self._slow = slow

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        async def later(*arguments: Any, **options: Any) -> Any:
            await asyncio.sleep(0.3)
            return await call(*arguments, **options)

        return later if name == self._slow else call


async def test_who_has_no_message_left_asks_no_model(house: House) -> None:
    model = Helping()
    paying = Paying(house, model, messages=1)
    chat = paying.chat_with(accounts=Slowly(house.accounts, "take"))
    await house.answer(ASKED, chat)
    last = (await house.ask("How many left in 2019?", chat))[-1]
    assert isinstance(last, TurnFailed)
    assert isinstance(last.error, QuotaExceeded)
    assert len(model.prompts) == 3, "of the first question"
    assert await paying.tokens() == 73 + 77 + 120


async def test_an_answer_that_another_program_kept_asks_no_model(house: House) -> None:
    model = Helping()
    await house.answer(ASKED, Paying(house, Helping()).chat)
    chat = Paying(house, model).chat_with(cache=Slowly(house.cache, "get"))
    await house.answer("How many left in 2019?", chat)
    before = len(model.prompts)
    assert (await house.answer(ASKED, chat)).cached
    assert len(model.prompts) == before


async def test_what_fails_is_counted_by_what_it_read_and_the_search_goes_on(house: House) -> None:
    model = Helping(order=ModelUnavailable("away"), wordings="")
    paying = Paying(house, model)
    with paid_by(house.account) as payer:
        found = await paying.finding.search(ASKED, SearchFilters((house.collection.id,)))
    assert (payer.refusal, [one.reranked for one in found]) == ("", [None] * len(found))
    assert await paying.tokens() == 73 + about(model.prompts[-1])


@pytest.mark.parametrize("of_turn", [True, False])
async def test_what_is_cancelled_while_a_model_speaks_is_counted(house: House, of_turn: bool) -> None:
    began = asyncio.Event()

    class Endless(Helping):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
            self.prompts.append(prompt)
            try:
                yield Piece("customers gone")
                began.set()
                await asyncio.Event().wait()
            finally:
                self.stopped = True

    model = Endless()
    paying = Paying(house, model)

    async def searched() -> None:
        with paid_by(house.account):
            await paying.finding.search(ASKED, SearchFilters((house.collection.id,)))

    doing = asyncio.create_task(house.ask(ASKED, paying.chat) if of_turn else searched())  # type: ignore[arg-type]
    await began.wait()
    doing.cancel()
    with suppress(asyncio.CancelledError):
        await doing
    assert await paying.tokens() == about(model.prompts[0], "customers gone")
    assert model.stopped


async def test_a_model_that_is_too_slow_is_counted_and_left(house: House) -> None:
    class Slow(Helping):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
            self.prompts.append(prompt)
            await asyncio.Event().wait()
            yield Piece("never")

    model = Slow()
    paying = Paying(house, model)
    with paid_by(house.account):
        found = await MultiQuery(paying.search, paying.rewriter, 0.05).search(
            ASKED, SearchFilters((house.collection.id,))
        )
    assert found
    assert await paying.tokens() == about(model.prompts[0])


async def test_a_measurement_pays_and_never_falls_back(house: House) -> None:
    model = Helping()
    paying = Paying(house, model, tokens=200)
    await evaluated(paying, "both:rewrite=0.35:rerank=20")
    assert await paying.tokens() == 73 + 77
    await evaluated(paying, "both")
    await evaluated(paying, "both:rerank=20")
    assert await paying.tokens() == 73 + 77 + 77
    for way in ("both:rerank=20", "both:rewrite=0.35"):
        with pytest.raises(QuotaExceeded, match="All 200 tokens"):
            await evaluated(paying, way)
    assert len(model.prompts) == 3


async def evaluated(paying: Paying, way: str) -> list[Evaluated]:
    ways, judged = [configuration(way)], {"q": {"report 2020": 1}}
    run = paying.evaluation.run(paying.house.account, {"q": ASKED}, judged, ways, [paying.house.collection.name])
    return [one async for one in run]


async def test_a_search_that_nobody_pays_for_is_a_defect(house: House) -> None:
    model = Helping()
    with pytest.raises(LookupError):
        await Paying(house, model).finding.search(ASKED, SearchFilters((house.collection.id,)))
    assert model.prompts == []


async def test_each_pays_for_what_it_asks_though_all_search_at_once(house: House) -> None:
    others = [replace(house.account, id=f"0190a0a0-0000-7000-8000-00000000001{number}") for number in range(3)]
    for number, other in enumerate(others):
        await house.accounts.create_account(replace(other, email=f"{number}@example.org"))
    paying = Paying(house, Helping())

    async def ask(times: int, account: Any) -> None:
        with paid_by(account):
            await asyncio.gather(*(paying.paid.said(SHORT) for _ in range(times)))

    await asyncio.gather(*(ask(times, other) for times, other in enumerate(others, 1)))
    await paying.meter.close()
    used = [(await house.accounts.usage(other.id, MONTH))["tokens"] for other in others]
    assert used == [120, 240, 360]
    assert await paying.tokens() == 0


async def test_a_real_model_is_counted_by_its_own_count_and_when_it_is_stopped(house: House) -> None:
    from multidb_chat.adapters.language_models.gguf import GgufModel
    from tests.adapters.language_models.weights import gguf_file

    model = GgufModel(gguf_file(), context=2_048, threads=1)
    reported = [event async for event in model.stream(SHORT) if isinstance(event, Ended)][-1]
    paying = Paying(house, model)
    with paid_by(house.account):
        assert await paying.paid.said(SHORT)
        once = await paying.tokens()
        assert once == (reported.tokens_in or 0) + (reported.tokens_out or 0) > 10
        asking = asyncio.create_task(paying.paid.said(replace(SHORT, most_tokens=500)))
        await asyncio.sleep(0.2)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
    assert await paying.tokens() >= once + about(SHORT)
    await model.close()


def about(prompt: Prompt, said: str = "") -> int:
    return -(-(len(prompt.instructions) + len(prompt.messages[0].text) + len(said)) // 4)
