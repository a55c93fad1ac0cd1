"""Turns in the app: one at a time, from the question that was sent to the answer on the screen, or to its end."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from multidb_chat.tui.messages import Submitted
from multidb_chat.tui.serving import Serving, told

if TYPE_CHECKING:  # What is imported here later is not needed for the first paint.
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
        self.answer: Answer | None = None
        """The latest complete answer."""

    @property
    def running(self) -> bool:
        """Whether an answer is coming."""
        return self.task is not None and not self.task.done()

    async def ask(self, event: Submitted) -> None:
        """Begin a turn; none may be running."""
        pasted = sum(text.count("\n") + 1 for text in event.attachments)
        self._exchange = await self._stage.transcript.begin(event.text, pasted)
        # A task, not a worker: those are cancelled again and again while the app leaves, also while a turn is stored.
        self.task = asyncio.create_task(self._take(self._exchange, event))

    async def stop(self) -> bool:
        """Stop the running answer and keep what came; False when there is none."""
        if not await self.cancel():
            return False
        if self._exchange is not None and not self._exchange.ended:
            await self._exchange.end("Stopped.")
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
        self.conversation_id = self._exchange = self.answer = None

    async def _take(self, exchange: "Exchange", event: Submitted) -> None:
        self._stage.status.begin("turn", "Searching")
        try:
            await self._answer_to(event, exchange)
        except Exception as error:  # noqa: BLE001 - the chat goes on, whatever happened to this turn
            await exchange.end(told(error), error=True)
        finally:
            self._stage.status.end("turn")

    async def _answer_to(self, event: Submitted, exchange: "Exchange") -> None:
        services = await self._serving.prepared()
        collections = await services.documents.resolve(services.account, [])
        named = [(f"pasted text {number}", body) for number, body in enumerate(event.attachments, 1)]
        extra = await services.one_off.rank_texts(event.text, named) if named else None
        if self.conversation_id is None:
            self.conversation_id = await self._begin_conversation(event.text)
        events = services.chat.respond(
            services.account,
            event.text,
            collections=collections,
            conversation_id=self.conversation_id,
            extra=extra,
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
        from multidb_chat.domain.turns import AnswerToken, Notice, SourcesFound, TurnCompleted, TurnFailed

        match event:
            case SourcesFound():
                self._stage.status.begin("turn", "Answering")
            case AnswerToken(text=text):
                await exchange.write(text)
            case Notice(text=text):
                self._stage.warn(text)
            case TurnCompleted(answer=answer):
                self.answer = answer
                await exchange.complete(answer)
                self._stage.answered(answer)
            case TurnFailed(error=error):
                await exchange.end(told(error), error=True)
