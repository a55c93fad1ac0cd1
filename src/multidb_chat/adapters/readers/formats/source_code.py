"""Source code: the text exactly as in the file, functions and classes as blocks with their qualified names."""

import re
from collections.abc import Iterator

from multidb_chat.adapters.readers.drafting import covering, finished
from multidb_chat.adapters.readers.formats.python_code import python_blocks
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.reading import Block, ParsedDocument

_NAMES = {
    "py": "python",
    "pyi": "python",
    "js": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "jsx": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "rs": "rust",
    "rb": "ruby",
    "cs": "c#",
    "cc": "c++",
    "cpp": "c++",
    "cxx": "c++",
    "hpp": "c++",
    "h": "c",
    "kt": "kotlin",
    "pl": "perl",
    "sh": "shell",
    "bash": "shell",
    "yml": "yaml",
}
# A line at the left margin that opens a definition in most languages with braces or with `end`.
_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([a-z]+\))?|unsafe|extern"
    r"|sealed|partial|open|override|inline|virtual|const|data|local)\s+)*"
    r"(?:function\*?|func|fn|def|class|interface|struct|enum|trait|impl(?:<[^>\n]{0,80}>)?|object|module|record|protocol"
    r"|extension|namespace|sub|type)\s+(?:\([^)\n]{0,80}\)\s*)?(?P<name>[A-Za-z_$][\w$.:!?]*)"
)
# C and its kin name no keyword: `type name(arguments)` and then no semicolon.
_C_FUNCTION = re.compile(
    r"[A-Za-z_][\w\s*&:<>,\[\]]{0,120}?[\s*&](?P<name>~?[A-Za-z_][\w:~]*)\s*\([^;{}]{0,500}\)[^;{}]{0,80}\{"
)
_SHELL_FUNCTION = re.compile(r"(?P<name>[A-Za-z_][\w-]*)\s*\(\)\s*\{?")
_C_LIKE = {"c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "m", "mm", "java", "cs", "cu", "dart"}
_SHELLS = {"sh", "bash", "zsh"}
_NO_FUNCTIONS = {
    "css",
    "scss",
    "less",
    "toml",
    "yaml",
    "yml",
    "ini",
    "cfg",
    "conf",
    "properties",
    "sql",
    "cmake",
    "mk",
    "tf",
}
_STATEMENTS = {"if", "else", "for", "while", "switch", "return", "do", "catch", "using", "namespace"}
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_CLOSES = re.compile(r"(?:[})\]]+[;,)]*|end)\s*(?:$|//|#|--)")


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the file as a document titled by its name."""
    text, suffix = source.text, source.suffix
    found = python_blocks(text) if suffix in ("py", "pyi") else None
    if found is None:
        found = [] if suffix in _NO_FUNCTIONS else list(_definitions(text, suffix))
    blocks = covering(text, _with_code_between(text, found))
    name = source.name.rpartition("/")[2]
    yield finished(
        source,
        "code",
        text,
        blocks,
        title=f"{name} ({_NAMES.get(suffix, suffix)})",
        metadata={"programming_language": _NAMES.get(suffix, suffix)},
    )


def _with_code_between(text: str, functions: list[Block]) -> Iterator[Block]:
    """Yield the functions, and what is between them as blocks of code, one a paragraph."""
    at = 0
    for function in [*functions, Block(len(text), len(text), "function")]:
        for match in _PARAGRAPH.finditer(text, at, function.start):
            yield Block(match.start(), match.end(), "code")
        if function.end > function.start:
            yield function
        at = function.end


def _definitions(text: str, suffix: str) -> Iterator[Block]:
    """Yield the definitions that begin at the left margin; each ends at its closing line or before the next one.

    A guess by the look of the lines: right for code that is laid out as usual, never wrong about the text itself.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    open_at, name = -1, ""
    for place, start in enumerate(starts):
        stop = starts[place + 1] if place + 1 < len(starts) else len(text)
        if start >= stop or text[start] in " \t\n":
            continue
        found = _defined(text, start, stop, suffix)
        if found and open_at >= 0:
            yield Block(open_at, start, "function", label=name)
        if found:
            open_at, name = start, found
        elif open_at >= 0 and _CLOSES.match(text, start, stop):
            yield Block(open_at, stop, "function", label=name)
            open_at = -1
    if open_at >= 0:
        yield Block(open_at, len(text), "function", label=name)


def _defined(text: str, start: int, stop: int, suffix: str) -> str:
    """Return the name that the line from `start` to `stop` defines, "" when it defines none."""
    match = _DEFINITION.match(text, start, stop)
    if not match and suffix in _C_LIKE and text.find("(", start, stop) >= 0:
        match = _C_FUNCTION.match(text, start, min(len(text), start + 700))
    if not match and suffix in _SHELLS:
        match = _SHELL_FUNCTION.match(text, start, stop)
    name = match["name"].rstrip(":") if match else ""
    return "" if name in _STATEMENTS else name
