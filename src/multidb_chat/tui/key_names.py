"""How keys are written, the same wherever they are: as they are on the keyboard in the help, short in the last line."""

_NAMES = {
    "escape": "Esc",
    "delete": "Del",
    "pageup": "PageUp",
    "pagedown": "PageDown",
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


def key_name(key: str) -> str:
    """Return a key of a binding as people write it: `ctrl+l` is Ctrl+L, `escape` Esc; a letter stays as it is."""
    *held, last = key.split("+")
    name = _NAMES.get(last, last if len(last) == 1 and not held else last.capitalize())
    return "+".join([*(one.capitalize() for one in held), name])


def short_key_name(key: str) -> str:
    """Return it where room is scarce: Ctrl+L is ^L."""
    return key_name(key).replace("Ctrl+", "^")
