"""How many tokens a text is, about, where no provider tells."""

TOKEN_BYTES = 4
"""About so many bytes of UTF-8 are a token: four letters of English, and less of what other scripts say."""


def size(text: str) -> int:
    """Return the bytes of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def tokens(text: str) -> int:
    """Return about how many tokens a text is."""
    return tokens_of(size(text))


def tokens_of(bytes_: int) -> int:
    """Return about how many tokens so many bytes are."""
    return -(-bytes_ // TOKEN_BYTES)
