"""Settings: defaults < configuration file < environment < flags, each value with where it came from.

`load_settings` gives the frozen tree `Settings`; the sections' fields are the only place where a setting is defined.
"""

from multidb_chat.settings.loading import Settings, load_settings
from multidb_chat.settings.paths import Paths, find_paths
from multidb_chat.settings.sections import (
    Answers,
    Embedder,
    Guest,
    Ingest,
    Log,
    Login,
    Model,
    Plans,
    Retention,
    Search,
    Stores,
    Tui,
)

__all__ = [
    "Answers",
    "Embedder",
    "Guest",
    "Ingest",
    "Log",
    "Login",
    "Model",
    "Paths",
    "Plans",
    "Retention",
    "Search",
    "Settings",
    "Stores",
    "Tui",
    "find_paths",
    "load_settings",
]
