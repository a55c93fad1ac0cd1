"""The settings of a running program for an account: what they are, which it may change, and when a change counts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import NotPermitted
from multidb_chat.domain.permissions import Permission, may, require
from multidb_chat.settings.changing import Changed, SettingsFile
from multidb_chat.settings.loading import RULES, Settings, load_settings
from multidb_chat.settings.rules import Rule

# The file is everybody's who uses this installation, so its limits and stores are the administrators' alone. How the
# app looks is left to whoever sits in front of it, guests too.
_EVERYBODYS = frozenset({"tui"})
_MEMBERS = _EVERYBODYS | {"search", "answers"}
_NONE = "none"
_MOST_FILES = 50  # shown as names to choose from
_AT_ONCE = frozenset({"tui", "search", "answers", "model"})


@dataclass(frozen=True, slots=True)
class Preference:
    """A setting as it is in force, in TOML's notation with secrets masked, and whether this account may change it."""

    key: str
    shown: str
    origin: str
    rule: Rule
    may_change: bool

    @property
    def counts(self) -> str:
        """When a change counts."""
        return "at once" if self.key.partition(".")[0] in _AT_ONCE else "when the program is started again"

    @property
    def text(self) -> str:
        """The value as it may be typed."""
        return self.shown.strip('"')


# What may be chosen for one run beside the model: how passages are found, which changes nobody else's.
_OF_SEARCH = ("search.rerank", "search.rewrite")


def model_named(text: str) -> str:
    """Return the setting for a language model that somebody names; that of a file works from every folder."""
    text = text.strip()
    path = text.removeprefix("gguf:")
    if path != text or (":" not in text and text.lower().endswith(".gguf")):
        return f"gguf:{Path(path).expanduser().absolute()}"
    return text


class Preferences:
    """Reads and changes settings; `applied` is called with those that are in force after a change."""

    def __init__(self, settings: Callable[[], Settings], applied: Callable[[Settings], None]) -> None:
        self._settings = settings
        self._applied = applied
        self._given: Mapping[str, object] = {}
        self._chosen: dict[str, None] = {}  # models that were in use, the first of this run first

    @property
    def model(self) -> str:
        """The language model in use, "none" where answers are quoted."""
        return self._settings().model.name

    def models(self) -> list[str]:
        """Return the models at hand: those in use in this run, GGUF files below the data folder, and "none".

        Blocks on the disk.
        """
        folder = self._settings().paths.data / "models"
        files = [f"gguf:{path}" for path in sorted(folder.rglob("*.gguf"))[:_MOST_FILES]]
        return list(dict.fromkeys([*self._chosen, self.model, *files, _NONE]))

    def shown(self, account: Account) -> Sequence[Preference]:
        """Return all settings. Raises `NotPermitted` for a disabled account."""
        require(account, Permission.CHAT)
        return [
            Preference(key, shown, origin, RULES[key], _may_change(account, key))
            for key, shown, origin in self._settings().shown()
        ]

    async def set(self, account: Account, key: str, text: str) -> Changed:
        """Write a setting into the configuration file, and use it at once where that is possible.

        Raises `NotPermitted`, or `InvalidSetting` as `SettingsFile.set` does.
        """
        _require(account, key)
        return self._used(await asyncio.to_thread(SettingsFile.of(self._settings()).set, key, text))

    def for_now(self, account: Account, key: str, text: str) -> Settings:
        """Use a setting for as long as the program runs, and leave the file as it is; return the settings then.

        Only of what makes answers, which is everybody's own choice. Raises `NotPermitted` or `InvalidSetting`.
        """
        require(account, Permission.CHAT)
        if key.partition(".")[0] != "model" and key not in _OF_SEARCH:
            raise NotPermitted(f"{key} is not for one run alone; set it with: multidb-chat config set {key} VALUE")
        before = self._settings()
        read = before.read_from
        if not self._chosen:
            self._given = read.overrides
        chosen = {**read.overrides, key: text}
        if key == "model.name":
            name = model_named(text)
            chosen |= {key: name, **self._access(name)}
        settings = load_settings(config_file=read.config_file, overrides=chosen, environ=read.environ)
        self._applied(settings)
        self._chosen |= {before.model.name: None, settings.model.name: None}
        return settings

    def _access(self, name: str) -> dict[str, object]:
        """Return where a model is asked and with which key: as configured, and nothing of another provider's."""
        read = self._settings().read_from
        configured = load_settings(config_file=read.config_file, overrides=self._given, environ=read.environ).model
        same = _NONE in (name, configured.name) or name.partition(":")[0] == configured.name.partition(":")[0]
        if same:
            return {"model.url": configured.url, "model.key": configured.key}
        return {"model.url": "provider", "model.key": _NONE}

    async def unset(self, account: Account, key: str) -> Changed:
        """Take a setting out of the configuration file. Raises what `set` raises."""
        _require(account, key)
        return self._used(await asyncio.to_thread(SettingsFile.of(self._settings()).unset, key))

    def _used(self, changed: Changed) -> Changed:
        self._applied(changed.settings)
        return changed


def _may_change(account: Account, key: str) -> bool:
    section = key.partition(".")[0]
    if may(account, Permission.MANAGE_INSTALLATION):
        return True
    return section in (_MEMBERS if may(account, Permission.INGEST) else _EVERYBODYS)


def _require(account: Account, key: str) -> None:
    require(account, Permission.CHAT)
    if not _may_change(account, key):
        raise NotPermitted(
            f"{key} is changed by an administrator, or in the shell: multidb-chat config set {key} VALUE"
        )
