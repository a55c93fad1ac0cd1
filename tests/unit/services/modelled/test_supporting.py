"""A sentence is supported by a passage that says it, and by no other."""

import pytest

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.services.modelled.supporting import Evidence
from tests.unit.services.answering.passages import match

LAMP = match(
    "The lighthouse was lit in 1858. Its lamp burns colza oil, and the keeper trims it every four hours.",
    title="The lighthouse",
)
FEES = match("Members pay 40 euros a year. Guests do not pay a fee. Refunds are made within 14 days.", title="Fees")
QUESTION = "What does the lamp of the lighthouse burn?"


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder(1)


SUPPORTED = {
    "the same words": ("The lamp burns colza oil.", (1,), "Its lamp burns colza oil, and the keeper trims it"),
    "a figure": ("It was lit in 1858.", (1,), "was lit in 1858"),
    "another order": ("Every four hours the keeper trims the lamp.", (1,), "every four hours"),
    "no number given": ("Members pay 40 euros each year.", (), "Members pay 40 euros a year."),
    "two sentences in one": ("Lit in 1858, the lamp burns colza oil.", (1,), "1858. Its lamp"),
    "one of several": ("Members pay 40 euros a year.", (1, 2), "Members pay 40 euros a year."),
    "a denial": ("Guests do not pay a fee.", (2,), "Guests do not pay"),
}
UNSUPPORTED = {
    "another figure": ("It was lit in 1868.", (1,)),
    "another name": ("The lamp was built by Fresnel and burns colza oil.", (1,)),
    "the other passage": ("Members pay 40 euros a year.", (1,)),
    "a passage that there is not": ("The lamp burns colza oil.", (7,)),
    "number nought": ("The lamp burns colza oil.", (0,)),
    "a denial of what is said": ("Members do not pay 40 euros a year.", (2,)),
    "a claim of what is denied": ("Guests pay a fee.", (2,)),
    "something else": ("Whales were hunted for their blubber in those seas.", ()),
    "words of the question alone": ("It is what it is.", ()),
}


@pytest.mark.parametrize("case", SUPPORTED)
async def test_what_a_passage_says_is_supported_and_its_place_is_told(case: str, embedder: MiniLMEmbedder) -> None:
    sentence, named, place = SUPPORTED[case]
    found = await Evidence(QUESTION, [LAMP, FEES], embedder).support(sentence, named)
    assert found is not None
    assert place in found.match.chunk.text[found.start : found.end]


@pytest.mark.parametrize("case", UNSUPPORTED)
async def test_what_no_passage_says_is_not_supported(case: str, embedder: MiniLMEmbedder) -> None:
    sentence, named = UNSUPPORTED[case]
    assert await Evidence(QUESTION, [LAMP, FEES], embedder).support(sentence, named) is None


async def test_without_an_embedder_the_words_decide() -> None:
    evidence = Evidence(QUESTION, [LAMP, FEES], None)
    assert await evidence.support("The lamp burns colza oil.", (1,)) is not None
    assert await evidence.support("Refunds take two weeks at most.", (2,)) is None
