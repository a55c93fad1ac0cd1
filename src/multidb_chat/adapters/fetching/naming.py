"""What a fetched file is called: as the server says, as the URL ends, with a suffix that fits its type."""

import mimetypes
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote

from multidb_chat.adapters.fetching.addresses import Target
from multidb_chat.domain.text import clean_line

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "text/xml": ".xml",
}
_LONGEST = 200


def file_name(goal: Target, headers: Message) -> str:
    """Return a name without folders and control characters."""
    stated = headers.get_filename() or ""
    last = stated or unquote(goal.path.partition("?")[0]).rstrip("/")
    name = clean_line(last.replace("\\", "/").rpartition("/")[2]).strip(". ") or goal.host
    # A host's or a page's name may hold a dot that begins no suffix: only known ones count.
    media_type = headers.get_content_type() if "Content-Type" in headers else ""
    known = mimetypes.guess_type(name)[0] or PurePosixPath(name).suffix.lower() in (".md", ".rst", ".jsonl", ".ipynb")
    if not known or name == goal.host:
        name += _SUFFIXES.get(media_type) or mimetypes.guess_extension(media_type) or ""
    return name[-_LONGEST:]
