"""What every `Corpus` does, written once: a backend's test class gives the fixture `corpus`."""

import asyncio
from collections.abc import Mapping

from multidb_chat.domain.corpus import NOTHING, Corpus, CorpusBatch, CorpusState, DocumentCounts, Frequency

HOSTILE = "a\x00b \x1b[31m' \"; DROP TABLE — 漢字 \U0001f600 %s {}"


def counts(
    key: str, seq: int, terms: Mapping[str, Mapping[str, int]], sentences: Mapping[str, int], collection: str = "c1"
) -> DocumentCounts:
    return DocumentCounts(key, collection, f"{key}.md", 1, seq, terms, sentences)


TEA = counts("d1", 1, {"tea": {"tea": 2, "Tea": 3}, "assam": {"Assam": 1}}, {"Tea is grown in Assam.": 2, "Once.": 1})
CUP = counts("d2", 2, {"tea": {"Tea": 4}, "cup": {"CUP": 1, "Cup": 1}}, {"Tea is grown in Assam.": 1}, "c2")


async def filled(corpus: Corpus) -> CorpusState:
    await corpus.begin("lib", 1)
    state = CorpusState("lib", 1, 0)
    assert await corpus.bring_in(CorpusBatch(state, 2, (), (TEA, CUP)))
    return state._replace(watermark=2)


class CorpusContract:
    """Give it a fixture `corpus`, which counted nothing yet."""

    async def test_nothing_was_counted_at_first(self, corpus: Corpus):
        assert await corpus.state() == NOTHING
        assert await corpus.known(["d1"]) == {}
        assert await corpus.terms(["c1"], 9) == []
        assert await corpus.sentences(["c1"], 9) == []
        assert await corpus.different_terms(["c1"]) == 0

    async def test_terms_are_counted_over_the_collections_that_are_asked(self, corpus: Corpus):
        state = await filled(corpus)
        assert await corpus.state() == state
        assert await corpus.known(["d1", "d2", "d3"]) == {"d1": 1, "d2": 2}
        assert await corpus.terms(["c1", "c2"], 9) == [
            Frequency("tea", 9, 2), Frequency("CUP", 2, 1), Frequency("Assam", 1, 1),
        ]  # fmt: skip
        assert await corpus.terms(["c2"], 1) == [Frequency("Tea", 4, 1)]
        assert await corpus.terms([], 9) == []
        assert await corpus.terms(["c1"], -1) == []
        assert await corpus.different_terms(["c1", "c2"]) == 3
        assert await corpus.different_terms(["c2"]) == 2

    async def test_sentences_are_told_when_they_are_repeated(self, corpus: Corpus):
        await filled(corpus)
        assert await corpus.sentences(["c1", "c2"], 9) == [Frequency("Tea is grown in Assam.", 3, 2)]
        assert await corpus.sentences(["c2"], 9) == []

    async def test_a_document_is_replaced_and_removed_with_all_that_was_counted(self, corpus: Corpus):
        state = await filled(corpus)
        assert await corpus.bring_in(CorpusBatch(state, 4, ("d2", "unknown"), (counts("d1", 3, {"x": {"x": 1}}, {}),)))
        assert await corpus.terms(["c1", "c2"], 9) == [Frequency("x", 1, 1)]
        assert await corpus.sentences(["c1", "c2"], 9) == []
        assert await corpus.known(["d1", "d2"]) == {"d1": 3}
        assert await corpus.state() == CorpusState("lib", 1, 4)

    async def test_a_batch_that_does_not_follow_changes_nothing(self, corpus: Corpus):
        state = await filled(corpus)
        for other in (state._replace(watermark=1), state._replace(library="other"), state._replace(method=2)):
            assert not await corpus.bring_in(CorpusBatch(other, 9, ("d1", "d2"), ()))
        assert await corpus.state() == state
        assert await corpus.different_terms(["c1", "c2"]) == 3

    async def test_another_library_or_method_begins_anew(self, corpus: Corpus):
        await filled(corpus)
        await corpus.begin("lib", 2)
        assert await corpus.state() == CorpusState("lib", 2, 0)
        assert await corpus.known(["d1", "d2"]) == {}
        assert await corpus.terms(["c1", "c2"], 9) == []

    async def test_beginning_anew_many_times_at_once_ends_in_one_beginning(self, corpus: Corpus):
        await filled(corpus)
        await asyncio.gather(*(corpus.begin("lib", 2) for _ in range(5)))
        assert await corpus.state() == CorpusState("lib", 2, 0)
        assert await corpus.different_terms(["c1", "c2"]) == 0

    async def test_any_text_and_any_length_come_back_exactly(self, corpus: Corpus):
        await corpus.begin("lib", 1)
        text, long = HOSTILE, "word" * 5_000
        document = counts("d1", 1, {text: {text: 1}, long: {long: 2}}, {text: 2, long: 3})
        assert await corpus.bring_in(CorpusBatch(CorpusState("lib", 1, 0), 1, (), (document,)))
        assert await corpus.terms(["c1"], 9) == [Frequency(long, 2, 1), Frequency(text, 1, 1)]
        assert await corpus.sentences(["c1"], 9) == [Frequency(long, 3, 1), Frequency(text, 2, 1)]
