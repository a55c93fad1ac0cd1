"""What one setting may be: its type, bounds, choices and help, as metadata of a dataclass field; and the checks."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.text import clean_line

Value = str | int | float | bool

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_RULE = "rule"
# The password of a URL, up to the last `@`: also in a value that is refused because its password was not encoded.
_CREDENTIALS = r"((?:^|//)[^:@/?#]*):(?!//).*@"
_HOST = r"(?:\[[^\]]+\]|[^:\[\]@/]+)(?::(\d{1,5}))?"  # a URL may name several, after commas
# Drivers also take passwords among a URL's parameters.
_PARAMETER = r"(?i)([?&](?:password|passwd|secret|token|sslpassword)=)[^&#]*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting: what it is for, its default, and which values are good.

    `schemes`: the value is the word `embedded` or a URL of one of these schemes, whose password is never shown.
    `pattern`: a regular expression that the whole value fits, which `form` says in words.
    """

    help: str
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""

    @property
    def expected(self) -> str:
        """What a good value is, in words, for messages and documentation."""
        if self.schemes:
            return f'"embedded" or a URL that begins with {" or ".join(f"{scheme}://" for scheme in self.schemes)}'
        if self.form:
            return self.form
        if self.choices:
            return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "a text"
        return ("a whole number" if isinstance(self.default, int) else "a number") + self._bounds()

    def _bounds(self) -> str:
        if self.low is not None and self.high is not None:
            return f" between {self.low:g} and {self.high:g}"
        if self.low is not None:
            return f" of at least {self.low:g}"
        return "" if self.high is None else f" of at most {self.high:g}"

    def from_text(self, text: str) -> Value:
        """Return the value that the text of an environment variable or a flag stands for, checked.

        Raises `ValueError` when it stands for none.
        """
        text = text.strip()
        if isinstance(self.default, str):
            return self.check(text)
        if isinstance(self.default, bool):
            if text.lower() not in _TRUE | _FALSE:
                raise ValueError
            return text.lower() in _TRUE
        return self.check(int(text) if isinstance(self.default, int) else float(text))

    def check(self, value: object) -> Value:
        """Return the value if it is good, a whole number widened where a number is expected; raises `ValueError`."""
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, type(self.default)) or isinstance(value, bool) != isinstance(self.default, bool):
            raise ValueError
        if isinstance(value, str):
            good = self._good_text(value)
        else:
            good = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        if not good:
            raise ValueError
        return value

    def _good_text(self, value: str) -> bool:
        if not value or not value.isprintable():
            return False
        if self.choices:
            return value in self.choices
        if self.pattern:
            return re.fullmatch(self.pattern, value) is not None
        return not self.schemes or value == "embedded" or self._good_url(value)

    def _good_url(self, value: str) -> bool:
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(value)
        except ValueError:
            return False
        hosts = [re.fullmatch(_HOST, host) for host in parts.netloc.rpartition("@")[2].split(",")]
        return parts.scheme in self.schemes and all(host and int(host[1] or 0) < 65_536 for host in hosts)

    def written(self, value: Value) -> str:
        """Return the value as the configuration file has it, in TOML's notation, nothing masked."""
        if isinstance(value, str):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return self.shown(value)

    def shown(self, value: object) -> str:
        """Return the value as it may be shown, in TOML's notation, the password of a URL masked."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return repr(value)
        text = clean_line(value).replace("\\", "\\\\").replace('"', '\\"')
        # Also where no URL is expected: a value that was refused is quoted back in the message.
        return '"' + re.sub(_PARAMETER, r"\1***", re.sub(_CREDENTIALS, r"\1:***@", text)) + '"'


def setting(default: Any, help: str, **limits: Any) -> Any:  # noqa: A002 - it reads best at the definitions
    """Define one setting as a field of its section; `limits` are the other fields of `Rule`."""
    return dataclasses.field(default=default, metadata={_RULE: Rule(help, default, **limits)})


def rules_of(section: type) -> Mapping[str, Rule]:
    """Return the rules of a section's settings by key, in order."""
    return {field.name: field.metadata[_RULE] for field in dataclasses.fields(section)}


def masked(section: Any) -> str:
    """Return a section as its `repr`, with what is secret masked."""
    rules = rules_of(type(section)).items()
    return f"{type(section).__name__}({', '.join(f'{key}={rule.shown(getattr(section, key))}' for key, rule in rules)})"


def refuse(origin: str, key: str, rule: Rule, value: object) -> InvalidSetting:
    """Return the error for a value that is not good."""
    if isinstance(value, str | int | float):
        shown = rule.shown(value)
    else:
        shown = "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a date or time"
    return InvalidSetting(f"{origin}: {key}: expected {rule.expected}, got {shown}")
