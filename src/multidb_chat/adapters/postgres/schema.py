"""The tables in PostgreSQL: all scripts that make them, in order; only appended to, as servers remember each."""

from multidb_chat.adapters.postgres.accounts_schema import ACCOUNTS, FACTS
from multidb_chat.adapters.postgres.corpus_schema import CORPUS
from multidb_chat.adapters.postgres.identity import IDENTITY
from multidb_chat.adapters.postgres.tasks_schema import TASKS

MIGRATIONS: tuple[str, ...] = (ACCOUNTS, TASKS, CORPUS, IDENTITY, FACTS)
