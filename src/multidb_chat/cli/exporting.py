"""Writing an exported document."""

from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.cli.console import Console, Exit

if TYPE_CHECKING:
    from multidb_chat.services.exporting import Export


def put(console: Console, export: "Export", output: str) -> Exit:
    """Write the export to a file, which appears whole or not at all, or to standard output (`-`).

    Raises `InvalidInput` when the file cannot be written.
    """
    if output == "-":
        console.write_bytes(export.content)
        return Exit.DONE
    from multidb_chat.services.exporting import write_whole

    target = Path(output)
    write_whole(target, export.content)
    console.tell(f"wrote {target}")
    return Exit.DONE
