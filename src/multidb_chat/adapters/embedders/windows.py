"""Cutting the tokens of a long text into windows that a model can read."""

from collections.abc import Iterator
from typing import Any


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


def text_windows(tokenizer: Any, text: str, room: int) -> list[str]:
    """Cut a text that is longer than `room` tokens into overlapping parts of it, by a tokenizer of transformers."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    given = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets = [tuple(offset) for offset in given["offset_mapping"]]
    if len(offsets) <= room:
        return [text]
    cut = windows(list(range(len(offsets))), room, room // 8)
    return [text[offsets[tokens[0]][0] : offsets[tokens[-1]][1]] for tokens in cut]
