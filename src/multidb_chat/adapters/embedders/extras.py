"""Libraries that are installed only where they are wanted."""

import platform
import sys
from importlib.util import find_spec
from pathlib import Path

from multidb_chat.domain.errors import InvalidSetting


def missing(*modules: str) -> list[str]:
    """Return the modules that are not installed, without loading any."""
    return [name for name in modules if find_spec(name) is None]


def accelerator_at_hand() -> bool:
    """Tell whether an NVIDIA card or an Apple graphics processor seems to be here, without loading a library."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(Path(place).exists() for place in ("/dev/nvidiactl", "/proc/driver/nvidia/version"))


def require_stella(*modules: str) -> None:
    """Raise `InvalidSetting` that says how to install the extra `stella` when one of these modules of it is missing."""
    if lacking := missing(*modules):
        raise InvalidSetting(
            f"{lacking[0]} is not installed; it comes with the extra `stella`:"
            f" {sys.executable} -m pip install 'torch>=2.9' 'sentence-transformers>=5.1'"
        )
