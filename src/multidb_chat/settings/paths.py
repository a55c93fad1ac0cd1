"""Where the program keeps its files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from multidb_chat.domain.errors import InvalidSetting

APPLICATION = "multidb-chat"
HOME_VARIABLE = "MULTIDB_CHAT_HOME"


class Paths(NamedTuple):
    """The configuration file and the folders for data (the truth), cache (may be deleted) and logs, all absolute.

    None of them need exist.
    """

    config_file: Path
    data: Path
    cache: Path
    logs: Path


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Return the paths: all below `MULTIDB_CHAT_HOME` where it is set, else where the operating system wants them.

    Raises `InvalidSetting` when there is no home folder to put them in.
    """
    home = environ.get(HOME_VARIABLE, "")
    if not home:
        return _of_the_system()
    try:
        folder = Path(os.path.expanduser(home)).absolute()
    except OSError as error:
        raise InvalidSetting(f"environment {HOME_VARIABLE}: the working folder is gone ({error.strerror})") from error
    return Paths(folder / "config.toml", folder / "data", folder / "cache", folder / "logs")


def _of_the_system() -> Paths:
    # Without HOME the user database is asked; containers run under user numbers that nobody entered there.
    if os.environ.get("HOME") == "" or not os.path.isabs(os.path.expanduser("~")):
        raise InvalidSetting(
            f"there is no home folder to keep files in: set HOME, or {HOME_VARIABLE} to a folder for this program"
        )
    from platformdirs import PlatformDirs

    dirs = PlatformDirs(APPLICATION, appauthor=False)
    return Paths(dirs.user_config_path / "config.toml", dirs.user_data_path, dirs.user_cache_path, dirs.user_log_path)
