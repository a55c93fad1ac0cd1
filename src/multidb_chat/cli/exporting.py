"""Writing an exported document."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.cli.console import Console, Exit
from multidb_chat.domain.errors import InvalidInput

if TYPE_CHECKING:
    from multidb_chat.services.exporting import Export


def put(console: Console, export: "Export", output: str) -> Exit:
    """Write the export to a file, which appears whole or not at all, or to standard output (`-`).

    Raises `InvalidInput` when the file cannot be written.
    """
    if output == "-":
        console.write_bytes(export.content)
        return Exit.DONE
    target = Path(output)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
            target.write_bytes(export.content)
        else:
            beside.write_bytes(export.content)
            beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidInput(f"{output}: it cannot be written ({error.strerror})") from error
    console.tell(f"wrote {target}")
    return Exit.DONE
