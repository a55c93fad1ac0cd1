"""Cutting the tokens of a long text into windows that a model can read."""

from collections.abc import Iterator


def windows(tokens: list[int], room: int, overlap: int) -> Iterator[list[int]]:
    """Yield windows of equal length (but for rounding) that cover all tokens; one if they fit into `room`.

    They overlap by `overlap` tokens, so that a sentence on the border is whole in one of them. Equal lengths, rather
    than full windows and a rest, so that the end of a text is read with as much context.
    """
    if len(tokens) <= room:
        yield tokens
        return
    new = len(tokens) - overlap
    stride = -(-new // -(-new // (room - overlap)))
    for start in range(0, new, stride):
        yield tokens[start : start + stride + overlap]
