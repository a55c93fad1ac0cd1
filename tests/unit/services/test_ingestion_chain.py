"""The whole chain as it is shipped: real reader, real model, real store, real index."""

from pathlib import Path

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.domain.search import SearchFilters
from multidb_chat.services.handbook import HANDBOOK_ID, Handbook
from multidb_chat.services.ingestion import Ingestion
from multidb_chat.services.retrieval import Retrieval
from tests.unit.services.ingesting import OWNER, Workplace, events_of, finished

ROOT = Path(__file__).parents[3]


async def test_a_question_about_added_documents_finds_the_passage_that_answers_it(work: Workplace, tmp_path: Path):
    work.write("sails.md", "# Sails\n\nA genoa is a large foresail.\n\n## Care\n\nDry the cloth before you fold it.")
    work.write("bread.txt", "Sourdough needs a day to rise. Bake it at 240 degrees.")
    work.write("moons.csv", "planet,moons\nMars,2\nNeptune,16\n")
    embedder = MiniLMEmbedder()
    index = EmbeddedSearchIndex(tmp_path / "index", work.library)
    ingestion = Ingestion(work.library, work.reader, work.fetcher, embedder)
    done = finished(await events_of(ingestion.add(OWNER, work.collection, [work.files])))
    assert (done.added, done.failed) == (3, 0)
    await Handbook(work.library, embedder.name, lambda: ingestion, ROOT / "docs" / "handbook").ensure()
    retrieval = Retrieval(index, work.library, embedder, None)
    for question, collection, name, words in (
        ("At what temperature do I bake bread?", "c", "bread.txt", "240 degrees"),
        ("How do I look after a sail?", "c", "sails.md", "Dry the cloth"),
        ("How many moons has Neptune?", "c", "moons.csv", "16"),
        ("How do I add my own documents?", HANDBOOK_ID, "02-adding-documents.md", "multidb-chat docs add"),
    ):
        best = (await retrieval.search(question, SearchFilters((collection,)), 3))[0]
        assert best.document.name == name
        assert words in best.chunk.text
        assert best.chunk.text == await work.library.text(best.document.id, best.chunk.start, best.chunk.end)
    await index.close()
    await embedder.close()
