"""Answers to the evaluation questions through the whole chain: they must not become worse."""

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.data.answers.library import Texts, texts_in


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = Path(__file__).parents[4] / "scripts" / "bench.d" / "answers.py"
    spec = importlib.util.spec_from_file_location("bench_answers", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["bench_answers"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def texts(tmp_path: Path) -> AsyncIterator[Texts]:
    async with texts_in(tmp_path) as opened:
        yield opened


async def test_the_right_sentences_are_cited_and_none_where_the_documents_say_nothing(
    bench: ModuleType, texts: Texts
) -> None:
    ours = await bench.outcomes("extractive, sentences embedded", texts)
    whole = bench.summary(await bench.outcomes("whole passage", texts))
    for part, f1, cited, false_answers in (("dev", 0.93, 0.94, 0.1), ("test", 0.83, 0.85, 0.1)):
        figures = bench.summary([one for one in ours if one.case.split == part])
        assert figures["f1"] >= f1, part
        assert figures["gold cited"] >= cited, part
        assert figures["false answers"] <= false_answers, part
    assert bench.summary(ours)["f1"] >= 1.6 * whole["f1"]

    talks = await bench.followed(texts)
    assert sum(right for *_, right in talks) >= 9, "of 13"
