"""What is written from the definitions: the example configuration file and the configuration page."""

import inspect

from multidb_chat.settings.rules import rules_of
from multidb_chat.settings.sections import SECTIONS, Section
from multidb_chat.settings.sources import PREFIX

_EXAMPLE = """\
# multidb-chat: every setting with its default. Take away the # in front of a line and change it.
# `multidb-chat config path` shows where this file belongs, `multidb-chat config check` checks it.
"""
_PAGE = """\
# Configuration

Everything has a default; nothing has to be configured. A value is taken from the first place that has one:

1. a flag of the command line (`--set search.threshold=0.4`, and options such as `--limit`),
2. the environment (`MULTIDB_CHAT_SEARCH_THRESHOLD=0.4`),
3. the configuration file,
4. the default.

```sh
multidb-chat config path      # where the files are
multidb-chat config show      # every value and where it came from; passwords are masked
multidb-chat config check     # read everything and say what is wrong, with file and line
multidb-chat config example   # a configuration file with all settings, to begin with
multidb-chat config set search.limit 20   # write one setting; comments and all else in the file stay
multidb-chat config unset search.limit    # take it out again
```

`config set` checks the value first and writes nothing unless the whole file is good afterwards; the file is replaced in
one step and keeps its permissions. The settings screen of the app does the same.

`MULTIDB_CHAT_HOME` names a folder that then holds the configuration file, the data, the cache and the logs. Without it
they are where the operating system keeps such files. `--config FILE` reads another file instead of the usual one.

What is wrong is refused, and the exit code is 6: an unknown key (the nearest one is named), a wrong type, a value out
of bounds, a URL of the wrong kind, a file that is not TOML, an unknown variable that begins with `MULTIDB_CHAT_`.

## Settings
"""


def example_toml() -> str:
    """Return a configuration file with every setting at its default, commented out."""
    parts = [_EXAMPLE]
    for name, section in SECTIONS.items():
        parts.append(f"\n# {_about(section)}\n[{name}]\n")
        for key, rule in rules_of(section).items():
            parts.append(f"# {rule.help}\n# Expected: {rule.expected}.\n# {key} = {rule.shown(rule.default)}\n")
    return "".join(parts)


def configuration_page() -> str:
    """Return the documentation page with a table of all settings."""
    parts = [_PAGE]
    for name, section in SECTIONS.items():
        parts.append(f"\n### `[{name}]`\n\n{_about(section)}\n\n")
        parts.append("| key | default | expected | what it does | variable |\n|---|---|---|---|---|\n")
        for key, rule in rules_of(section).items():
            variable = f"{PREFIX}{name}_{key}".upper()
            cells = (f"`{key}`", f"`{rule.shown(rule.default)}`", rule.expected, rule.help, f"`{variable}`")
            parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts)


def _about(section: type[Section]) -> str:
    return inspect.getdoc(section) or ""
