"""White space in HTML: which elements stand on lines of their own, and how the rest runs together."""

import re

BLOCK_TAGS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
BREAK = "\x01"  # Stands for <br> until white space is folded.
_SPACE = re.compile(r"\s+")
_LINES = re.compile(r" *\n *")


def folded(text: str) -> str:
    """Return text with white space folded as a browser does, and a line break where `<br>` stood."""
    return _LINES.sub("\n", _SPACE.sub(" ", text).replace(BREAK, "\n")).strip()
