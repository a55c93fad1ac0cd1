"""Tables of terms that ingestion feeds, where accounts and library are on servers."""

from pathlib import Path

import psycopg
from pymongo import MongoClient

from multidb_chat.adapters.postgres.server import server_at
from tests.adapters.mongo.opening import with_database
from tests.adapters.postgres.opening import own_schema
from tests.cli.conftest import Program
from tests.servers import needs, own_name, url_of

TEA = "Tea is grown in Assam. Tea is grown in Assam. Nobody drinks it at night.\n"
TERMS = "SELECT written, count, documents FROM corpus_terms ORDER BY count DESC, term LIMIT 3"
SENTENCES = "SELECT sentence, count, documents FROM corpus_sentences WHERE count > 1"


@needs("postgres")
@needs("mongodb")
def test_added_documents_are_counted_by_whoever_works_and_forgotten_with_them(tmp_path: Path):
    (tmp_path / "tea.md").write_text(TEA)
    mongodb, name = url_of("mongodb"), own_name()
    with own_schema() as url, MongoClient(mongodb) as client:
        stores = {"MULTIDB_CHAT_STORES_ACCOUNTS": url, "MULTIDB_CHAT_STORES_LIBRARY": with_database(mongodb, name)}
        program = Program(tmp_path / "home", stores)

        def told(*arguments: str) -> list[tuple[str, int, int]]:
            assert program.inside(*arguments).returncode == 0
            assert program.inside("tasks", "work", "--until-empty").returncode == 0
            with psycopg.connect(**server_at(url).arguments) as connection:  # type: ignore[arg-type]
                terms = connection.execute(
                    "SELECT written, count, documents FROM corpus_terms ORDER BY count DESC, term"
                )
                sentences = connection.execute(
                    "SELECT sentence, count, documents FROM corpus_sentences WHERE count > 1"
                )
                return [*terms.fetchmany(3), *sentences.fetchall()]

        try:
            assert told("docs", "add", str(tmp_path / "tea.md")) == [
                ("Assam", 2, 1), ("grown", 2, 1), ("Tea", 2, 1), ("Tea is grown in Assam.", 2, 1),
            ]  # fmt: skip
            assert told("docs", "remove", "tea.md", "--yes") == []
        finally:
            client.drop_database(name)
