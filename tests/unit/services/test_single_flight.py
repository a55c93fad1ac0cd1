"""Equal work done once, whoever fails, is cancelled or is slow."""

import asyncio

from multidb_chat.services.single_flight import SingleFlight


async def test_the_first_makes_it_and_all_others_get_it():
    flight: SingleFlight[str] = SingleFlight()
    assert flight.leads("key", "first")
    waiting = [asyncio.create_task(flight.made("key", f"other {n}")) for n in range(5)]
    await asyncio.sleep(0)
    flight.end("key", "other 1", "not its work")
    flight.end("key", "first", "made")
    assert await asyncio.gather(*waiting) == ["made"] * 5
    assert flight.leads("key", "next"), "nothing is remembered"


async def test_when_it_is_not_made_exactly_one_of_those_who_wait_makes_it():
    flight: SingleFlight[str] = SingleFlight()
    made = 0

    async def make(who: str, *, fails: bool = False) -> str:
        nonlocal made
        found = None if flight.leads("key", who) else await flight.made("key", who)
        try:
            if found is None:
                made += 1
                await asyncio.sleep(0)
                found = None if fails else "made"
        finally:
            flight.end("key", who, found)
        return str(found)

    calls = [make("first", fails=True), make("second", fails=True), *(make(f"other {n}") for n in range(20))]
    assert (await asyncio.gather(*calls)).count("made") == 20
    assert made == 3


async def test_one_that_waits_and_is_cancelled_takes_nobody_with_it():
    flight: SingleFlight[str] = SingleFlight()
    flight.leads("key", "first")
    waiting = [asyncio.create_task(flight.made("key", who)) for who in ("impatient", "patient")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    flight.end("key", "first", "made")
    assert await waiting[1] == "made"


async def test_nobody_waits_for_good():
    flight: SingleFlight[str] = SingleFlight(patience=0.01)
    flight.leads("key", "first")
    assert await flight.made("key", "other") is None
    flight.end("key", "first", "made")


async def test_other_work_does_not_wait():
    flight: SingleFlight[str] = SingleFlight()
    assert flight.leads("key", "first")
    assert flight.leads("other key", "second")
