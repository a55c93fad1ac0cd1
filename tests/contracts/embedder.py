"""What every `Embedder` does, written once: a backend's test class gives the fixture `embedder`."""

import array
import asyncio
import math
import sys

import pytest

from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.search import Embedder

PASSAGES = [
    "Bread rises because yeast turns sugar into carbon dioxide, which the dough holds in small bubbles.",
    "The central bank raised its interest rate by a quarter point to slow inflation.",
    "A wing stalls when the air no longer follows its upper surface and the lift breaks down.",
    "Vaccines teach the immune system to recognise a virus before it has met it.",
    "To restore a database, stop the server, copy the backup into place and replay the log.",
]
QUESTIONS = [
    "Why does dough grow?",
    "What did monetary policy do against rising prices?",
    "When does an aircraft lose lift?",
    "How does immunisation protect from disease?",
    "How do I recover from a backup?",
]
ODD_TEXTS = {
    "nothing": "",
    "white space": " \n\t\u00a0 ",
    "control bytes": "\x00\x01\x1b[31mred\x1b[0m\x7f",
    "half a surrogate pair": "before \ud800 after",
    "another script": "Быстрая коричневая лиса 敏捷的棕色狐狸 الثعلب البني السريع",
    "pictures": "🦊" * 50,
    "one endless word": "x" * 40_000,
    "the model's own marks": "[CLS] [SEP] [PAD] [MASK] [UNK] </s> <|endoftext|>",
    "no spaces": "快" * 3_000,
}


def numbers(vector: bytes) -> list[float]:
    """Read a vector as the port promises it: float32, little-endian."""
    values = array.array("f", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def cosine(a: bytes, b: bytes) -> float:
    return math.fsum(x * y for x, y in zip(numbers(a), numbers(b), strict=True))


class EmbedderContract:
    """Give it the fixture `embedder`: an open embedder, closed afterwards."""

    def check_vector(self, embedder: Embedder, vector: bytes) -> None:
        values = numbers(vector)
        assert len(vector) == 4 * embedder.dimensions
        assert all(math.isfinite(value) for value in values)
        assert math.fsum(value * value for value in values) == pytest.approx(1, abs=1e-5)

    def test_it_has_a_name_that_collections_can_remember(self, embedder: Embedder):
        assert embedder.name
        assert embedder.name == embedder.name.strip().lower()

    async def test_vectors_have_unit_length_and_the_announced_dimensions(self, embedder: Embedder):
        for vector in [await embedder.embed_query(QUESTIONS[0]), *await embedder.embed_documents(PASSAGES)]:
            self.check_vector(embedder, vector)

    async def test_a_question_lies_nearest_to_the_passage_that_answers_it(self, embedder: Embedder):
        passages = await embedder.embed_documents(PASSAGES)
        for place, question in enumerate(QUESTIONS):
            vector = await embedder.embed_query(question)
            assert max(range(len(passages)), key=lambda n: cosine(vector, passages[n])) == place, question

    async def test_no_texts_give_no_vectors(self, embedder: Embedder):
        assert await embedder.embed_documents([]) == []

    async def test_vectors_come_in_the_order_of_the_texts(self, embedder: Embedder):
        texts = [passage * repeats for repeats in (1, 9, 3, 1, 6) for passage in PASSAGES]
        together = await embedder.embed_documents(texts)
        for text, vector in zip(texts, together, strict=True):
            (alone,) = await embedder.embed_documents([text])
            assert cosine(alone, vector) == pytest.approx(1, abs=1e-4)

    @pytest.mark.parametrize("kind", ODD_TEXTS)
    async def test_odd_texts_have_vectors_too(self, embedder: Embedder, kind: str):
        (vector,) = await embedder.embed_documents([ODD_TEXTS[kind]])
        self.check_vector(embedder, vector)
        self.check_vector(embedder, await embedder.embed_query(ODD_TEXTS[kind]))

    async def test_the_last_sentence_of_a_long_text_counts(self, embedder: Embedder):
        filler = "The committee met again and approved the minutes of the last meeting. " * 120
        other, same, question = await embedder.embed_documents([filler, filler + PASSAGES[0], PASSAGES[0]])
        assert cosine(question, same) > cosine(question, other) + 0.01

    async def test_a_long_text_lies_near_all_its_parts(self, embedder: Embedder):
        begin, end = PASSAGES[1] * 20, PASSAGES[3] * 20
        long, first, last, unrelated = await embedder.embed_documents([begin + end, begin, end, PASSAGES[2] * 20])
        assert min(cosine(long, first), cosine(long, last)) > cosine(long, unrelated) + 0.2

    async def test_the_same_text_has_the_same_vector_each_time(self, embedder: Embedder):
        assert await embedder.embed_query(QUESTIONS[0]) == await embedder.embed_query(QUESTIONS[0])
        assert await embedder.embed_documents(PASSAGES) == await embedder.embed_documents(PASSAGES)

    async def test_calls_side_by_side_get_their_own_vectors(self, embedder: Embedder):
        alone = [await embedder.embed_query(question) for question in QUESTIONS]
        passages = await embedder.embed_documents(PASSAGES)
        calls = [embedder.embed_query(question) for question in QUESTIONS * 4]
        batches = [embedder.embed_documents(PASSAGES) for _ in range(4)]
        side_by_side, batched = await asyncio.gather(asyncio.gather(*calls), asyncio.gather(*batches))
        for n, vector in enumerate(side_by_side):
            assert cosine(vector, alone[n % len(alone)]) == pytest.approx(1, abs=1e-4)
        for batch in batched:
            for vector, passage in zip(batch, passages, strict=True):
                assert cosine(vector, passage) == pytest.approx(1, abs=1e-4)

    async def test_the_event_loop_goes_on_while_passages_are_embedded(self, embedder: Embedder):
        work = asyncio.create_task(embedder.embed_documents([passage * 5 for passage in PASSAGES]))
        turns = 0
        while not work.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 3
        assert len(await work) == len(PASSAGES)

    async def test_it_works_on_after_a_call_was_cancelled(self, embedder: Embedder):
        work = asyncio.create_task(embedder.embed_documents([passage * 9 for passage in PASSAGES * 40]))
        await asyncio.sleep(0.02)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        self.check_vector(embedder, await embedder.embed_query(QUESTIONS[0]))
        assert len(await embedder.embed_documents(PASSAGES)) == len(PASSAGES)

    async def test_closed_it_refuses_and_may_be_closed_again(self, embedder: Embedder):
        await embedder.embed_query(QUESTIONS[0])
        await embedder.close()
        await embedder.close()
        with pytest.raises(StoreError):
            await embedder.embed_query(QUESTIONS[0])
        with pytest.raises(StoreError):
            await embedder.embed_documents(PASSAGES)

    async def test_closing_ends_a_call_under_way_with_an_error(self, embedder: Embedder):
        await embedder.embed_query(QUESTIONS[0])
        work = asyncio.create_task(embedder.embed_documents([passage * 9 for passage in PASSAGES * 40]))
        await asyncio.sleep(0.02)
        await embedder.close()
        with pytest.raises(StoreError):
            await work
