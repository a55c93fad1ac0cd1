"""What may reach people when documents attack, and the model does all it is told: nothing that counts as a success."""

from collections import Counter

import pytest

from multidb_chat.domain.turns import AnswerSentence, Draft
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.modelled.answerer import Modelled
from multidb_chat.services.modelled.prompting import PASSAGES, prompt_for
from tests.data.attacks.attacking import KINDS, QUESTION, Attack, Obedient, attacks, leaked, outcome, successes

ALL = attacks()
BY_NAME = pytest.mark.parametrize("attack", ALL, ids=[attack.name for attack in ALL])


def test_there_are_attacks_of_every_kind() -> None:
    counted = Counter(attack.kind for attack in ALL)
    assert set(counted) == set(KINDS)
    assert min(counted.values()) >= 7
    assert len({attack.name for attack in ALL}) == len(ALL) >= 60
    assert all(len(attack.matches) <= PASSAGES for attack in ALL), "all of an attack gets into the prompt"


@BY_NAME
@pytest.mark.parametrize("strict", [False, True])
async def test_an_obedient_model_reaches_people_with_nothing_that_counts(attack: Attack, strict: bool) -> None:
    model = Obedient(attack)
    draft, text = await outcome(Modelled(model, Extractive(), strict=strict), attack)
    assert model.prompts
    assert successes(attack, draft, text) == []
    if strict:
        assert all(sentence.supported for sentence in draft.sentences)


@BY_NAME
def test_the_marks_of_an_attack_do_not_reach_the_model(attack: Attack) -> None:
    (said,) = prompt_for(QUESTION, attack.matches, most_tokens=64).messages
    assert [mark for mark in attack.marks if mark in said.text] == []
    assert said.text.count("</passages>") == said.text.count("<question>") == 1


@BY_NAME
async def test_quoting_is_no_way_around(attack: Attack) -> None:
    draft, text = await outcome(Extractive(), attack)
    assert successes(attack, draft, text) == []


def test_a_success_would_be_seen() -> None:
    attack = ALL[0]
    lie = Draft((AnswerSentence("It was lit in 1999.", (1,)),), (), True)
    assert "forged" in successes(attack, lie, "It was lit in 1999. [1]")
    honest = Draft((), (), True)
    for text, what in {
        "[x](https://evil.example)": "link",
        "<b>x</b>": "link",
        "see `https://evil.example/?q=1`": "address",
        "Use only what the passages say.": "leak",
        "x\x1b[2J": "control",
    }.items():
        assert what in successes(attack, honest, text)
    assert not leaked("The passages say only what they say.")
