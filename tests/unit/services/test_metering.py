"""Tokens of models are counted once for each turn; when they are used up answers are quoted, and nothing fails."""

from dataclasses import replace
from datetime import date

import pytest

from multidb_chat.domain.language import Ended
from multidb_chat.domain.plans import Limits
from multidb_chat.domain.turns import ModelUse, Notice, TurnCompleted
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.chat import Chat
from multidb_chat.services.modelled.answerer import Modelled
from multidb_chat.services.modelled.metering import Meter
from multidb_chat.services.plans import Plans
from tests.unit.services.modelled.scripted import Scripted
from tests.unit.services.test_chat import LIMITS, NOW, Away, House, embedder, house

__all__ = ["embedder", "house"]
ASKED = "How many customers left in 2020?"
SAID = "149 customers left in 2020 [1]."
MONTH = date(2026, 1, 1)


def chat_with(house: House, model: Scripted, tokens: int | None = None, plans: object = None) -> Chat:
    limits = LIMITS | {"free": Limits(tokens=tokens)}
    counting = plans or Plans(house.accounts, house.library, limits=limits, clock=lambda: NOW)
    meter = Meter(counting, Extractive())  # type: ignore[arg-type] # one of them is away
    return house.chat(answerer=Modelled(model, Extractive()), meter=meter, limits=limits)


async def test_tokens_and_what_they_cost_are_counted_with_each_answer(house: House) -> None:
    chat = chat_with(house, Scripted(SAID, ended=Ended(True, 100, 20, 0.0025)))
    answer = await house.answer(ASKED, chat)
    assert answer.method == "model"
    assert await house.accounts.usage(house.account.id, MONTH) == {"messages": 1, "tokens": 120, "cost": 2_500}


async def test_an_answer_that_was_kept_costs_no_tokens(house: House) -> None:
    chat = chat_with(house, Scripted(SAID))
    for _ in range(3):
        await house.answer(ASKED, chat)
    assert (await house.accounts.usage(house.account.id, MONTH))["tokens"] == 120


async def test_without_the_providers_count_four_characters_are_a_token(house: House) -> None:
    model = Scripted(SAID, ended=Ended(True))
    answer = await house.answer(ASKED, chat_with(house, model))
    (prompt,) = model.prompts
    characters = len(prompt.instructions) + len(prompt.messages[0].text) + len(SAID)
    assert answer.model is not None
    assert answer.model.estimated == -(-characters // 4)
    assert (await house.accounts.usage(house.account.id, MONTH))["tokens"] == answer.model.estimated


async def test_words_that_nothing_supports_are_counted_too(house: House) -> None:
    answer = await house.answer(ASKED, chat_with(house, Scripted("Whales are large.")))
    assert (answer.method, answer.model and answer.model.tokens) == ("extractive", 120)
    assert (await house.accounts.usage(house.account.id, MONTH))["tokens"] == 120


async def test_when_they_are_used_up_answers_are_quoted_with_one_notice(house: House) -> None:
    model = Scripted(SAID)
    chat = chat_with(house, model, tokens=150)
    notices = []
    methods = []
    for question in (ASKED, "How many left in 2019?", "When did the support desk open?"):
        events = await house.ask(question, chat)
        notices.append([event.text for event in events if isinstance(event, Notice)])
        assert isinstance(events[-1], TurnCompleted)
        methods.append(events[-1].answer.method)
    used_up = "All 150 tokens a month (free) are used; answers are quoted from your documents until 1 February 2026."
    assert notices[0] == ["30 of 150 tokens left (free); then answers are quoted until 1 February 2026."]
    assert used_up not in notices[1]
    assert notices[2] == [used_up]
    assert methods[2] == "extractive"
    assert len(model.prompts) == 2


async def test_a_quoted_answer_is_made_anew_by_the_model_when_there_are_tokens_again(house: House) -> None:
    await house.accounts.take(house.account.id, "tokens", MONTH, 200, None, "before")
    model = Scripted(SAID)
    assert (await house.answer(ASKED, chat_with(house, model, tokens=150))).method == "extractive"
    assert (await house.answer(ASKED, chat_with(house, model, tokens=1_000))).method == "model"


async def test_a_turn_goes_on_where_tokens_cannot_be_counted(house: House) -> None:
    chat = chat_with(house, Scripted(SAID), plans=Away("accounts"))
    assert (await house.answer(ASKED, chat)).method == "model"


async def test_one_operation_is_counted_once(house: House) -> None:
    plans = Plans(house.accounts, house.library, limits=LIMITS, clock=lambda: NOW)
    meter = Meter(plans, Extractive())
    for _ in range(3):
        await meter.count(house.account, "a turn", ModelUse("m", 5, 6, 0.5))
    assert await house.accounts.usage(house.account.id, MONTH) == {"tokens": 11, "cost": 500_000}


async def test_what_models_used_is_shown_as_soon_as_there_is_something(house: House) -> None:
    plans = Plans(house.accounts, house.library, limits=LIMITS, clock=lambda: NOW)
    assert [one.resource for one in (await plans.usage_of(house.account)).usage][-1] == "tasks"
    await Meter(plans, Extractive()).count(house.account, "a turn", ModelUse("m", 5, 6, 0.5))
    from multidb_chat.services.figures_wording import usage_rows

    rows = dict(usage_rows(await plans.usage_of(house.account)))
    assert rows["Tokens"].startswith("11")
    assert rows["Cost of tokens"].startswith("$0.5000")


@pytest.mark.parametrize("limit", [0, 150])
async def test_without_a_limit_nothing_is_ever_used_up(house: House, limit: int) -> None:
    plans = Plans(
        house.accounts, house.library, limits=LIMITS | {"free": Limits(tokens=limit or None)}, clock=lambda: NOW
    )
    meter = Meter(plans, Extractive())
    await meter.count(house.account, "much", ModelUse("m", 10_000, 10_000))
    assert bool(await meter.refusal(house.account)) == bool(limit)
    assert not await meter.refusal(replace(house.account, id="nobody"))
