"""Which format a source has: its content decides, its name and content type help where the content is plain text."""

import re
import zipfile

from multidb_chat.adapters.readers.source import Refusal, Source

# Suffixes of programming languages and of the files that are read like them: see `formats/source_code.py`.
CODE_SUFFIXES = frozenset(
    [
        "py",
        "pyi",
        "js",
        "mjs",
        "cjs",
        "jsx",
        "ts",
        "tsx",
        "java",
        "kt",
        "kts",
        "scala",
        "groovy",
        "c",
        "h",
        "cc",
        "cpp",
        "cxx",
        "hpp",
        "hh",
        "hxx",
        "m",
        "mm",
        "cs",
        "go",
        "rs",
        "rb",
        "php",
        "swift",
        "sh",
        "bash",
        "zsh",
        "fish",
        "ps1",
        "pl",
        "pm",
        "r",
        "jl",
        "lua",
        "sql",
        "hs",
        "ml",
        "mli",
        "ex",
        "exs",
        "erl",
        "clj",
        "cljs",
        "lisp",
        "el",
        "scm",
        "dart",
        "zig",
        "nim",
        "v",
        "sv",
        "vhd",
        "vhdl",
        "f",
        "f90",
        "f95",
        "pas",
        "asm",
        "s",
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
        "cmake",
        "mk",
        "gradle",
        "tf",
        "proto",
        "graphql",
        "vue",
        "svelte",
        "tcl",
        "vb",
        "cu",
    ]
)
_BY_SUFFIX = {
    **dict.fromkeys(("md", "markdown", "mkd", "mdown", "qmd", "rmd"), "markdown"),
    **dict.fromkeys(("html", "htm", "xhtml", "shtml"), "html"),
    **dict.fromkeys(("rst", "rest"), "rst"),
    **dict.fromkeys(("csv", "tsv", "tab"), "csv"),
    **dict.fromkeys(("jsonl", "ndjson"), "jsonl"),
    **dict.fromkeys(("xml", "rss", "atom", "rdf"), "xml"),
    **dict.fromkeys(("json", "ipynb", "eml", "mbox"), ""),
    **dict.fromkeys(("txt", "text", "log"), "text"),
    **dict.fromkeys(CODE_SUFFIXES, "source_code"),
}
_BY_SUFFIX.update({suffix: suffix for suffix, kind in _BY_SUFFIX.items() if not kind})
_BY_CONTENT_TYPE = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
    "message/rfc822": "eml",
    "application/mbox": "mbox",
    "text/x-rst": "rst",
}
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM", b"\x00\x00\x01\x00")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(rb"\s*<\?xml\s")
_MAIL = re.compile(rb"(?:[A-Za-z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){3}")
_MAIL_FIELDS = (b"from:", b"date:", b"subject:", b"received:", b"message-id:")
_JSON = re.compile(rb"\s*[\[{]")


def format_of(source: Source) -> str:
    """Return the name of the module in `formats/` that reads the source.

    Raises `Refusal` when it is empty or of no known format.
    """
    if not source.size:
        raise Refusal("empty")
    head = source.head
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(_ZIPS):
        return _in_zip(source)
    if head.startswith(_OLE):
        raise _ole(source)
    if head.startswith(_PICTURES):
        raise Refusal("no text, only images")
    if source.suffix in {"pdf", "docx", "pptx", "xlsx", "epub", "zip"}:
        raise Refusal(f"broken: not a {source.suffix} file")
    return _of_text(source, head.removeprefix(b"\xef\xbb\xbf"))


def _of_text(source: Source, head: bytes) -> str:
    known = _BY_SUFFIX.get(source.suffix, "")
    if known in ("", "text"):
        known = _BY_CONTENT_TYPE.get(source.content_type.partition(";")[0].strip().lower(), known)
    if known in ("", "text", "xml") and _HTML.match(head):
        return "html"
    return known or _looks(head)


def _looks(head: bytes) -> str:
    """Tell the format of a text whose name says nothing."""
    if head.lower().startswith(b"{\\rtf"):
        raise Refusal("unknown format")
    if _XML.match(head):
        return "xml"
    if _MAIL.match(head.replace(b"\r\n", b"\n")) and sum(name in head.lower() for name in _MAIL_FIELDS) >= 3:
        return "eml"
    return "json" if _JSON.match(head) else "text"


def _in_zip(source: Source) -> str:
    source.file.seek(0)
    try:
        with zipfile.ZipFile(source.file) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError, EOFError):
        raise Refusal("broken: not a readable zip archive") from None
    for part, name in (("word/document.xml", "docx"), ("ppt/presentation.xml", "pptx"), ("xl/workbook.xml", "xlsx")):
        if part in names:
            return name
    if kind.startswith(b"application/epub+zip") or "META-INF/container.xml" in names:
        return "epub"
    if kind.startswith(b"application/vnd.oasis.opendocument"):
        return "odt"
    return "archive"


def _ole(source: Source) -> Refusal:
    """Tell an Office file with a password (ECMA-376 wraps it in the old container) from one of the old formats."""
    if "EncryptedPackage".encode("utf-16-le") in source.data:
        return Refusal("needs a password")
    return Refusal("an old Office format: save it as docx, pptx or xlsx")
