"""Which words of a question are searched."""

from multidb_chat.domain.words import is_unspaced, words_of

# English function words and the words questions are made of: they say nothing about what is asked. In other languages
# such words are common in the collection itself, so that BM25 weighs them low.
_ENGLISH = """
    a about all also am an and any are as at be been being both but by can could did do does each few for from had has
    have he her here him his how i if in into is it its me more most my no nor not of on only or other our own same she
    should so some such than that the their them then there these they this those through to too upon us very was we
    were what when where which while who whom whose why will with within would you your
"""
STOP_WORDS = frozenset(_ENGLISH.split())
# Words searched for: a question has fewer; of a pasted page these are enough to find what it is about.
MOST_WORDS = 64
# How much of a question is looked at, in characters.
MOST_CHARACTERS = 20_000


def searched(question: str) -> list[str]:
    """Return the FTS5 terms of a question, each once: its words but the stop words, unless it has no others."""
    words = list(dict.fromkeys(words_of(question[:MOST_CHARACTERS])))
    telling = [word for word in words if word not in STOP_WORDS] or words
    return [_term(word) for word in telling[:MOST_WORDS]]


def _term(word: str) -> str:
    """Quote a word: nothing in it can be syntax. A single character of a script without spaces is a beginning."""
    return f'"{word}" *' if len(word) == 1 and is_unspaced(word) else f'"{word}"'
