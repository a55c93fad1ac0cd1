"""A research on real documents with the real index, embedder and answerer."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.tasks import Task
from multidb_chat.services.research.rendering import NOT_SAID
from multidb_chat.services.tasks.reports import Report, loads
from multidb_chat.settings import load_settings
from tests.adapters.language_models.serving import saying, served

TEXTS = Path(__file__).parents[3] / "data" / "answers" / "documents"
NAMES = ("report-2019.md", "report-2020.md", "report-2021.md", "lighthouse.txt")


def opened(home: Path) -> Application:
    return Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("research") / "home"

    async def furnish() -> None:
        app = opened(home)
        account = await app.account_service.local_account()
        collection = await app.documents.ensure_collection(account, shared=False)
        async for _ in app.ingestion.add(account, collection, [TEXTS / name for name in NAMES]):
            pass
        await app.close()

    asyncio.run(furnish())
    return home


@pytest.fixture
async def app(furnished: Path, tmp_path: Path) -> AsyncIterator[Application]:
    shutil.copytree(furnished, tmp_path / "home")
    made = opened(tmp_path / "home")
    yield made
    await made.close()


async def researched(
    app: Application, about: str, account: Account | None = None, **options: str
) -> tuple[Task, Report]:
    who = account or await app.account_service.local_account()
    task = await app.task_service.submit(who, "research", about, options)
    assert await app.worker.step()
    task = await app.task_service.get(who, task.id)
    assert task.state == "done", task.error
    return task, loads(task.result)


async def test_a_report_cites_the_exact_words_of_documents(app: Application):
    _, report = await researched(app, "customer churn at Halden")
    assert report.found
    assert {one.document_name for one in report.citations} == set(NAMES[:3])
    for cited in report.citations:
        assert await app.library.text(cited.document_id, cited.start, cited.end) == cited.snippet
    assert "Customer churn was 6.4 percent: 118 customers left during 2019. [" in report.markdown


async def test_citations_are_numbered_through_and_each_is_used_and_listed(app: Application):
    _, report = await researched(app, "Halden Telemetry")
    body, _, sources = report.markdown.partition("## Sources")
    used = {int(number) for number in re.findall(r"(?<!\\)\[(\d+)\]", body)}
    listed = [int(number) for number in re.findall(r"^- \\\[(\d+)\\\]", sources, re.MULTILINE)]
    assert listed == list(range(1, len(report.citations) + 1))
    assert used == set(listed)


async def test_it_follows_headings_and_says_each_sentence_once(app: Application):
    _, report = await researched(app, "Halden Telemetry")
    assert "## Risks\n\nThe largest risk is the dependence on a single supplier" in report.markdown
    said = [line for line in report.markdown.split("\n## Sources")[0].splitlines() if line.endswith("]")]
    assert len(said) == len(set(said))


async def test_what_the_documents_do_not_say_is_said(app: Application):
    _, report = await researched(app, "the lighthouse, and why was it painted purple?")
    _, _, silent = report.markdown.partition(f"## {NOT_SAID}")
    assert "Why was it painted purple" in silent


async def test_nothing_is_made_up_about_an_unknown_topic(app: Application):
    task, report = await researched(app, "quantum chromodynamics", save="reports")
    assert not report.found
    assert report.citations == ()
    assert '"quantum", "chromodynamics"' in report.markdown
    assert task.summary == "Nothing was found in the documents."
    assert report.document_id == ""


async def test_a_saved_report_is_a_document_that_is_replaced_and_never_cited(app: Application):
    who = await app.account_service.local_account()
    task, report = await researched(app, "customer churn at Halden", save="reports")
    (document,) = await app.documents.list(who, await app.documents.resolve(who, ["reports"]))
    assert (document.id, report.collection) == (report.document_id, "reports")
    assert document.title == "Research: customer churn at Halden"
    # The process was killed behind the saving: the task runs once more.
    handler = app._investigation()
    again = await handler(task, who, lambda *_: None)
    assert loads(again.result).markdown == report.markdown
    assert loads(again.result).document_id == report.document_id
    (same,) = await app.documents.list(who, await app.documents.resolve(who, ["reports"]))
    assert same.id == document.id
    _, second = await researched(app, "customer churn at Halden")
    assert document.id not in {one.document_id for one in second.citations}


async def test_the_same_research_gives_the_same_report(app: Application):
    first, second = [await researched(app, "Halden Telemetry") for _ in range(2)]
    assert first[1] == second[1]


async def test_a_model_that_helps_to_find_is_paid_by_whose_research_it_is(furnished: Path, tmp_path: Path):
    pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
    shutil.copytree(furnished, tmp_path / "home")
    with served(saying("1, 2")) as (url, came):
        model = {"model.name": "openai:scripted", "model.url": url, "search.rerank": "model"}
        scarce = {"plans.enterprise_tokens": "500"}
        for overrides in (model, model | scarce):
            app = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path / "home")}, overrides=overrides))
            _, report = await researched(app, "customer churn at Halden")
            assert report.found
            await app.meter.close()
            who = await app.account_service.local_account()
            usage = {one.resource: one.used for one in (await app.plans.usage_of(who)).usage}
            await app.close()
            assert usage["tokens"] == 132 * len(came)
            if overrides is model:
                first = len(came)
        assert len(came) == first > 3, "with nothing left, the second research asks no model"


async def test_somebody_elses_documents_are_not_found(app: Application):
    stranger = Account(new_id(), "user", "enterprise", (await app.account_service.local_account()).created_at)
    await app.accounts.create_account(stranger)
    _, report = await researched(app, "customer churn at Halden", stranger)
    assert not report.found
    assert "Telemetry" not in report.markdown


@pytest.mark.parametrize(("about", "collections"), [("?!", ""), ("tea", "no-such-collection")])
async def test_an_empty_topic_or_an_unknown_collection_fails_for_good(app: Application, about: str, collections: str):
    who = await app.account_service.local_account()
    task = await app.task_service.submit(who, "research", about, {"collections": collections})
    await app.worker.step()
    failed = await app.task_service.get(who, task.id)
    assert (failed.state, failed.attempts) == ("failed", 1)
    with pytest.raises((InvalidInput, NotFound)):
        await app._investigation()(replace(task), who, lambda *_: None)
