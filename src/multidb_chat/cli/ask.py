"""`multidb-chat ask`: a question in, a cited answer out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.choosing import for_now, searched
from multidb_chat.cli.given import Given, read_asked
from multidb_chat.cli.options import Collections, Json, Quiet, Rerank, Rewrite
from multidb_chat.cli.session import Session, closed_after, session_of
from multidb_chat.domain.errors import MultidbChatError, StoreError

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.cli.answers import AnswerView
    from multidb_chat.cli.console import Exit
    from multidb_chat.domain.library import Document


def ask(
    context: typer.Context,
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTION", help="The question. Without it, standard input is the question; with it, a document."
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="PATH", help="Answer from this file without adding it (repeatable)."),
    ] = None,
    names: Collections = None,
    documents: Annotated[
        list[str] | None,
        typer.Option(
            "--document", "-d", metavar="NAME", help="Only this document: its name, title or id (repeatable)."
        ),
    ] = None,
    as_json: Json = False,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", metavar="ID", help='Ask in this one; "last" is the last one.'),
    ] = None,
    follow_up: Annotated[bool, typer.Option("--continue", help="Ask in the last conversation.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, max=100, help="How many passages to answer from.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help='Which language model writes the answer; "none" quotes.'),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Leave out what no passage supports.")] = False,
    rerank: Rerank = None,
    rewrite: Rewrite = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Make the answer anew.")] = False,
    quiet: Quiet = False,
) -> None:
    """Answer a question from your documents, with the source of each sentence.

    On a pipe only the answer goes to standard output; sources and notices go to standard error.
    """
    session = session_of(context)
    session.console.quiet = quiet
    if conversation and follow_up:
        raise typer.BadParameter("give either --conversation or --continue", ctx=context, param_hint="--continue")
    asked = read_asked(question, session)
    if asked.question is None:
        raise typer.BadParameter("give it as an argument or on standard input", ctx=context, param_hint="QUESTION")
    given = Given(files or [], asked.document)
    asking = Asking(session, asked.question, given, names or [], documents or [])
    asking = replace(asking, as_json=as_json, conversation=conversation, follow_up=follow_up, model=model)
    session.run(replace(asking, limit=limit, no_cache=no_cache, strict=strict, rerank=rerank, rewrite=rewrite))


@dataclass(frozen=True)
class Asking:
    """One question with its options; calling it asks."""

    session: Session
    question: str
    given: Given
    names: list[str]
    documents: list[str]
    as_json: bool = False
    conversation: str | None = None
    follow_up: bool = False
    limit: int | None = None
    no_cache: bool = False
    model: str | None = None
    strict: bool = False
    rerank: str | None = None
    rewrite: str | None = None

    async def __call__(self, application: "Application") -> "Exit":
        """Ask, render the answer, and return the exit code."""
        from multidb_chat.cli.answers import AnswerView

        if self.model is not None:
            application.preferences.for_now(application.account, "model.name", self.model)
        for_now(application, self.rerank, self.rewrite)
        if self.strict:
            application.preferences.for_now(application.account, "model.strict", "true")
        view = AnswerView(self.session.console, self.as_json)
        # What is given with a question is answered from alone, unless others are named as well.
        alone = self.given and not self.names and not self.documents
        collections = [] if alone else await searched(application, self.names)
        documents: Sequence[Document] = ()
        if self.documents:
            documents = await application.documents.select(application.account, self.documents, collections)
        extra = None
        if self.given:
            limit = self.limit or application.settings.search.limit
            extra = await self.given.passages(application, self.question, limit)
        async with self._conversation(application, view) as conversation_id:
            events = application.chat.respond(
                application.account,
                self.question,
                collections=collections,
                conversation_id=conversation_id,
                use_cache=not self.no_cache,
                extra=extra,
                limit=self.limit,
                documents=[document.id for document in documents],
            )
            async with closed_after(events):
                async for event in events:
                    view.show(event)
        done = await view.finish(application, self.given.failures)
        if view.saved_in is not None and self.session.console.out_is_terminal:
            with suppress(StoreError):  # what a script asked stays unread, until somebody looks
                await application.history.mark_read(application.account, view.saved_in)
        return done

    @asynccontextmanager
    async def _conversation(self, application: "Application", view: "AnswerView") -> AsyncIterator[str | None]:
        """Give the conversation to ask in; a new one that no turn came into is removed again."""
        history, account = application.history, application.account
        if self.conversation:
            yield (await history.named(account, self.conversation)).id
            return
        if self.follow_up and (latest := await history.latest(account)) is not None:
            yield latest.id
            return
        started = None
        try:
            started = await history.start(account, self.question)
        except StoreError as error:
            view.note(f"This turn is not saved: {error}")
        try:
            yield started.id if started else None
        finally:
            if started and view.saved_in is None:
                with suppress(MultidbChatError):
                    await history.discard(account, started.id)
