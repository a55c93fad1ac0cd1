"""The page that documents the command line, made from the commands' own help."""

from typing import Any

from multidb_chat.cli.commands import command_tree
from multidb_chat.cli.console import EXPLAINED

_WIDTH = 100
_PAGE = """\
# Command line

This page is what `--help` says of each command, and what scripts may rely on.

## What goes where

Standard output gets what was asked for: the answer, rows, a JSON document. Everything else goes to standard error:
sources below an answer that is piped, progress, notices, errors. When standard output is not a terminal there are no
colours and no control characters in it; `NO_COLOR` and `TERM=dumb` switch colours off on a terminal too. When whoever
reads standard output closes it (`| head -1`), the program ends quietly.

With a question as its argument, `ask` reads standard input to its end when that is a pipe or a file: it is a document
then. A script whose standard input is something else, such as a loop that reads lines, adds `< /dev/null`.

An error is one line on standard error that begins with `error:`, also with `--json`; standard output then stays empty.
The exit code tells what kind it is. Something unexpected leaves a report in the folder of logs, and the line names it.

## Exit codes

| code | meaning |
|---|---|
"""
_JSON = """
## JSON

With `--json` a command prints one JSON document. Keys are not renamed or removed; new ones may come. Times are ISO
8601, positions characters of the document's text, counted from 0, the end not included.

| command | keys |
|---|---|
| `ask` | `format`, `question`, `standalone`, `text`, `found`, `method`, `cached`, `conversation_id`, `message_id`; \
`sentences`: `text`, `citations`, `before`; `citations` and `nearest`: `number`, `document_id`, `document_name`, \
`title`, `source`, `collection_id`, `start`, `end`, `snippet`, `page`, `headings`, `score`, `quality`, `lexical`, \
`vector`; `timings`: milliseconds by step; `curated` (where the knowledge base answered): `entry_id`, `question`, \
`category`, `version`, `confidence`; `model` (where one wrote): `name`, `tokens_in`, `tokens_out`, `cost`, `dropped`, \
`estimated`; `rewording` (where one was asked to put a follow-up): `taken`, `use` as `model` |
| `docs add`, `docs sync`, `docs reindex` | `added`, `replaced`, `unchanged`, `removed`, `failed`, `documents`, \
`chunks`, `seconds`; `failures`: `source`, `name`, `reason`, `refused` |
| `docs reprocess` | `collections`: the same for each, with `name`; with `--background`, as one task in `tasks list` |
| `models list` | `models`: `name`, `title`, `repository`, `licence`, `size_bytes`, `installed` (null, or as \
`models add`) |
| `models add`, `models remove` | `name`, `folder`, `source`, `licence`, `added_at`, `size_bytes`; `files` by name: \
`size_bytes`, `sha256` |
| `memory add`, `memory list` | `facts` |
| `memory show` | `facts`; `conversation` (null where there is none): `id`, `title`, `summary` (null, or `text`, \
`turns`, `until`, `model`), `turns`, `left_out`, `tokens`, `budget` |
| `memory remove` | `forgotten` |
| `models use` | `name`, `url`, `key` (where it is), `file`; `check` (null without --check): `text`, `first_s`, \
`seconds`, `tokens_in`, `tokens_out` |
| `models verify` | `name`, `wrong`: what differs, a line each |
| `docs list` | `documents`: as `docs show`, with `collection` |
| `docs show` | `id`, `name`, `title`, `kind`, `source`, `language`, `pages`, `characters`, `chunks`, `size_bytes`, \
`authored_at`, `added_at`, `updated_at`, `revision`, `metadata` |
| `docs remove` | `removed`: `id`, `name` |
| `docs search` | `query`; `matches`: `document_id`, `document_name`, `title`, `source`, `kind`, `page`, `headings`, \
`start`, `end`, `text`, `score`, `quality`, `lexical`, `vector`, `fused`, `reranked` (null where they were not) |
| `eval run` | `queries`, `collections`; `configurations`: `name`, `ndcg`, `recall`, `mrr`, `seconds`; `comparisons`: \
`first`, `second`, `measure`, `difference`, `p`; in the file of `--save` also `by_query` of each configuration |
| `collections list` | `collections`: as `collections create`, with `own`, `documents` |
| `collections create`, `collections set`, `collections delete` | `id`, `name`, `description`, `shared`, `embedder`, \
`dimensions`, `chunking`, `chunk_chars` (0: as the setting says), `headers`, `created_at` |
| `collections show` | the same, and `documents`, `chunks`, `characters` |
| `usage` | `plan`, `until`; `usage`: `resource`, `used`, `limit`, `left`, `share`, `resets_at` |
| `stats` | `questions`, `turns`, `cached`, `not_found`, `failed`, `hit_rate`, `median_ms`, `p95_ms`, `documents`, \
`size_bytes`, `helpful`, `unhelpful`; `days`: `day`, `questions`, `turns`, `cached`, `not_found`, `failed`, \
`milliseconds` |
| `account export` | `file`; `counts` by kind |
| `account erase` | `conversations`, `documents`, `tasks` |
| `register`, `login`, `logout`, `whoami` | `id`, `kind` (`account`, `local` or `guest`), `email`, `role`, `plan`, \
`session_id` |
| `sessions list` | `sessions`: `id`, `client`, `created_at`, `expires_at`, `current` |
| `sessions end` | `ended`: how many |
| `account totp status` | `on`, `since`, `recovery_codes` |
| `account totp on` | `secret`, `uri`, or, with `--code`, `recovery_codes`: the codes |
| `account totp codes` | `recovery_codes`: the codes |
| `admin status` | `version`, `since`, `backed_up_at`, `queue`; `stores`: `store`, `place`, `schema`, `known_schema`, \
`size_bytes` (the three: null where it is not known), `on_server`, `examined`, `records`, `newest` |
| `admin doctor` | `wrong` (how many), `mended`; `findings`: `about`, `severity` (ok, note, wrong), `text`, `mend`, \
`safe` |
| `admin users list` | `users`: `id`, `email`, `role`, `plan`, `created_at`, `expires_at`, `disabled_at` |
| `admin users show` | the same of one, `usage` as in `usage`, `sessions`: `id`, `client`, `created_at`, `expires_at` |
| `admin users reset-totp` | `removed`: whether there was one |
| `admin audit list` | `entries`: `seq`, `at`, `actor`, `actor_name`, `action`, `target`, `target_name`, `origin`, \
`details`, `mac`; `admin audit export` writes one such object a line |
| `admin audit verify` | `entries`, `sound`, `problem` |
| `admin knowledge list` | `entries`: `question`, `answer`, `category`, `id`, `version`, `updated_at`, `uses` |
| `admin feedback list` | `feedback`: `id`, `at`, `rating`, `text`, `on_answer` |
| `admin tasks list` | `counts` by state; `tasks` as in `tasks list`, with `account_id` |
| `admin backup`, `restore` | `file`, `elsewhere` (stores on servers, not in it), `program`, `made_at`, `keys`, \
`size_bytes`; `copies`: `name`, `size_bytes`, `sha256`, `schema`; `restore` also `aside`, where the data of before are |
| `admin migrate` | `finished`, `switched`; `stores`: `store`, `place`, `rounds`, `same`; their `tables`: `table`, \
`rows`, `rows_there`, `digest`, `digest_there`, `put`, `removed`, `same` |
| `admin migrate --dry-run`, `--verify` | `differing`; `tables`: `store`, `table`, `source`, `target` (rows), \
`missing`, `changed`, `vanished` |
| `config show` | `settings`: `key`, `value`, `origin` |
| `config path` | `config`, `data`, `cache`, `logs` |
"""


def command_line_page() -> str:
    """Return `docs/cli.md`."""
    codes = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in EXPLAINED.items())
    return _PAGE + codes + _JSON + "".join(_described(command_tree(), "multidb-chat", None))


def _described(command: Any, path: str, parent: Any) -> list[str]:
    """Return the sections of a command and of all below it."""
    name = path.rpartition(" ")[2]
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    sections = [f"\n## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"]
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()  # loads those not made yet
    for below in [command.commands[name] for name in names]:
        sections += _described(below, f"{path} {below.name}", context)
    return sections
