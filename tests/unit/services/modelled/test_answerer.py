"""What a model writes is shown as far as the passages hold it; else the answer is quoted."""

from collections.abc import AsyncGenerator

import pytest

from multidb_chat.domain.errors import ModelRefused, ModelUnavailable, PromptTooLong
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.turns import AnswerSentence, Draft, ModelAsked, Notice, Question
from multidb_chat.services.answering import codec
from multidb_chat.services.answering.citing import compose
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.modelled.answerer import Modelled
from tests.unit.services.answering.passages import match
from tests.unit.services.modelled.scripted import Scripted, in_pieces

LAMP = match("The lighthouse was lit in 1858. Its lamp burns colza oil.", title="The lighthouse")
FEES = match("Members pay 40 euros a year.", title="Fees")
QUESTION = Question("What does it burn?", "What does the lamp of the lighthouse burn?")
REGATTA = Question("Who won the regatta in Lisbon?", "Who won the regatta in Lisbon?")


async def answered(
    model: Scripted, *, strict: bool = False, asked: Question = QUESTION
) -> tuple[Draft, list[str], str]:
    """Return the draft, the notices, and the text as it was streamed."""
    notices, sentences, draft = [], [], None
    async for item in Modelled(model, Extractive(), strict=strict).answer(asked, [LAMP, FEES]):
        if isinstance(item, Notice):
            notices.append(item.text)
        elif isinstance(item, AnswerSentence):
            sentences.append(item)
        elif not isinstance(item, ModelAsked):
            draft = item
    assert draft is not None
    assert tuple(sentences) == draft.sentences
    return draft, notices, compose(sentences)


@pytest.mark.parametrize("size", [1, 4, 1_000])
async def test_sentences_carry_the_place_that_supports_them(size: int) -> None:
    said = "The lamp burns colza oil [1]. Members pay 40 euros a year [2]."
    draft, notices, text = await answered(Scripted(*in_pieces(said, size)))
    assert text == said.replace(" [1].", ". [1]").replace(" [2].", ". [2]")
    assert [one.snippet for one in draft.citations] == ["Its lamp burns colza oil.", "Members pay 40 euros a year."]
    assert (draft.method, draft.found, notices) == ("model", True, [])
    assert draft.model is not None
    assert (draft.model.name, draft.model.tokens_in, draft.model.tokens_out) == ("scripted:one", 100, 20)


async def test_a_sentence_that_nothing_supports_is_marked_and_told() -> None:
    draft, notices, text = await answered(Scripted("The lamp burns colza oil [1]. It was lit in 1868 [1]."))
    assert text == "The lamp burns colza oil. [1] It was lit in 1868. [?]"
    assert [one.supported for one in draft.sentences] == [True, False]
    assert notices == ["1 sentence is marked with [?]: no passage that was found says so."]


async def test_strict_leaves_such_sentences_out() -> None:
    draft, notices, text = await answered(
        Scripted("It was lit in 1868 [1]. The lamp burns colza oil [1]."), strict=True
    )
    assert text == "The lamp burns colza oil. [1]"
    assert draft.model is not None
    assert draft.model.dropped == 1
    assert notices == []


async def test_what_comes_before_the_first_supported_sentence_is_shown_with_it() -> None:
    _, _, text = await answered(Scripted("A good question. The lamp burns colza oil [1]."))
    assert text == "A good question. [?] The lamp burns colza oil. [1]"


async def test_a_sentence_without_a_number_gets_the_one_of_the_passage_that_says_it() -> None:
    _, notices, text = await answered(Scripted("The lamp burns colza oil."))
    assert (text, notices) == ("The lamp burns colza oil. [1]", [])


async def test_labels_of_the_prompt_that_a_model_repeats_are_not_told() -> None:
    _, notices, text = await answered(Scripted("The lamp burns colza oil [1].\n", "</passages>\n", "</question>"))
    assert (text, notices) == ("The lamp burns colza oil. [1]", [])


@pytest.mark.parametrize("said", ["I am a helpful assistant. Whales are large.", "", "[1] [2]"])
async def test_an_answer_that_nothing_supports_is_quoted_instead(said: str) -> None:
    draft, notices, text = await answered(Scripted(said))
    assert "colza oil" in text
    assert draft.method == "extractive"
    assert notices == [
        "What the model wrote is not supported by your documents. This answer is quoted from your documents instead."
    ]


@pytest.mark.parametrize("error", [ModelUnavailable("The model is overloaded."), ModelRefused("A wrong key.")])
async def test_a_model_that_fails_leaves_the_answer_to_the_documents(error: Exception) -> None:
    draft, notices, text = await answered(Scripted(error))
    assert "colza oil" in text
    assert draft.method == "extractive"
    assert notices == [f"{error} This answer is quoted from your documents instead."]


