"""The handler of `/research`: questions about a topic, each searched and answered, followed up, and written down."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.library import Collection, document_id
from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.domain.tasks import Task
from multidb_chat.domain.turns import Answerer, Draft, Question
from multidb_chat.services.answering.words import Words, is_function_word
from multidb_chat.services.ingesting.events import FileDone, IngestEvent
from multidb_chat.services.ingesting.sources import Given, Input
from multidb_chat.services.modelled.paying import paid_by
from multidb_chat.services.research.facets import Facet, follow_ups, library_facets, own_facets, topic_of, usual_facets
from multidb_chat.services.research.findings import Findings, fitting
from multidb_chat.services.research.quoting import quoted
from multidb_chat.services.research.rendering import rendered
from multidb_chat.services.tasks.handling import Outcome, Tell
from multidb_chat.services.tasks.reports import Report, dumps
from multidb_chat.services.wording import counted

_BROAD = 30  # passages that tell what the library has to say at all
_FOLLOWING = 0.7  # of the progress: from there on names that turned up are followed
_SAVED = re.compile(r"research-[0-9a-f-]{36}\.md")


class Documents(Protocol):
    """What this needs of the documents service."""

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections that the account may search. Raises `NotFound`."""

    async def ensure_collection(self, account: Account, name: str) -> Collection:
        """Return the account's own collection of this name, made now if there is none."""


class Finder(Protocol):
    """What this needs of the retrieval service."""

    async def search(
        self, question: str, filters: SearchFilters, limit: int = 10, *, merge: bool = True
    ) -> list[Match]:
        """Return the best passages."""


class Ingester(Protocol):
    """What this needs of the ingestion service."""

    def add(self, account: Account, collection: Collection, inputs: Sequence[Input]) -> AsyncIterator[IngestEvent]:
        """Add given texts."""


@dataclass(frozen=True, slots=True)
class Depth:
    """`threshold` is the score from which a passage may be used, `limit` how many an answer is made from."""

    threshold: float = 0.2
    limit: int = 10


