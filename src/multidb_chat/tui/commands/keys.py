"""The keys of an answer that has the focus: each carries out a command on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A key, the command it carries out with its argument, and what the help says; `shown` ones are in the footer."""

    key: str
    display: str
    command: str
    argument: str = ""
    label: str = ""
    help: str = ""
    shown: bool = True

    @property
    def action(self) -> str:
        """The action that Textual calls."""
        return f"screen.command({self.command!r}, {self.argument!r})"


ANSWER_KEYS = (
    AnswerKey("enter,o", "Enter", "/open", "", "Open", "Open the first cited passage"),
    *(AnswerKey(str(n), str(n), "/open", str(n), f"Open [{n}]", shown=False) for n in range(1, 10)),
    AnswerKey("r", "r", "/retry", "", "Retry", "Answer again, without the cache"),
    AnswerKey("e", "e", "/edit", "", "Edit", "Change the question and ask again"),
    AnswerKey("c", "c", "/copy", "", "Copy", "Copy the answer"),
    AnswerKey("plus", "+", "/rate", "+", "Good", "The answer is good"),
    AnswerKey("minus", "-", "/rate", "-", "Bad", "The answer is bad"),
    AnswerKey("less_than_sign", "<", "/other", "<", "Before", "The answer before this one, of several"),
    AnswerKey("greater_than_sign", ">", "/other", ">", "After", "The answer after this one"),
    AnswerKey("f", "f", "/fork", "", "Fork", "Go on in a copy that ends here", shown=False),
    AnswerKey("w", "w", "/why", "", "Why", "How the answer came about", shown=False),
)
