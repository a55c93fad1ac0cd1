"""Readers of files: every format to text with structure, in a process of its own.

`client.SubprocessReader` is the port's adapter and `process` its hold on a worker; `worker` is what runs in the other
process, `sandbox` what confines it; `parsing` finds the format and `formats/` has one module a family.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multidb_chat.adapters.readers.client import SubprocessReader

__all__ = ["SubprocessReader"]


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: the workers, which import this package too, start faster without it."""
    if name != "SubprocessReader":
        raise AttributeError(name)
    from multidb_chat.adapters.readers.client import SubprocessReader

    return SubprocessReader