class Investigation:
    """Researches a topic in the documents an account may search.

    `handbook_id` is the bundled guide, which is searched only when it is named. Reports that were saved as documents
    are never cited.
    """

    def __init__(
        self,
        documents: Documents,
        finder: Finder,
        answerer: Answerer,
        ingester: Ingester,
        *,
        handbook_id: str = "",
        depth: Depth | None = None,
    ) -> None:
        self._documents = documents
        self._finder = finder
        self._answerer = answerer
        self._ingester = ingester
        self._handbook_id = handbook_id
        self._depth = depth or Depth()

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        """Research the task's `about` in its `collections` (names, one a line), saved into the collection `save`."""
        about = task.payload.get("about", "")
        topic = topic_of(about)
        if not any(character.isalnum() for character in topic):
            raise InvalidInput("The topic is empty: say what to find out.")
        chosen = await self._chosen(account, task)
        words = await asyncio.to_thread(Words)
        with paid_by(account):
            findings, missing = await self._found(about, topic, chosen, words, tell)
        return await self._written(task, account, topic, chosen, findings, missing, tell)

    async def _found(
        self, about: str, topic: str, chosen: Sequence[Collection], words: Words, tell: Tell
    ) -> tuple[Findings, list[str]]:
        """Return what the documents say, and the words of the topic that they do not hold."""
        filters = SearchFilters(tuple(one.id for one in chosen))
        tell(0.02, "looking for what there is")
        broad = await self._passages(topic, filters, _BROAD)
        findings = Findings()
        facets = [*own_facets(about), *usual_facets(topic)]
        facets += await asyncio.to_thread(library_facets, topic, broad, words)
        if not broad:
            for facet in facets:
                findings.add(facet, Draft((), (), False), ())
        else:
            await self._ask(facets, topic, filters, findings, words, tell, 0.05, _FOLLOWING)
            following = await asyncio.to_thread(follow_ups, topic, findings.texts(), facets, words)
            await self._ask(following, topic, filters, findings, words, tell, _FOLLOWING, 0.95)
        return findings, await asyncio.to_thread(_missing, topic, broad, words)

    async def _chosen(self, account: Account, task: Task) -> list[Collection]:
        """Return the collections to search: those that are named, else all there were when the task was made."""
        names = [name for name in task.payload.get("collections", "").split("\n") if name]
        found = await self._documents.resolve(account, names)
        if names:
            return found
        return [one for one in found if one.id != self._handbook_id and one.created_at <= task.created_at]

    async def _passages(self, question: str, filters: SearchFilters, limit: int) -> list[Match]:
        """Return the passages that may be used, best first."""
        found = await self._finder.search(question, filters, 2 * limit, merge=False)
        usable = [one for one in found if not _SAVED.fullmatch(one.document.source)]
        return [one for one in usable[:limit] if one.score >= self._depth.threshold]

    async def _ask(
        self,
        facets: Sequence[Facet],
        topic: str,
        filters: SearchFilters,
        findings: Findings,
        words: Words,
        tell: Tell,
        begin: float,
        end: float,
    ) -> None:
        """Search and answer each question."""
        for number, facet in enumerate(facets):
            tell(begin + (end - begin) * number / len(facets), facet.title)
            matches = await self._passages(facet.asked, filters, self._depth.limit)
            draft = Draft((), (), False)
            if matches:
                async for item in self._answerer.answer(Question(facet.asked, facet.asked), matches):
                    if isinstance(item, Draft):
                        draft = item
            draft = await asyncio.to_thread(fitting, draft, facet, words)
            if not draft.found and facet.fit in ("reason", "trouble"):
                draft = await asyncio.to_thread(quoted, facet, topic, matches, words)
            if draft.found or facet.origin in ("topic", "usual"):  # nobody asked for the others to be answered
                findings.add(facet, draft, matches)

    async def _written(
        self,
        task: Task,
        account: Account,
        topic: str,
        chosen: Sequence[Collection],
        findings: Findings,
        missing: Sequence[str],
        tell: Tell,
    ) -> Outcome:
        """Write the report, and save it as a document where that is wished."""
        markdown = rendered(topic, findings, missing, [one.name for one in chosen])
        found = bool(findings.found)
        saved, target = "", task.payload.get("save", "")
        if found and target:
            tell(0.95, f"saving into {target}")
            saved, target = await self._save(task, account, target, markdown)
        report = Report(
            f"Research: {topic}",
            markdown,
            found,
            _data(topic, chosen, findings, missing),
            tuple(findings.citations),
            saved,
            target if saved else "",
        )
        documents = {one.document_id for one in findings.citations}
        answered = f"{counted(len(findings.found), 'question')} answered"
        summary = f"{answered}, {len(findings.unsupported):,} not, from {counted(len(documents), 'document')}"
        return Outcome(dumps(report), summary if found else "Nothing was found in the documents.")

    async def _save(self, task: Task, account: Account, name: str, markdown: str) -> tuple[str, str]:
        """Save the report under the task's id, so that a second run replaces it. Return the document and collection."""
        collection = await self._documents.ensure_collection(account, name)
        file = f"research-{task.id}.md"
        async for event in self._ingester.add(account, collection, [Given(file, markdown.encode("utf-8", "replace"))]):
            if isinstance(event, FileDone) and event.outcome == "failed":
                raise InvalidInput(f"The report could not be saved: {event.reason}")
        return document_id(collection.id, file, file), collection.name


def _missing(topic: str, matches: Sequence[Match], words: Words) -> list[str]:
    """Return the words of the topic that no passage holds, nor its headings, nor its document's title."""
    held: set[str] = set()
    for match in matches:
        around = f"{match.chunk.text} {' '.join(match.chunk.headings)} {match.document.title}"
        held.update(token.key for token in words.tokens(around))
    tokens = [(topic[token.start : token.end], token.key) for token in words.tokens(topic)]
    return [word for word, key in tokens if key not in held and not is_function_word(word)]


def _data(topic: str, chosen: Sequence[Collection], findings: Findings, missing: Sequence[str]) -> dict[str, Any]:
    return {
        "topic": topic,
        "collections": [one.name for one in chosen],
        "answered": [
            {**asdict(one.facet), "markdown": one.markdown, "citations": sorted(_cited(one.sentences))}
            for one in findings.found
        ],
        "repeated": [asdict(facet) for facet in findings.repeated],
        "unsupported": [asdict(one.facet) for one in findings.unsupported],
        "missing_words": list(missing),
    }


def _cited(sentences: Sequence[Any]) -> set[int]:
    return {number for sentence in sentences for number in sentence.citations}
