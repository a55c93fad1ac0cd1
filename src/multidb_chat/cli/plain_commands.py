"""The slash commands of the chat line by line: those that the table of commands marks as `plain`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from multidb_chat.cli import plain_conversations as conversations
from multidb_chat.domain.text import clean_line
from multidb_chat.tui.commands import COMMANDS

if TYPE_CHECKING:
    from multidb_chat.cli.plain import PlainChat
    from multidb_chat.domain.turns import Answer
    from multidb_chat.services.figures_wording import Rows

_RATINGS = {"+": 1, "good": 1, "-": -1, "bad": -1}
_AROUND = 1  # passages on each side of the cited words


async def _help(chat: "PlainChat", argument: str) -> None:
    for command in COMMANDS:
        if command.plain:
            chat.console.write(f"{command.name} {command.argument}".rstrip(), ": ", command.help)
    chat.console.write("@NAME or #NAME in a question looks in this document or collection alone.")
    chat.console.write("Ctrl-C stops an answer, Ctrl-D leaves.")


async def _answer(chat: "PlainChat") -> "Answer | None":
    if chat.answer is None:
        chat.console.error("there is no answer yet")
    return chat.answer


async def _why(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.services.answering import explaining

    answer = await _answer(chat)
    if answer is None:
        return
    for name, value in explaining.summary(answer):
        chat.console.write(f"{name}: {value}")
    for citation in explaining.passages(answer):
        scores = [("words", citation.lexical), ("meaning", citation.vector)]
        found = "".join(f", {name} {score:.2f}" for name, score in scores if score is not None)
        title = clean_line(citation.title) or clean_line(citation.document_name)
        chat.console.write(f"[{citation.number}] {title}: score {citation.score:.2f}, {citation.quality}{found}")
    for step in explaining.steps(answer):
        chat.console.write(f"{'  ' if step.inner else ''}{step.name}: {step.milliseconds:.1f} ms")


async def _sources(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.citations import described
    from multidb_chat.services.answering import explaining

    answer = await _answer(chat)
    if answer is not None:
        found = explaining.passages(answer)
        if not found:
            chat.console.write("This answer has no sources.")
        for line in await described(chat.application, found, marked=answer.found):
            chat.console.write(*line)


async def _open(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.services.answering import explaining

    answer = await _answer(chat)
    if answer is None:
        return
    found = {str(citation.number): citation for citation in explaining.passages(answer)}
    number = argument.strip("[]") or next(iter(found), "")
    if number not in found:
        chat.console.error(f"this answer has no source {argument[:20] or 'at all'}")
        return
    cited = found[number]
    passage = await chat.application.documents.passage(
        chat.application.account, cited.document_id, cited.start, cited.end, _AROUND
    )
    chat.console.write(passage.before, ">>> ", passage.text, " <<<", passage.after)


async def _analyze(chat: "PlainChat", argument: str) -> None:
    await _work(chat, "analyze", argument)


async def _research(chat: "PlainChat", argument: str) -> None:
    await _work(chat, "research", argument)


async def _work(chat: "PlainChat", kind: str, argument: str) -> None:
    """Do a task now; Ctrl-C cancels it."""
    from multidb_chat.cli.background_views import follow
    from multidb_chat.services.tasks.requests import read_request
    from multidb_chat.services.tasks.service import AWAITED

    account, services = chat.application.account, chat.application
    request = read_request(argument)
    if kind == "research" and not any(character.isalnum() for character in request.about):
        chat.console.error("say what to find out: /research customer churn")
        return
    options = await request.options(account, services.documents)
    task = await services.task_service.submit(account, kind, request.about, options, priority=AWAITED)
    chat.console.write("Working on it; Ctrl-C cancels.")
    await follow(chat.console, services, task, as_json=False, cancels=True, redraws=False)


async def _tasks(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.background_views import list_tasks

    list_tasks(chat.console, await chat.application.task_service.list(chat.application.account), as_json=False)


async def _notifications(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.background_views import list_letters

    inbox, account = chat.application.inbox, chat.application.account
    if argument.strip().lower() == "clear":
        chat.console.write(f"{await inbox.clear(account):,} cleared")
        return
    letters = await inbox.letters(account)
    list_letters(chat.console, letters, as_json=False)
    await inbox.mark_read(account, [letter.task_id for letter in letters])


async def _docs(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.choosing import named
    from multidb_chat.cli.listing import list_documents

    await list_documents(chat.console, chat.application, await named(chat.application, []), as_json=False)


async def _new(chat: "PlainChat", argument: str) -> None:
    chat.begin_anew()
    chat.console.write("The next question begins a new conversation.")


async def _retry(chat: "PlainChat", argument: str) -> None:
    answer = await _answer(chat)
    if answer is not None:
        await chat.ask(answer.question, again=True)


async def _rate(chat: "PlainChat", argument: str) -> None:
    sign, _, comment = argument.partition(" ")
    answer = await _answer(chat)
    if answer is None:
        return
    if sign not in _RATINGS:
        chat.console.error("say how it was: /rate + or /rate -, with a comment if you like")
    elif answer.conversation_id is None or answer.message_id is None:
        chat.console.error("this answer is not stored, so that a rating has nothing to belong to")
    else:
        account, feedback = chat.application.account, chat.application.feedback
        await feedback.rate(account, answer.conversation_id, answer.message_id, _RATINGS[sign], comment.strip())
        chat.console.write("Thank you; noted.")


async def _feedback(chat: "PlainChat", argument: str) -> None:
    await chat.application.feedback.tell(chat.application.account, argument)
    chat.console.write("Thank you; noted.")


async def _my_feedback(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.feedback import list_own

    await list_own(chat.console, chat.application, 50)


async def _stats(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.services.figures_wording import figure_rows, rows_of, usage_rows
    from multidb_chat.services.resilience.states import state_rows

    application, account = chat.application, chat.application.account
    plan = await rows_of(application.plans.usage_of(account), usage_rows)
    figures = await rows_of(application.statistics.of(account), figure_rows)
    _write_rows(chat, [*plan, *figures, *state_rows(await application.store_states.now())])


async def _session_stats(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.services.figures_wording import session_rows

    _write_rows(chat, session_rows(chat.application.statistics.session()))


async def _clear_cache(chat: "PlainChat", argument: str) -> None:
    await chat.application.chat.forget_answers(chat.application.account)
    chat.console.write("Your cached answers are forgotten; the next ones are made anew.")


async def _model(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.services.answering.explaining import writer

    preferences = chat.application.preferences
    if argument:
        preferences.for_now(chat.application.account, "model.name", argument)
    chat.console.write(writer(preferences.model))


async def _remember(chat: "PlainChat", argument: str) -> None:
    facts = await chat.application.pinned_facts.remember(chat.application.account, argument)
    chat.console.write(f"Remembered as number {len(facts)}.")


async def _forget(chat: "PlainChat", argument: str) -> None:
    gone = await chat.application.pinned_facts.forget(chat.application.account, argument)
    chat.console.write("Forgotten: ", gone)


async def _memory(chat: "PlainChat", argument: str) -> None:
    from multidb_chat.cli.memory import write_facts
    from multidb_chat.services.recalling.reading import recalled_rows

    application = chat.application
    write_facts(chat.console, await application.pinned_facts.all(application.account))
    if chat.conversation_id is not None:
        _write_rows(chat, recalled_rows(await application.recollection.of(application.account, chat.conversation_id)))


def _write_rows(chat: "PlainChat", rows: "Rows") -> None:
    for name, value in rows:
        chat.console.write(f"{name}: {value}")


async def _quit(chat: "PlainChat", argument: str) -> None:
    chat.leaving = True


RUN: Mapping[str, Callable[["PlainChat", str], Awaitable[None]]] = {
    "/sources": _sources,
    "/open": _open,
    "/why": _why,
    "/retry": _retry,
    "/rate": _rate,
    "/feedback": _feedback,
    "/my-feedback": _my_feedback,
    "/conversations": conversations.conversations,
    "/new": _new,
    "/resume": conversations.resume,
    "/rename": conversations.rename,
    "/fork": conversations.fork,
    "/export": conversations.export,
    "/stats": _stats,
    "/session-stats": _session_stats,
    "/clear-cache": _clear_cache,
    "/model": _model,
    "/remember": _remember,
    "/forget": _forget,
    "/memory": _memory,
    "/docs": _docs,
    "/research": _research,
    "/analyze": _analyze,
    "/tasks": _tasks,
    "/notifications": _notifications,
    "/help": _help,
    "/quit": _quit,
}
