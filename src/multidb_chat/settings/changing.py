"""Changing settings: one value into the configuration file, checked first and written so that nothing else is lost."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.text import clean_line
from multidb_chat.settings.editing import with_setting, without_setting
from multidb_chat.settings.loading import RULES, Settings, load_settings, merge, unknown
from multidb_chat.settings.paths import find_paths
from multidb_chat.settings.rules import refuse
from multidb_chat.settings.sources import Raw, from_toml, read_file

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did: the settings as they are read now, and the key's value and origin among them.

    `overridden`: something stronger than the file (the environment or a flag) still decides the value.
    """

    key: str
    settings: Settings
    file: Path

    @property
    def shown(self) -> str:
        """The value in force, in TOML's notation, secrets masked."""
        return RULES[self.key].shown(self.settings.value(self.key))

    @property
    def origin(self) -> str:
        """Where the value in force came from."""
        return self.settings.origin(self.key)

    @property
    def overridden(self) -> bool:
        """Whether the file is not asked for this key."""
        return not self.origin.startswith(("file ", "default"))


class SettingsFile:
    """The configuration file of a run, as something to change. Everything here blocks on the disk."""

    def __init__(
        self,
        config_file: Path | None = None,
        overrides: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Take what `load_settings` took, so that the result is read in the same way."""
        self._given = config_file
        self._overrides = dict(overrides or {})
        self._environ = dict(os.environ if environ is None else environ)
        self.path = config_file or find_paths(self._environ).config_file

    @classmethod
    def of(cls, settings: Settings) -> "SettingsFile":
        """Return the configuration file that these settings were read from."""
        given = settings.read_from
        return cls(given.config_file, given.overrides, given.environ)

    def load(self) -> Settings:
        """Return the settings as they are now. Raises `InvalidSetting`."""
        given = self._given if self._given is not None and self._given.exists() else None
        return load_settings(config_file=given, overrides=self._overrides, environ=self._environ)

    def set(self, key: str, text: str) -> Changed:
        """Write the value that a text stands for. Nothing is written unless all of the file is good afterwards.

        Raises `InvalidSetting`: an unknown key, a value that is not good, or a file that cannot be changed.
        """
        value = self._written(key, text)
        section, name = key.split(".")
        self._edit(lambda before: with_setting(before, section, name, value))
        return Changed(key, self.load(), self.path)

    def unset(self, key: str) -> Changed:
        """Take a key out of the file, so that its default or the environment decides. Raises `InvalidSetting`."""
        if key not in RULES:
            raise unknown(Raw(tuple(key.split(".")), "", "config"), key)
        section, name = key.split(".")
        self._edit(lambda before: without_setting(before, section, name))
        return Changed(key, self.load(), self.path)

    def set_all(self, texts: Mapping[str, str | None]) -> Settings:
        """Write the values that texts stand for in one step, None taking a key out; return the settings then.

        Raises `InvalidSetting` as `set` does, and nothing is written then.
        """
        written = {key: None if text is None else self._written(key, text) for key, text in texts.items()}

        def edit(before: str) -> str:
            for key, value in written.items():
                section, name = key.split(".")
                if value is None:
                    before = without_setting(before, section, name)
                else:
                    before = with_setting(before, section, name, value)
            return before

        self._edit(edit)
        return self.load()

    def _written(self, key: str, text: str) -> str:
        """Return the value that a text stands for, in TOML's notation."""
        rule = RULES.get(key)
        if rule is None:
            raise unknown(Raw(tuple(key.split(".")), text, "config"), key)
        try:
            return rule.written(rule.from_text(text))
        except (ValueError, OverflowError) as error:
            raise refuse("config", key, rule, text) from error

    def _edit(self, edit: Callable[[str], str]) -> None:
        # A link (dotfiles are often links) stays one: what it points at is replaced.
        target = Path(os.path.realpath(self.path))
        with _failing(target), _alone_in(target.parent):
            before = read_file(target, required=False)
            list(from_toml(before, self.path))  # says where it is broken, if it is
            try:
                after = edit(before)
            except InvalidSetting as error:
                raise InvalidSetting(f"file {clean_line(str(self.path))}: {error}") from None
            merge(from_toml(after, self.path))
            if after != before:
                _replace(target, after)


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = clean_line(error.strerror or str(error))
        raise InvalidSetting(f"file {clean_line(str(path))}: it cannot be written ({reason})") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that of two programs that change the file neither loses the other's change."""
    import fcntl

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    """Put the text in the place of the file in one step, with its permissions; a new one is the owner's alone.

    It may hold the address of a server with its password.
    """
    mode = 0o600
    bom = False
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(path.stat().st_mode)
        bom = path.read_bytes().startswith(_BOM.encode())
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(((_BOM if bom else "") + text).encode())
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
