"""Settings: where values come from, what is refused, and what never shows."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.settings import Settings, load_settings
from multidb_chat.settings.loading import RULES
from multidb_chat.settings.rules import Rule, Value
from multidb_chat.settings.texts import configuration_page, example_toml

ROOT = Path(__file__).parents[2]


def load(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **flags: object) -> Settings:
    """Load settings of a home of its own with this configuration file."""
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    overrides = {key.replace("__", "."): value for key, value in flags.items()}
    return load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path), **(environ or {})}, overrides=overrides)


def refusal(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **flags: object) -> str:
    """Return the message with which settings are refused; it is one line."""
    with pytest.raises(InvalidSetting) as caught:
        load(tmp_path, text, environ, **flags)
    message = str(caught.value)
    assert "\n" not in message
    return message


def good_values(rule: Rule) -> st.SearchStrategy[Value]:
    """Return values that a rule allows."""
    if rule.choices:
        return st.sampled_from(rule.choices)
    if rule.pattern:
        return st.from_regex(rule.pattern, fullmatch=True, alphabet=st.characters(min_codepoint=32, max_codepoint=126))
    if rule.schemes:
        hosts = st.sampled_from(["localhost", "db.example.org", "10.0.0.7", "[::1]"])
        urls = st.builds("{}://{}:{}/x".format, st.sampled_from(rule.schemes), hosts, st.integers(1, 65_535))
        return st.just("embedded") | urls
    if isinstance(rule.default, str):
        return st.sampled_from(["bge-m3", "a text of two words"])
    if isinstance(rule.default, bool):
        return st.booleans()
    if isinstance(rule.default, float):
        return st.floats(rule.low, rule.high, allow_nan=False, allow_infinity=False)
    low = int(rule.low or 0)
    return st.integers(low, int(rule.high) if rule.high is not None else low + 1_000_000)


@st.composite
def layers(draw: st.DrawFn) -> tuple[str, Value, Value, Value]:
    """Return a key with a good value for the file, the environment and a flag."""
    key = draw(st.sampled_from(sorted(RULES)))
    values = good_values(RULES[key])
    return key, draw(values), draw(values), draw(values)


@given(layers(), st.sets(st.sampled_from(["file", "environment", "flag"])))
def test_the_nearest_layer_wins_and_is_the_origin(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[str, Value, Value, Value], given_in: set[str]
) -> None:
    key, in_file, in_environment, in_flag = drawn
    section, name = key.split(".")
    rule = RULES[key]
    home = tmp_path_factory.mktemp("home")
    text = f"\n[{section}]\n{name} = {rule.shown(in_file)}\n" if "file" in given_in else ""
    variable = f"MULTIDB_CHAT_{section}_{name}".upper()
    environ = {variable: str(in_environment)} if "environment" in given_in else {}
    flags = {f"{section}__{name}": in_flag} if "flag" in given_in else {}

    settings = load(home, text, environ, **flags)

    expected, origin = rule.default, "default"
    if "file" in given_in:
        expected, origin = in_file, f"file {home / 'config.toml'} line 3"
    if "environment" in given_in:
        expected, origin = in_environment, f"environment {variable}"
    if "flag" in given_in:
        expected, origin = in_flag, "flag"
    assert settings.value(key) == expected
    assert type(settings.value(key)) is type(rule.default)
    assert settings.origin(key) == origin
    others = [other for other in RULES if other != key]
    assert all(settings.value(other) == RULES[other].default for other in others)


def test_every_default_is_allowed_by_its_own_rule() -> None:
    for key, rule in RULES.items():
        assert rule.check(rule.default) == rule.default, key
        assert rule.help.endswith("."), key


def test_a_misspelt_key_is_refused_with_file_line_and_the_nearest_key(tmp_path: Path) -> None:
    message = refusal(tmp_path, "# mine\n[search]\ntreshold = 0.4\n")
    assert message == (
        f"file {tmp_path}/config.toml line 3: there is no setting search.treshold; the nearest is search.threshold"
    )


def test_a_key_outside_its_section_is_refused_with_the_section_it_belongs_to(tmp_path: Path) -> None:
    assert "the nearest is search.threshold" in refusal(tmp_path, "threshold = 0.4\n")


def test_a_misspelt_section_is_refused_with_the_nearest_key(tmp_path: Path) -> None:
    assert "no setting serach.limit; the nearest is search.limit" in refusal(tmp_path, "[serach]\nlimit = 3\n")


def test_a_key_that_became_several_is_refused_with_all_of_them(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[plans]\nfree = 1000\n")
    assert message.endswith(
        "line 2: there is no setting plans.free; there are "
        "plans.free_messages, plans.free_documents, plans.free_storage_mb, plans.free_tasks, plans.free_tokens"
    )
    assert "MULTIDB_CHAT_PLANS_FREE_MESSAGES" in refusal(tmp_path, environ={"MULTIDB_CHAT_PLANS_FREE": "5"})


def test_a_section_that_is_no_table_is_refused(tmp_path: Path) -> None:
    assert "search is a section: write [search]" in refusal(tmp_path, 'search = "good"\n')


def test_a_misspelt_variable_is_refused_with_the_nearest_variable(tmp_path: Path) -> None:
    message = refusal(tmp_path, environ={"MULTIDB_CHAT_SERCH_THRESHOLD": "0.4"})
    assert message.startswith("environment MULTIDB_CHAT_SERCH_THRESHOLD: there is no setting")
    assert message.endswith("the nearest is MULTIDB_CHAT_SEARCH_THRESHOLD")
    section_forgotten = refusal(tmp_path, environ={"MULTIDB_CHAT_LIMIT": "3"})
    assert section_forgotten.endswith("the nearest is MULTIDB_CHAT_SEARCH_LIMIT")
    nothing_like_it = refusal(tmp_path, environ={"MULTIDB_CHAT_FOO": "1"})
    assert nothing_like_it.endswith("no setting foo; multidb-chat config show lists all settings")


@pytest.mark.parametrize(
    ("line", "expected", "got"),
    [
        ("[search]\nthreshold = 2", "a number between 0 and 1", "got 2"),
        ("[search]\nthreshold = nan", "a number between 0 and 1", "got nan"),
        ('[search]\nthreshold = "high"', "a number between 0 and 1", 'got "high"'),
        ("[search]\nthreshold = true", "a number between 0 and 1", "got true"),
        ("[search]\nlimit = 2.5", "a whole number between 1 and 100", "got 2.5"),
        ("[search]\nlimit = [1]", "a whole number between 1 and 100", "got a list"),
        ("[search]\nlimit = {a = 1}", "a whole number between 1 and 100", "got a table"),
        ("[search]\nlimit = 2019-01-01", "a whole number between 1 and 100", "got a date or time"),
        ("[plans]\nfree_tasks = -1", "a whole number of at least 0", "got -1"),
        ('[tui]\ntheme = "pink"', 'one of "ink", "paper", "high-contrast"', 'got "pink"'),
        ('[stores]\ncache = ""', '"embedded" or a URL that begins with redis:// or rediss://', 'got ""'),
        ('[stores]\ncache = "http://x"', "redis:// or rediss://", 'got "http://x"'),
        ('[stores]\naccounts = "postgresql://"', "postgresql://", 'got "postgresql://"'),
        ('[stores]\naccounts = "postgresql://h:port/d"', "postgresql://", "got"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(tmp_path: Path, line: str, expected: str, got: str) -> None:
    message = refusal(tmp_path, line)
    assert message.startswith(f"file {tmp_path}/config.toml line 2: ")
    assert expected in message
    assert got in message


@pytest.mark.parametrize("value", ["", "many", "1e3", "0x10", "1.5", "101", "٣٠٠"])
def test_a_wrong_variable_is_refused_with_its_name(tmp_path: Path, value: str) -> None:
    message = refusal(tmp_path, environ={"MULTIDB_CHAT_SEARCH_LIMIT": value})
    assert message.startswith("environment MULTIDB_CHAT_SEARCH_LIMIT: search.limit: expected a whole number")


def test_a_wrong_flag_is_refused_as_a_flag(tmp_path: Path) -> None:
    assert refusal(tmp_path, search__limit="0").startswith("flag: search.limit: expected")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[search\nlimit = 3\n", "line 1: this is not TOML"),
        (b"[search]\nlimit = \n", "line 2: this is not TOML"),
        (b"[search]\nlimit = 3\n[search]\n", "line 3: this is not TOML"),
        (b'[tui]\ntheme = "ink', "line 2: this is not TOML"),
        (b"[search]\n# \xff\n", "line 2: this is not UTF-8 text"),
        (b"#" * 2_000_000, "this is too large for a configuration file"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(InvalidSetting, match=told) as caught:
        load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)})
    assert str(tmp_path / "config.toml") in str(caught.value)


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "config.toml").write_bytes(content)
    refused = ""
    try:
        load_settings(environ={"MULTIDB_CHAT_HOME": str(home)})
    except InvalidSetting as error:
        refused = str(error)
    assert refused.isprintable()


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[search]\r\nlimit = 3\r\n")
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)})
    assert settings.search.limit == 3
    assert settings.origin("search.limit").endswith("line 2")


def test_a_missing_file_is_fine_unless_it_was_named(tmp_path: Path) -> None:
    environ = {"MULTIDB_CHAT_HOME": str(tmp_path / "nowhere")}
    assert load_settings(environ=environ).search.limit == 10
    with pytest.raises(InvalidSetting, match="there is no such file"):
        load_settings(environ=environ, config_file=tmp_path / "none.toml")


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(InvalidSetting, match="it cannot be read"):
        load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)})


def test_dotted_keys_and_inline_tables_are_read_with_their_line(tmp_path: Path) -> None:
    settings = load(tmp_path, 'tui = {theme = "paper"}\nsearch.limit = 7\n["log"]\n"level" = "debug"\n')
    assert (settings.tui.theme, settings.search.limit, settings.log.level) == ("paper", 7, "debug")
    lines = [settings.origin(key).rpartition(" ")[2] for key in ("tui.theme", "search.limit", "log.level")]
    assert lines == ["1", "2", "4"]


SECRET = "hunter2"
URLS = [
    f"postgresql://me:{SECRET}@db.example.org/chat",
    f"postgresql://:{SECRET}@db.example.org/chat",
    f"postgresql://db.example.org/chat?password={SECRET}&x=1",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_masked_wherever_settings_are_shown(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, f'[stores]\naccounts = "{url}"\n')
    assert settings.stores.accounts == url
    for shown in (repr(settings), str(settings.stores), str(list(settings.shown()))):
        assert SECRET not in shown
        assert "***" in shown


@pytest.mark.parametrize("url", [f"http://me:{SECRET}@x/", f"postgresql://me:{SECRET}/more@x/", f"me:{SECRET}@x"])
def test_a_password_in_a_refused_url_is_masked_too(tmp_path: Path, url: str) -> None:
    assert SECRET not in refusal(tmp_path, environ={"MULTIDB_CHAT_STORES_ACCOUNTS": url})


def test_the_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path)
    for thing, name in ((settings, "search"), (settings.search, "limit")):
        with pytest.raises(AttributeError):
            setattr(thing, name, 1)


def test_home_moves_everything_into_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = load_settings(environ={"MULTIDB_CHAT_HOME": "portable"}).paths
    top = tmp_path / "portable"
    assert paths.config_file == top / "config.toml"
    assert (paths.data, paths.cache, paths.logs) == (top / "data", top / "cache", top / "logs")


def test_without_home_the_folders_of_the_system_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    paths = load_settings(environ={}).paths
    assert all(tmp_path in path.parents for path in (paths.config_file, paths.data, paths.cache, paths.logs))


def test_an_empty_home_is_refused_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    with pytest.raises(InvalidSetting, match="set HOME, or MULTIDB_CHAT_HOME to a folder"):
        load_settings(environ={})


def test_the_example_is_the_defaults_and_the_files_are_up_to_date(tmp_path: Path) -> None:
    settings = load(tmp_path, "\n".join(line.removeprefix("# ") for line in example_lines()))
    assert all(settings.value(key) == rule.default for key, rule in RULES.items())
    assert len(settings.origins) == len(RULES)
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example_toml()
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == configuration_page()


def example_lines() -> list[str]:
    """Return the example's sections and settings, with its sentences left out."""
    return [line for line in example_toml().splitlines() if line.startswith("[") or " = " in line]


def test_importing_settings_loads_no_parser_and_no_library() -> None:
    code = (
        "import sys; import multidb_chat.settings; "
        "print([name for name in ('tomllib', 'difflib', 'platformdirs', 'typer', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
