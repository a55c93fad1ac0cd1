"""How citations and strengths are put into words, the same wherever they are shown."""

from typing import TYPE_CHECKING

from textual.content import Content

from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.domain.signing_in import Strength
    from multidb_chat.domain.turns import Answer, Citation

CITED = "$text-accent on $accent-muted"
"""The style of cited words in what surrounds them."""
MUTED = "$foreground 65%"
"""The style of what matters less, for pieces of a text; `$text-muted` has its meaning in style sheets alone."""


def place(citation: "Citation") -> str:
    """Return where a passage is: title and page."""
    return title(citation) + page(citation)


def title(citation: "Citation") -> str:
    """Return what the document of a passage is called."""
    return clean_line(citation.title) or clean_line(citation.document_name)


def page(citation: "Citation") -> str:
    """Return the page of a passage as it stands behind the title; empty where there are no pages."""
    return "" if citation.page is None else f", p. {citation.page}"


def headings(citation: "Citation") -> str:
    """Return the path of headings above a passage, without the title said again."""
    path = [clean_line(heading) for heading in citation.headings]
    return " › ".join(path[1:] if path[:1] == [clean_line(citation.title)] else path)


def shown(answer: "Answer") -> "tuple[Citation, ...]":
    """Return the passages to show with an answer: those it cites, or what came nearest when there is none."""
    return answer.citations if answer.found else answer.nearest


_STRENGTHS = (
    ("very weak", "$text-error"),
    ("weak", "$text-error"),
    ("fair", "$text-warning"),
    ("good", "$text-success"),
    ("strong", "$text-success"),
)


def strength_of(strength: "Strength") -> Content:
    """Return how strong a password is: a bar, a word, and a line of advice."""
    word, style = _STRENGTHS[strength.score]
    bar = "━" * (strength.score + 1) + "─" * (len(_STRENGTHS) - 1 - strength.score)
    hint = f"  {clean_line(strength.hint)}" if strength.hint else ""
    return Content.styled(f"{bar} {word}", style) + Content.styled(hint, MUTED)
