"""The answerer that lets a language model write, holds each sentence against the passages, and quotes if that fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from multidb_chat.domain.errors import ModelError, PromptTooLong
from multidb_chat.domain.language import Ended, LanguageModel
from multidb_chat.domain.search import Embedder, Match
from multidb_chat.domain.text import as_sentence
from multidb_chat.domain.turns import Answerer, AnswerSentence, Citation, Draft, ModelAsked, ModelUse, Notice, Question
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.answering.rendering import inert
from multidb_chat.services.modelled.estimating import size, tokens_of
from multidb_chat.services.modelled.hearing import Heard, Listener
from multidb_chat.services.modelled.prompting import ABSTAIN, PASSAGES, VERSION, prompt_for
from multidb_chat.services.modelled.supporting import Evidence, Support
from multidb_chat.services.modelled.withholding import Addresses, recites
from multidb_chat.services.wording import counted

UNFOUNDED = "What the model wrote is not supported by your documents."
QUOTED = "This answer is quoted from your documents instead."


class Modelled:
    """Answers in the words of a `model`, each sentence checked before it is shown.

    A sentence that no passage supports is marked, or with `strict` left out. Where the model fails before anything
    was said, or nothing that it said holds, `quoting` answers, which needs no model.
    """

    def __init__(
        self,
        model: LanguageModel,
        quoting: Answerer,
        embedder: Embedder | None = None,
        *,
        strict: bool = False,
        most_tokens: int = 512,
    ) -> None:
        self._model = model
        self._quoting = quoting
        self._embedder = embedder
        self._strict = strict
        self._most_tokens = most_tokens

    @property
    def name(self) -> str:
        """Part of the cache key: the model, the prompt and all that the answer is made by beside them."""
        return f"model-{VERSION}{'s' if self._strict else ''}:{self._model.name}+{self._quoting.name}"

    async def answer(
        self, question: Question, matches: Sequence[Match]
    ) -> AsyncIterator[AnswerSentence | Notice | ModelAsked | Draft]:
        """Yield that the model is asked, the sentences that were checked, notices, then the draft."""
        shown = matches[:PASSAGES]
        told = Telling(Addresses(shown), strict=self._strict)
        evidence = await asyncio.to_thread(Evidence, question.standalone, shown, self._embedder)
        failed = ""
        yield ModelAsked(lambda: told.use(self._model.name, left=True))
        try:
            async with aclosing(self._heard(question, shown, told)) as sentences:
                async for heard in sentences:
                    if told.goes_round(heard):
                        break
                    for sentence in told.tell(heard, await evidence.support(heard.text, heard.passages)):
                        yield sentence
        except ModelError as error:
            failed = str(error)
        use = told.use(self._model.name)
        if not told.sentences and not told.abstained:
            async for item in self._quoting.answer(question, matches):
                if isinstance(item, Draft):
                    yield Notice(f"{as_sentence(failed or UNFOUNDED)} {QUOTED if item.found else ''}".rstrip())
                    item = replace(item, model=use, passing=True)
                yield item
            return
        for notice in _notices(failed, told):
            yield Notice(notice)
        yield Draft(tuple(told.sentences), tuple(told.citations), bool(told.sentences), "model", use, bool(failed))

    async def _heard(
        self, question: Question, matches: Sequence[Match], told: "Telling"
    ) -> AsyncGenerator[Heard, None]:
        """Yield what the model says; where the passages are too many for it, of half as many, down to the best one."""
        listener, many = Listener(), len(matches)
        while True:
            prompt = prompt_for(question, matches[:many], most_tokens=self._most_tokens)
            told.asked = size(prompt.instructions) + sum(size(said.text) for said in prompt.messages)
            try:
                async with aclosing(self._model.stream(prompt)) as events:
                    async for event in events:
                        if isinstance(event, Ended):
                            told.end(event)
                            continue
                        told.written += size(event.text)
                        for heard in listener.hear(event.text):
                            yield heard
                break
            except PromptTooLong:
                if many <= 1:
                    raise
                many //= 2
                told.unread = len(matches) - many
        rest = list(listener.end())
        for heard in rest[:-1] if told.cut_off else rest:
            yield heard


class Telling:
    """What was said so far. Sentences without support wait for one that has it: an answer of such alone is none."""

    def __init__(self, addresses: Addresses, *, strict: bool) -> None:
        self._addresses = addresses
        self._strict = strict
        self.sentences: list[AnswerSentence] = []
        self.citations: list[Citation] = []
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.cost: float | None = None
        self.dropped = self.unsupported = 0
        self.asked = self.written = 0
        self.unread = 0
        self.abstained = self.cut_off = False
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._said: Counter[str] = Counter()
        self._waiting: list[Heard] = []
        self._last: Heard | None = None

    def end(self, ended: Ended) -> None:
        """Take what the provider says at the end."""
        self.tokens_in, self.tokens_out, self.cost = ended.tokens_in, ended.tokens_out, ended.cost
        self.cut_off = not ended.complete

    def use(self, model: str, *, left: bool = False) -> ModelUse:
        """Return what the answer took so far.

        A model that said nothing is not known to have read anything, unless it was `left` before it could.
        """
        known = self.tokens_in is not None or self.tokens_out is not None or not (self.written or left)
        estimated = 0 if known else tokens_of(self.asked + self.written)
        return ModelUse(model, self.tokens_in, self.tokens_out, self.cost, self.dropped, estimated)

    def goes_round(self, heard: Heard) -> bool:
        """Tell whether a sentence comes a third time: a small model that has lost its thread says the same for ever."""
        self._said[heard.text] += 1
        return self._said[heard.text] > 2

    def tell(self, heard: Heard, support: Support | None) -> list[AnswerSentence]:
        """Take a sentence and return those that can be shown now, in order."""
        if self._said[heard.text] > 1:
            return []
        if recites(heard.text):
            self.dropped += 1
            return []
        text = self._addresses.without_others(heard.text)
        if text != heard.text:
            heard, support = replace(heard, text=text), None
        if ABSTAIN.casefold() in heard.text.casefold():
            self.abstained = not self.sentences
            return []
        if support is None and self._strict:
            self.dropped += 1
            return []
        if support is None and not self.sentences:
            self._waiting.append(heard)
            return []
        shown = [self._write(one, None) for one in self._waiting]
        self._waiting = []
        return [*shown, self._write(heard, support)]

    def _write(self, heard: Heard, support: Support | None) -> AnswerSentence:
        numbers: tuple[int, ...] = ()
        if support is None:
            self.unsupported += 1
        else:
            numbers = (self._cite(support),)
        text = f"{heard.marker} {inert(heard.text, markdown=True)}".lstrip()
        sentence = AnswerSentence(text, numbers, self._before(heard), support is not None)
        self.sentences.append(sentence)
        self._last = heard
        return sentence

    def _cite(self, support: Support) -> int:
        chunk = support.match.chunk
        place = support.match.document.id, chunk.start + support.start, chunk.start + support.end
        if place not in self._numbers:
            self._numbers[place] = len(self._numbers) + 1
            self.citations.append(citation(support.match, self._numbers[place], support.start, support.end))
        return self._numbers[place]

    def _before(self, heard: Heard) -> str:
        last = self._last
        if last is None:
            return ""
        if heard.marker and last.marker and heard.paragraph == last.paragraph:
            return "\n"
        return " " if heard.paragraph == last.paragraph and not heard.marker else "\n\n"


def _notices(failed: str, told: Telling) -> list[str]:
    notices = []
    if told.unread:
        what = counted(told.unread, "passage was", "passages were")
        notices.append(f"{what} left out: more do not fit into what this model reads at once.")
    if failed:
        notices.append(as_sentence(f"The answer breaks off: {failed}"))
    elif told.cut_off and told.sentences:
        notices.append("The answer is longer than this model may write, and was cut off.")
    if told.unsupported:
        notices.append(_unsupported(told.unsupported))
    return notices


def _unsupported(count: int) -> str:
    what = counted(count, "sentence is", "sentences are")
    return f"{what} marked with [?]: no passage that was found says so."
