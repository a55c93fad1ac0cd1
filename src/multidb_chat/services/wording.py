"""How numbers, spans of time and sizes are put into words, the same in the shell and in the app."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 document`, `1,400 documents`.

    `plural` is what is said of several where that is not the noun with an s: `2 entries`, `2 things are`.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def span(seconds: float) -> str:
    """Return a span of time as `42 s`, `3 min` or `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def duration(milliseconds: float) -> str:
    """Return how long something took: `40 ms`, from a second on `2.5 s`."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.3g} s"


def size(number: int) -> str:
    """Return a number of bytes as `812 B`, `14 kB`, `3.2 MB` or `1.5 GB` (powers of 1,000)."""
    if number < 1_000:
        return f"{number} B"
    if number < 999_500:
        return f"{number / 1e3:.0f} kB"
    return f"{number / 1e6:.1f} MB" if number < 999_950_000 else f"{number / 1e9:.1f} GB"
