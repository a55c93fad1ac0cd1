"""The log file."""

import logging
from logging import LogRecord
from pathlib import Path

from multidb_chat.domain.text import clean_line

LARGEST = 1_000_000
_FORM = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


class LogFile(logging.Handler):
    """Appends lines to a file, made with its folder at the first of them; beyond a megabyte it begins a new one.

    A log that cannot be written is no reason to fail.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.setFormatter(logging.Formatter(_FORM))

    def emit(self, record: LogRecord) -> None:
        """Append one record; tracebacks keep their lines."""
        try:
            head, *rest = self.format(record).splitlines() or [""]
            text = "\n".join([clean_line(head), *("    " + clean_line(line) for line in rest)])
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > LARGEST:
                self._path.replace(self._path.with_suffix(".log.1"))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError:
            pass
