"""Python: exact spans of functions, methods and classes by the language's own parser."""

import ast
import warnings
from collections.abc import Iterator
from itertools import accumulate

from multidb_chat.domain.reading import Block

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# A class up to this size is one block; a larger one is cut into its methods.
_WHOLE_CLASS = 1200


def python_blocks(text: str) -> list[Block] | None:
    """Return the definitions in a Python text, in order, None when it is no Python (of this interpreter's version)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Invalid escapes in someone else's strings.
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    # The parser knows "\n" alone as a line end here: the text has no other, but form feeds do not end a line for it.
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    return list(_blocks(tree, starts, len(text), ""))


def _blocks(parent: ast.AST, starts: list[int], length: int, prefix: str) -> Iterator[Block]:
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, _Definition):
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        start, end = starts[first - 1], min(starts[node.end_lineno or node.lineno], length)
        name = f"{prefix}{node.name}"
        inner = list(_blocks(node, starts, length, f"{name}.")) if isinstance(node, ast.ClassDef) else []
        if inner and end - start > _WHOLE_CLASS:
            yield Block(start, inner[0].start, "function", label=name)
            yield from inner
        else:
            yield Block(start, end, "function", label=name)
