"""Turns in the app: one at a time, from the question that was sent to the answer on the screen, or to its end."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.tui.messages import Submitted
from multidb_chat.tui.serving import Serving, told

if TYPE_CHECKING:  # What is imported here later is not needed for the first paint.
    from multidb_chat.domain.conversations import Feedback, Message
    from multidb_chat.domain.turns import Answer, TurnEvent
    from multidb_chat.tui.widgets.exchange import Exchange
    from multidb_chat.tui.widgets.status import StatusLine
    from multidb_chat.tui.widgets.transcript import Transcript


class Stage(Protocol):
    """Where a turn is shown: the chat screen."""

    status: "StatusLine"
    transcript: "Transcript"

    def say(self, text: str) -> None:
        """Tell something in passing."""

    def warn(self, text: str) -> None:
        """Tell that something is not as it should be."""

    def answered(self, answer: "Answer") -> None:
        """Show what belongs to a complete answer."""


class Turns:
    """The turns of the conversation on the screen. `task` runs the latest one."""

    def __init__(self, serving: Serving, stage: Stage) -> None:
        self._serving = serving
        self._stage = stage
        self._exchange: Exchange | None = None
        self.task: asyncio.Task[None] | None = None
        self.conversation_id: str | None = None

    @property
    def running(self) -> bool:
        """Whether an answer is coming."""
        return self.task is not None and not self.task.done()

    async def ask(self, event: Submitted, *, use_cache: bool = True) -> None:
        """Begin a turn; none may be running."""
        pasted = sum(text.count("\n") + 1 for text in event.attachments)
        self._exchange = await self._stage.transcript.begin(event.text, pasted, event.instead_of)
        # A task, not a worker: those are cancelled again and again while the app leaves, also while a turn is stored.
        self.task = asyncio.create_task(self._take(self._exchange, event, use_cache))

    async def stop(self) -> bool:
        """Stop the running answer and keep what came; False when there is none."""
        if not await self.cancel():
            return False
        if self._exchange is not None and not self._exchange.ended:
            came = "What came stays here; the conversation does not keep it."
            await self._exchange.end(f"Stopped. {came if self._exchange.begun else '/retry asks again.'}")
        return True

    async def cancel(self) -> bool:
        """Cancel the running turn and wait for its end; False when there is none."""
        if self.task is None or self.task.done():
            return False
        self.task.cancel()
        await asyncio.wait({self.task})
        return True

    async def forget(self) -> None:
        """End what is running; the next question begins another conversation."""
        await self.stop()
        self.conversation_id = self._exchange = None

    async def walk(self, exchange: "Exchange", step: int) -> bool:
        """Show the branch of the question asked before (-1) or after in place of this one; False where there is none.

        Follow-ups belong to the branch that is shown.
        """
        target = exchange.number - 1 + step
        if self.conversation_id is None or not 0 <= target < len(exchange.versions):
            return False
        await self.stop()
        services = await self._serving.services()
        chosen = exchange.versions[target]
        branch = await services.branches.choose(services.account, self.conversation_id, chosen)
        shown = await self._stage.transcript.show_branch(branch, chosen)
        if shown is not None:
            shown.focus()
        return True

    async def open(self, conversation_id: str) -> None:
        """Show a stored conversation, where the next question goes on. Raises `NotFound`, `StoreError`."""
        services = await self._serving.services()
        branch = await services.branches.shown(services.account, conversation_id)
        await self.forget()
        self.conversation_id = conversation_id
        await self._stage.transcript.show_branch(branch)
        current = self._stage.transcript.current
        if current is not None and current.answer is not None:
            self._stage.answered(current.answer)
        await self._seen()

    async def read_messages(self, message_ids: Sequence[str]) -> "tuple[Sequence[Message], Mapping[str, Feedback]]":
        """Return these messages of the conversation on the screen, and how those of them were rated that were."""
        if self.conversation_id is None or not message_ids:
            return (), {}
        services, conversation_id = await self._serving.services(), self.conversation_id
        messages = await services.branches.messages(services.account, conversation_id, message_ids)
        return messages, await services.feedback.ratings(services.account, conversation_id, message_ids)

    async def _seen(self) -> None:
        """Remember that what was said has been on the screen; not worth a word where that cannot be."""
        if self.conversation_id is not None:
            services = await self._serving.services()
            with suppress(MultidbChatError):
                await services.history.mark_read(services.account, self.conversation_id)

    async def _take(self, exchange: "Exchange", event: Submitted, use_cache: bool) -> None:
        self._stage.status.begin("turn", "Searching")
        try:
            await self._answer_to(event, exchange, use_cache)
        except Exception as error:  # noqa: BLE001 - the chat goes on, whatever happened to this turn
            await exchange.end(told(error), error=True)
        finally:
            self._stage.status.end("turn")

    async def _answer_to(self, event: Submitted, exchange: "Exchange", use_cache: bool) -> None:
        services = await self._serving.prepared()
        narrowed = await services.narrowing.read(services.account, event.text)
        for problem in narrowed.unknown:
            self._stage.warn(problem)
        exchange.mark(narrowed.marks)
        named = [(f"pasted text {number}", body) for number, body in enumerate(event.attachments, 1)]
        extra = await services.one_off.rank_texts(event.text, named) if named else None
        if self.conversation_id is None:
            self.conversation_id = await self._begin_conversation(event.text)
        events = services.chat.respond(
            services.account,
            event.text,
            collections=narrowed.collections,
            conversation_id=self.conversation_id,
            parent_id=exchange.parent_id,
            use_cache=use_cache,
            extra=extra,
            documents=narrowed.documents,
            wording=narrowed.question,
        )
        # Closed here: where the turn is stopped while something is drawn, the generator would go on waiting.
        async with aclosing(cast("Any", events)):
            async for turn_event in events:
                await self._render(exchange, turn_event)

    async def _begin_conversation(self, title: str) -> str | None:
        from multidb_chat.domain.errors import StoreError

        services = await self._serving.services()
        try:
            return (await services.history.start(services.account, title)).id
        except StoreError as error:
            self._stage.warn(f"This conversation is not saved: {error}")
            return None

    async def _render(self, exchange: "Exchange", event: "TurnEvent") -> None:
        from multidb_chat.domain.turns import AnswerToken, Notice, SourcesFound, TurnCompleted, TurnFailed, TurnStarted

        match event:
            case TurnStarted(turn_id=turn_id):
                exchange.question_id = turn_id
            case SourcesFound():
                self._stage.status.begin("turn", "Answering")
            case AnswerToken(text=text):
                await exchange.write(text)
            case Notice(text=text):
                self._stage.warn(text)
            case TurnCompleted(answer=answer):
                if exchange.versions and answer.message_id is not None:
                    exchange.stand_among((*exchange.versions, exchange.question_id or ""))
                await exchange.complete(answer)
                self._stage.answered(answer)
                await self._seen()
            case TurnFailed(error=error):
                await exchange.end(told(error), error=True)
