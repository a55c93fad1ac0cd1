"""What every `LanguageModel` does, written once: a backend's test class gives the fixture `model`."""

import asyncio

from multidb_chat.domain.language import Ended, LanguageModel, Piece, Prompt, Said

COLOURS = Prompt("Answer in one short sentence.", (Said("user", "Name three colours."),), 40)
STORY = Prompt("You tell long stories.", (Said("user", "Tell me a long story about a lighthouse."),), 400)


async def said(model: LanguageModel, prompt: Prompt) -> tuple[str, Ended]:
    """Return all that a model says, and how it ended."""
    pieces: list[str] = []
    ended: Ended | None = None
    async for event in model.stream(prompt):
        assert ended is None, "nothing comes behind the end"
        if isinstance(event, Piece):
            assert event.text
            pieces.append(event.text)
        else:
            ended = event
    assert ended is not None
    return "".join(pieces), ended


class LanguageModelContract:
    """Runs against a real model; the words of a small one are not judged."""

    async def test_an_answer_comes_in_pieces_and_ends_once(self, model: LanguageModel) -> None:
        pieces = [event async for event in model.stream(COLOURS)]
        assert len(pieces) > 3
        assert all(isinstance(piece, Piece) for piece in pieces[:-1])
        assert isinstance(pieces[-1], Ended)

    async def test_the_same_prompt_gives_the_same_answer(self, model: LanguageModel) -> None:
        assert (await said(model, COLOURS))[0] == (await said(model, COLOURS))[0]

    async def test_an_answer_is_cut_off_at_the_most_tokens_and_says_so(self, model: LanguageModel) -> None:
        text, ended = await said(model, Prompt(STORY.instructions, STORY.messages, 12))
        assert text
        assert not ended.complete
        assert ended.tokens_out in (None, 12)

    async def test_a_model_that_is_left_stops_and_answers_the_next_question(self, model: LanguageModel) -> None:
        story = model.stream(STORY)
        await anext(story)
        await story.aclose()
        assert (await said(model, COLOURS))[0]

    async def test_a_cancelled_answer_leaves_the_model_usable(self, model: LanguageModel) -> None:
        asked = asyncio.create_task(said(model, STORY))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.wait({asked})
        assert (await said(model, COLOURS))[0]

    async def test_several_questions_at_once_are_all_answered(self, model: LanguageModel) -> None:
        alone, _ = await said(model, COLOURS)
        for text, _ in await asyncio.gather(*(said(model, COLOURS) for _ in range(4))):
            assert text == alone

    async def test_the_conversation_before_is_heard(self, model: LanguageModel) -> None:
        before = (Said("user", "My name is Ada."), Said("assistant", "Hello Ada."))
        talk = Prompt("Be brief.", (*before, Said("user", "Say my name.")), 20)
        assert await said(model, talk) != await said(model, Prompt("Be brief.", (talk.messages[-1],), 20))

    async def test_a_name_tells_the_model(self, model: LanguageModel) -> None:
        assert ":" in model.name
