"""Text that comes from outside: the one terminal sanitiser, and the normal form under which questions are equal."""

import re
import unicodedata

# Everything that can move the cursor, recolour, reorder or hide text: C0 but tab and newline, DEL, C1, zero-width and
# bidirectional controls (Unicode TR 36 and CVE-2021-42574), interlinear annotation, tag characters and lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# Whole escape sequences go with their parameters, so that no "[31m" is left behind (ECMA-48: OSC and DCS strings, CSI,
# two-byte ones). An unterminated one loses only its introducer: it must not hide the text behind it. A string ends
# before the next introducer, so that many unterminated ones are not each read to the end of the text (linear time).
_SEQUENCE = re.compile(
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9c-\x9f\n]{0,4096}(?:\x1b\\\\|\x9c)"
    "|(?:\x1b\\[|\x9b)(?:[0-?]*[ -/]*[@-~])?"
    "|\x1b(?:[ -/]*[0-~])?"
)


def clean(text: str) -> str:
    """Return `text` as it may be shown on a terminal: no control, escape, bidirectional or invisible characters.

    Newlines and tabs stay; `\\r\\n` and lone `\\r` become newlines.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSAFE.sub("", _SEQUENCE.sub("", text))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line, white space folded: for titles, file names and error messages."""
    return " ".join(clean(text).split())


def as_sentence(text: str) -> str:
    """Return `text` with a full stop where no mark ends it, so that another sentence can follow."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def normalise_question(text: str) -> str:
    """Return the form under which questions are equal: NFKC, case-folded, spaces and final marks folded."""
    folded = unicodedata.normalize("NFKC", clean(text)).casefold()
    return " ".join(folded.split()).rstrip(" ?!.…")