class Short(Scripted):
    """A model that reads at most so many passages at once."""

    def __init__(self, most: int, said: str) -> None:
        super().__init__(said)
        self._most = most

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        if prompt.messages[0].text.count(" Fees\n") > self._most:
            raise PromptTooLong("The question is too long.")
        async for event in super().stream(prompt):
            yield event


@pytest.mark.parametrize(("most", "told"), [(3, "3 passages were"), (2, "5 passages were"), (1, "5 passages were")])
async def test_a_model_that_reads_little_at_once_gets_the_best_passages_and_that_is_told(most: int, told: str) -> None:
    notices = [
        item.text if isinstance(item, Notice) else compose(item.sentences)
        async for item in Modelled(Short(most, "Members pay 40 euros a year [1]."), Extractive()).answer(
            Question("What do members pay?", "What do members pay?"), [FEES] * 6
        )
        if isinstance(item, Notice | Draft)
    ]
    what = f"{told} left out: more do not fit into what this model reads at once."
    assert notices == [what, "Members pay 40 euros a year. [1]"]


async def test_the_answer_is_quoted_where_not_even_one_passage_fits() -> None:
    model = Short(0, "Members pay 40 euros a year [1].")
    items = [item async for item in Modelled(model, Extractive()).answer(QUESTION, [FEES, LAMP])]
    assert "The question is too long. This answer is quoted from your documents instead." in [
        item.text for item in items if isinstance(item, Notice)
    ]


async def test_what_a_provider_says_is_a_sentence_of_the_notice() -> None:
    _, notices, _ = await answered(Scripted(ModelUnavailable("The model cannot answer now (503): Overloaded")))
    assert notices[0].startswith("The model cannot answer now (503): Overloaded. This answer is quoted")


async def test_nothing_is_called_quoted_where_the_documents_say_nothing_either() -> None:
    draft, notices, _ = await answered(Scripted(ModelRefused("A wrong key.")), asked=REGATTA)
    assert not draft.found
    assert notices == ["A wrong key."]


async def test_what_was_said_before_a_model_broke_off_stays() -> None:
    _, notices, text = await answered(
        Scripted("The lamp burns colza oil [1]. Members pay ", ModelUnavailable("It broke off."))
    )
    assert text == "The lamp burns colza oil. [1]"
    assert notices == ["The answer breaks off: It broke off."]


async def test_an_answer_that_was_cut_off_ends_with_its_last_whole_sentence() -> None:
    cut = Scripted("The lamp burns colza oil [1]. Members pay 40 eu", ended=Ended(False, 100, 16))
    _, notices, text = await answered(cut)
    assert text == "The lamp burns colza oil. [1]"
    assert notices == ["The answer is longer than this model may write, and was cut off."]


@pytest.mark.parametrize("said", ["NOT IN THE DOCUMENTS", "Not in the documents."])
async def test_a_model_that_finds_nothing_says_so(said: str) -> None:
    draft, notices, text = await answered(Scripted(said))
    assert (draft.found, text, notices) == (False, "", [])


async def test_links_and_images_of_a_model_are_words() -> None:
    _, _, text = await answered(
        Scripted("The lamp burns [colza oil](https://evil.example/?q=secret) ![x](https://evil.example/x.png) [1].")
    )
    assert "evil.example" not in text
    assert "colza oil" in text


async def test_a_model_that_says_the_same_for_ever_is_stopped_and_heard_once() -> None:
    model = Scripted(*["The lamp burns colza oil [1]. "] * 50)
    _, notices, text = await answered(model)
    assert (text, notices, model.stopped) == ("The lamp burns colza oil. [1]", [], True)


async def test_leaving_the_answer_stops_the_model() -> None:
    model = Scripted("The lamp burns colza oil [1]. ", "Members pay 40 euros a year [2]. ", "More.")
    answer = Modelled(model, Extractive()).answer(QUESTION, [LAMP, FEES])
    asked = await anext(answer)
    assert isinstance(asked, ModelAsked)
    assert asked.use().tokens == 0, "nothing was sent yet"
    await anext(answer)
    await answer.aclose()  # type: ignore[attr-defined]
    assert model.stopped
    (prompt,) = model.prompts
    read = len(prompt.instructions) + len(prompt.messages[0].text)
    said = "The lamp burns colza oil [1]. Members pay 40 euros a year [2]. "
    assert asked.use().estimated == -(-(read + len(said)) // 4)


def test_an_answer_of_a_model_is_the_same_after_it_was_stored() -> None:
    from multidb_chat.domain.turns import Answer, ModelUse

    answer = Answer(
        "q", "q", "x [?]", True, (AnswerSentence("x", (), "", supported=False),), method="model",
        model=ModelUse("scripted:one", 1, 2, 0.5, 1),
    )  # fmt: skip
    assert codec.loads(codec.dumps(answer)) == answer
