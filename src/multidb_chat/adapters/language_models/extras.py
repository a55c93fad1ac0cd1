"""Libraries that are installed only where a language model needs them."""

import sys
from importlib.util import find_spec

from multidb_chat.domain.errors import InvalidSetting


def require(package: str, *modules: str) -> None:
    """Raise `InvalidSetting` that says how to install a package, when one of these modules of it is missing."""
    for module in modules:
        if not _is_here(module):
            raise InvalidSetting(
                f"{module} is not installed, which this model needs: {sys.executable} -m pip install '{package}'"
            )


def _is_here(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False
