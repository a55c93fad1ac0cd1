"""What somebody does from the first question on: steps of the story, in a real terminal."""

from pathlib import Path

from tests.tui.terminal import Terminal

ADDRESS, PASSWORD = "ada@example.org", "nine kestrels over barley"
OWN = "# Lighthouse log\n\n## Storms\n\nThe great storm of 1974 broke the lantern of the Fennel lighthouse.\n"
ESCAPE, F3, F5, F9 = "\x1b", "\x1bOR", "\x1b[15~", "\x1b[20~"
COMPOSER = "Ask about your documents"
GUEST_QUESTION, GUEST_ANSWER = "Who founded the Kestrel observatory?", "by Ada Lindqvist"
LAST_QUESTION, LAST_ANSWER = "What do tickets to the Kestrel observatory cost?", "Tickets cost 12 euros"
QUESTION, ANSWER = "What broke the lantern of the Fennel lighthouse?", "The great storm of 1974 broke the lantern"


def ask(terminal: Terminal, question: str, *answer: str) -> None:
    """Ask, and wait for the answer; one that is there already is no sign that the question was sent."""
    terminal.wait(COMPOSER)
    terminal.press(question)
    terminal.wait(question, without=COMPOSER)
    terminal.press("\r")
    terminal.wait(COMPOSER, question, *answer)


def come_in(terminal: Terminal, *labels: str) -> None:
    """Fill in the form and wait until the account's name is on the chat."""
    for label in labels:
        terminal.fill(label, ADDRESS if "address" in label else PASSWORD)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER, without="Enter goes on")


def live_through(terminal: Terminal, folder: Path) -> None:
    """Ask as a guest, register, add a document, ask, rate, research, log out and in, and find it all again."""
    log = folder / "lighthouse.md"
    log.write_text(OWN, encoding="utf-8")

    terminal.wait("what everybody here may see")
    terminal.press("g")
    terminal.wait("multidb-chat · guest")
    ask(terminal, GUEST_QUESTION, GUEST_ANSWER, "[1] ")

    terminal.press("/register\r")
    come_in(terminal, "E-mail address", "Password, 8", "once more")
    terminal.wait(GUEST_ANSWER)  # the guest's conversation stays

    terminal.press(f"/add {log}\r")
    terminal.wait("Enter adds", "lighthouse.md")
    terminal.press("\r")
    terminal.wait(COMPOSER, without="Enter adds")
    terminal.press(F3)
    terminal.wait("Documents · ", "Lighthouse log")
    terminal.press(ESCAPE)

    ask(terminal, QUESTION, f"{ANSWER} of the Fennel lighthouse. [1]", "[1] Lighthouse log")
    terminal.press("/rate + as it was\r")
    terminal.wait("You found this answer good.", "as it was")

    terminal.press("/research the Fennel lighthouse\r")
    terminal.wait("1 unread")
    terminal.press(F9)
    terminal.wait("Inbox · 1, 1 unread", "research: the Fennel")
    terminal.press("\r")
    terminal.wait("Research: the Fennel lighthouse", "The great storm of 1974")
    terminal.press(ESCAPE)
    terminal.wait("Inbox · 1", without="unread")
    terminal.press(ESCAPE)
    terminal.wait(COMPOSER, ANSWER)

    terminal.press("/logout\r")
    terminal.wait("what everybody here may see", without=ANSWER)
    terminal.press("l")
    come_in(terminal, "E-mail address", "Password")
    find_again(terminal)
    ask(terminal, LAST_QUESTION, LAST_ANSWER)  # and it goes on


def find_again(terminal: Terminal) -> None:
    """Open the conversation from the list."""
    terminal.press(F5)
    terminal.wait("Conversations · 1", GUEST_QUESTION[:20])
    terminal.press("\r")
    terminal.wait(COMPOSER, ANSWER, "You found this answer good.", "as it was")
