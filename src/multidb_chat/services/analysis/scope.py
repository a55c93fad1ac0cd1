"""What a description is about: collections that it names, and the words that are left."""

import re
from collections.abc import Sequence

from multidb_chat.domain.library import Collection
from multidb_chat.services.answering.lexicon import LIGHT_WORDS
from multidb_chat.services.answering.words import Words, is_function_word

# Words that ask for an analysis and do not say what of.
_ASKING = {
    *("analyse", "analyze", "analysis", "statistic", "statistics", "stats", "report", "overview", "summary", "count"),
    *("collection", "collections", "library", "corpus", "document", "documents", "file", "files", "text", "texts"),
    *("frequency", "frequencies", "number", "numbers"),
}


def named_in(description: str, collections: Sequence[Collection]) -> list[Collection]:
    """Return the collections whose names stand in the description as whole words, or with `#` before them."""
    return [one for one in collections if _mention(one.name).search(description)]


def focus_of(description: str, named: Sequence[Collection], words: Words) -> dict[str, str]:
    """Return the words that the description is about, by their normal form, without the collections' names."""
    for collection in named:
        description = _mention(collection.name).sub(" ", description)
    found: dict[str, str] = {}
    for token in words.tokens(description):
        written = description[token.start : token.end]
        plain = written.lower()
        empty = is_function_word(plain) or plain in LIGHT_WORDS or plain in _ASKING
        if not empty and len(written) > 1:
            found.setdefault(token.key, written)
    return found


def _mention(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)#?{re.escape(name)}(?!\w)", re.IGNORECASE)
