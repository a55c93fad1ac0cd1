"""How an answer looks in a shell: streamed to a person, whole to a pipe, or as JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer, AnswerToken, Notice, TurnCompleted, TurnEvent, TurnFailed

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application


class AnswerView:
    """Renders the events of one turn."""

    def __init__(self, console: Console, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json
        self._streams = console.out_is_terminal and not as_json
        self._open_line = False
        self._answer: Answer | None = None

    @property
    def saved_in(self) -> str | None:
        """The conversation that the turn is in; None where it is in none."""
        return self._answer.conversation_id if self._answer is not None and self._answer.message_id else None

    @property
    def answer(self) -> Answer | None:
        """The complete answer, as soon as there is one."""
        return self._answer

    def note(self, text: str) -> None:
        """Tell something that is not part of the answer."""
        self._end_line()
        self._console.tell(Styled("note: ", "fair"), clean_line(text))

    def show(self, event: TurnEvent) -> None:
        """Render one event. Raises the error of a turn that failed."""
        match event:
            case AnswerToken(text=text) if self._streams:
                self._console.write(text, end="")
                self._open_line = True
            case Notice(text=text):
                self.note(text)
            case TurnCompleted(answer=answer):
                self._answer = answer
            case TurnFailed(error=error):
                self._end_line()
                raise error

    async def finish(self, application: "Application", failures: Sequence[str]) -> Exit:
        """Render what belongs below the answer and return the exit code."""
        self._end_line()
        answer = self._answer
        assert answer is not None, "a turn ends with an answer or an error"
        for failure in failures:
            self.note(f"not read: {failure}")
        if self._as_json:
            from multidb_chat.services.answering import codec

            self._console.write_json(codec.to_dict(answer))
        else:
            await self._write(application, answer)
        if not answer.found:
            return Exit.NOTHING
        return Exit.PARTLY if failures else Exit.DONE

    def _end_line(self) -> None:
        if self._open_line:
            self._open_line = False
            self._console.write()

    async def _write(self, application: "Application", answer: Answer) -> None:
        # On a pipe, an answer that says "nothing found" is none: whoever reads standard output gets nothing then.
        if not self._streams:
            (self._console.write if answer.found else self._console.tell)(answer.text)
        cited = answer.citations if answer.found else answer.nearest
        below = self._console.write if self._streams else self._console.tell
        if answer.curated is not None and not self._console.quiet:
            by = answer.curated
            below(Styled("\nKnowledge base", "strong"), f"  {clean_line(by.question)}  confidence {by.confidence:.2f}")
        if not cited or self._console.quiet:
            return
        from multidb_chat.cli.citations import described

        below(Styled("\nSources" if answer.found else "\nNearest passages", "strong"))
        for line in await described(application, cited, marked=answer.found):
            below(*line)
