"""The search index: full text (SQLite FTS5) and vectors (memory-mapped files) of one installation, in one folder.

It is derived from the library and never the truth: it follows the library's change sequence, may be deleted at any
time, and rebuilds itself. `index` is the port and follows the library; `engine` is what runs on its threads: `writer`
brings changes in, `full_text` and `similarity` find. These two share what is remembered of one state of the index
(`memory`: `keys`, `masks`, `postings`). Below are the rows (`tables`, `segments`), the files (`vectors`), and what full
text search understands of a text (`words`).
"""

from multidb_chat.adapters.search_index.index import EmbeddedSearchIndex

__all__ = ["EmbeddedSearchIndex"]
