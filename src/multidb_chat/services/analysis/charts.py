"""Bars and lines made of characters, for tables in a terminal and in Markdown alike."""

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"
_STEPS = "▁▂▃▄▅▆▇█"


def bar(value: float, most: float, width: int = 20) -> str:
    """Return a bar as long as the value's share of `most`, to an eighth of a character; something for more than 0."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(8 * width * min(value / most, 1.0)))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def sparkline(values: Sequence[float]) -> str:
    """Return one character a value, higher for larger ones; the lowest step for 0."""
    most = max(values, default=0.0)
    if most <= 0:
        return _STEPS[0] * len(values)
    return "".join(_STEPS[min(7, int(8 * max(value, 0.0) / most))] for value in values)
