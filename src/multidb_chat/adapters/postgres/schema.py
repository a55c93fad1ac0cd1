"""The tables in PostgreSQL: all scripts that make them, in order; only appended to, as servers remember each."""

from multidb_chat.adapters.postgres.accounts_schema import ACCOUNTS

MIGRATIONS: tuple[str, ...] = (ACCOUNTS,)
