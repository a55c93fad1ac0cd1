"""The search index: full text (SQLite FTS5) and vectors (memory-mapped files) of one installation, in one folder.

It is derived from the library and never the truth: it follows the library's change sequence, may be deleted at any
time, and rebuilds itself. `index` is the port, `follower` reads the library, `tables` holds the rows, `passages` and
`vectors` find, `words` turns text into what full text search understands.
"""

from multidb_chat.adapters.search_index.index import EmbeddedSearchIndex

__all__ = ["EmbeddedSearchIndex"]
