"""Commands about an answer: the one that has the focus, else the last one."""

import re
from typing import TYPE_CHECKING

from multidb_chat.domain.text import clean
from multidb_chat.services.wording import counted
from multidb_chat.tui.messages import Submitted

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen
    from multidb_chat.tui.widgets.exchange import Exchange

_BLOCK = re.compile(r"^ {0,3}(```|~~~)[^\n]*\n(.*?)^ {0,3}\1", re.MULTILINE | re.DOTALL)
_RATINGS = {"+": 1, "good": 1, "up": 1, "1": 1, "-": -1, "bad": -1, "down": -1, "-1": -1}


async def sources(chat: "ChatScreen", argument: str) -> None:
    """Show or hide the sources panel: beside the chat where there is room, else over it."""
    chat.toggle_sources()


async def why(chat: "ChatScreen", argument: str) -> None:
    """Show how the answer came about."""
    from multidb_chat.tui.screens.why import WhyScreen

    exchange = chat.transcript.current
    if exchange is None or exchange.answer is None:
        chat.say("There is no answer yet to explain.")
    else:
        chat.app.push_screen(WhyScreen(exchange.answer))


async def open_(chat: "ChatScreen", argument: str) -> None:
    """Open the passage behind the citation with this number, else the first one."""
    from multidb_chat.tui.screens.passage import PassageScreen
    from multidb_chat.tui.wording import shown

    exchange = chat.transcript.current
    citations = shown(exchange.answer) if exchange is not None and exchange.answer is not None else ()
    numbers = [citation.number for citation in citations]
    if not citations:
        chat.say("There is no answer with sources yet.")
    elif argument and argument.strip("[]") not in {str(number) for number in numbers}:
        chat.say(f"This answer has no source {argument[:20]}; it has {', '.join(f'[{number}]' for number in numbers)}.")
    else:
        at = numbers.index(int(argument.strip("[]"))) if argument else 0
        chat.app.push_screen(PassageScreen(chat.serving, citations, at))


async def copy(chat: "ChatScreen", argument: str) -> None:
    """Copy the answer, or the code block with this number in it, to the clipboard of the terminal."""
    exchange = chat.transcript.current
    if exchange is None or exchange.answer is None:
        chat.say("There is no answer yet to copy.")
        return
    # Clean: what is pasted elsewhere, into a shell perhaps, must not act there either.
    text = clean(exchange.answer.text)
    if not argument:
        chat.app.copy_to_clipboard(text)
        chat.say("The answer is copied, if this terminal lets programs use its clipboard (OSC 52).")
        return
    blocks = [match[2] for match in _BLOCK.finditer(f"{text}\n")]
    if not argument.isdecimal() or not 1 <= int(argument) <= len(blocks):
        chat.say(f"This answer has {counted(len(blocks), 'code block') if blocks else 'no code blocks'}.")
        return
    chat.app.copy_to_clipboard(blocks[int(argument) - 1])
    chat.say(f"Code block {int(argument)} is copied.")


async def retry(chat: "ChatScreen", argument: str) -> None:
    """Answer the question again, without the cache; the answer before stays beside the new one."""
    exchange = await _asked(chat)
    if exchange is not None:
        chat.composer.area.focus()
        await chat.turns.ask(Submitted(exchange.question, instead_of=exchange), use_cache=False)


async def edit(chat: "ChatScreen", argument: str) -> None:
    """Put the question into the box again; what is sent stands beside the first one."""
    exchange = await _asked(chat)
    if exchange is not None:
        chat.composer.edit(exchange)


async def _asked(chat: "ChatScreen") -> "Exchange | None":
    """Return the question to ask again; None, and say so, where there is none or one is being answered."""
    if chat.turns.running:
        chat.say("An answer is still coming; Esc stops it.")
        return None
    exchanges = chat.transcript.exchanges
    focused = [one for one in exchanges if one.has_focus]
    if not exchanges:
        chat.say("There is no question yet to ask again.")
    return next(iter(focused or exchanges[-1:]), None)


async def other(chat: "ChatScreen", argument: str) -> None:
    """Show the answer before (<) or after (>) this one, where a question was asked again."""
    exchanges = chat.transcript.exchanges
    several = [one for one in exchanges if one.has_focus] or [one for one in exchanges if one.versions][-1:]
    if argument not in ("", "<", ">"):
        chat.say("Say which: /other < or /other >")
    elif not several or not await chat.turns.walk(several[0], 1 if argument == ">" else -1):
        chat.say("There is no other answer on this side. /retry and /edit make one.")


async def rate(chat: "ChatScreen", argument: str) -> None:
    """Rate the answer: + or -, with a comment behind it."""
    sign, _, comment = argument.partition(" ")
    exchange = chat.transcript.current
    answer = exchange.answer if exchange is not None else None
    if sign.lower() not in _RATINGS:
        chat.say("Say how it was: /rate + or /rate -, with a comment if you like.")
    elif exchange is None or answer is None:
        chat.say("There is no answer yet to rate.")
    elif answer.conversation_id is None or answer.message_id is None:
        chat.say("This answer is not stored, so that a rating has nothing to belong to.")
    else:
        services = await chat.serving.services()
        given = await services.feedback.rate(
            services.account, answer.conversation_id, answer.message_id, _RATINGS[sign.lower()], comment.strip()
        )
        exchange.rated(given.rating, given.comment)
