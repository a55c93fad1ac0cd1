"""From defaults, file, environment and flags to the one tree of settings."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.text import clean_line
from multidb_chat.settings.paths import Paths, find_paths
from multidb_chat.settings.rules import Rule, Value, refuse, rules_of
from multidb_chat.settings.sections import (
    SECTIONS,
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
from multidb_chat.settings.sources import Raw, from_environment, from_file, from_flags

DEFAULT = "default"
RULES: Mapping[str, Rule] = {
    f"{name}.{key}": rule for name, section in SECTIONS.items() for key, rule in rules_of(section).items()
}


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """What settings were read from besides the usual configuration file, so that they can be read again."""

    config_file: Path | None = None
    overrides: Mapping[str, object] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run, by section, and where each value came from (`origin`)."""

    stores: Stores
    search: Search
    answers: Answers
    ingest: Ingest
    embedder: Embedder
    model: Model
    plans: Plans
    login: Login
    guest: Guest
    retention: Retention
    tui: Tui
    log: Log
    paths: Paths
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    read_from: ReadFrom = field(default_factory=ReadFrom, repr=False, compare=False)

    def value(self, key: str) -> Value:
        """Return the value of `section.key`."""
        section, _, name = key.partition(".")
        value: Value = getattr(getattr(self, section), name)
        return value

    def origin(self, key: str) -> str:
        """Return where the value of `section.key` came from: default, `file PATH line N`, `environment NAME`, flag."""
        return self.origins.get(key, DEFAULT)

    def shown_value(self, key: str) -> str:
        """Return the value of `section.key` as it may be shown to people, a secret in it masked."""
        return RULES[key].shown(self.value(key)).strip('"')

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key with its value in TOML's notation, secrets masked, and its origin."""
        for key, rule in RULES.items():
            yield key, rule.shown(self.value(key)), self.origin(key)


def load_settings(
    *,
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings: defaults, then the configuration file, the environment and `overrides` (`section.key`).

    `config_file` replaces the usual one and must exist. Raises `InvalidSetting`: an unknown key, a wrong type or value,
    a file that is not TOML; the message tells where, what was expected, and the nearest key.
    """
    environ = os.environ if environ is None else environ
    paths = find_paths(environ)
    raws = chain(
        from_file(config_file or paths.config_file, required=config_file is not None),
        from_environment(environ, tuple(SECTIONS)),
        from_flags(overrides or {}),
    )
    values, origins = merge(raws)
    trees = {
        name: section(**{key: values[f"{name}.{key}"] for key in rules_of(section) if f"{name}.{key}" in values})
        for name, section in SECTIONS.items()
    }
    read_from = ReadFrom(config_file, dict(overrides or {}), dict(environ))
    return Settings(**trees, paths=paths, origins=origins, read_from=read_from)  # type: ignore[arg-type] # SECTIONS' names


def merge(raws: Iterable[Raw]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the last value of each key and its origin. Raises `InvalidSetting` for what cannot be set."""
    values: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for raw in raws:
        key = ".".join(raw.path)
        rule = RULES.get(key)
        if rule is None:
            raise unknown(raw, key)
        try:
            values[key] = rule.from_text(str(raw.value)) if raw.is_text else rule.check(raw.value)
        except (ValueError, OverflowError) as error:
            raise refuse(raw.origin, key, rule, raw.value) from error
        origins[key] = raw.origin
    return values, origins


def unknown(raw: Raw, key: str) -> InvalidSetting:
    """Return the error for a key that there is not, with the nearest one."""
    shown = clean_line(key)[:80]
    if key in SECTIONS:
        return InvalidSetting(f"{raw.origin}: {shown} is a section: write [{shown}] and its keys below it")
    from difflib import get_close_matches

    # Variables are compared without what all of them begin with, which would make any two of them alike.
    prefix = "MULTIDB_CHAT_" if raw.is_text and raw.origin != "flag" else ""
    known = {rule.replace(".", "_").upper() if prefix else rule: rule for rule in RULES}
    asked = raw.origin.split()[-1].removeprefix(prefix) if prefix else key
    # A key of an older version may have become several.
    if within := [prefix + name for name in known if name.startswith(f"{asked}_")]:
        return InvalidSetting(f"{raw.origin}: there is no setting {shown}; there are {', '.join(within)}")
    # Somebody who forgot or mistook the section still meant the key.
    close = get_close_matches(asked, known, 1, 0.6) or [
        name for name, rule in known.items() if rule.split(".")[1] == raw.path[-1]
    ]
    hint = f"; the nearest is {prefix}{close[0]}" if close else "; multidb-chat config show lists all settings"
    return InvalidSetting(f"{raw.origin}: there is no setting {shown}{hint}")
