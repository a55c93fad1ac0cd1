"""Entries of the knowledge base: changed by administrators, in and out as files, made of well-rated answers."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.audit import AuditFilter
from multidb_chat.domain.conversations import Feedback, KnowledgeEntry, Message
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.text import normalise_question
from multidb_chat.domain.turns import Answer, AnswerSentence
from multidb_chat.services.answering import codec
from multidb_chat.services.knowledge import exchange
from multidb_chat.services.knowledge.curation import Imported
from multidb_chat.services.knowledge.exchange import Listed, Row
from multidb_chat.services.knowledge.memory import scope_of
from multidb_chat.settings import load_settings

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ADMIN = Account(new_id(), "admin", "free", NOW, "root@example.org")
HOURS = "What are your opening hours?"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Application]:
    made = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)}))
    await made.accounts.create_account(ADMIN)
    yield made
    await made.close()


async def actions(app: Application) -> list[str]:
    """Return what the audit log holds of the administrator, oldest first."""
    entries = await app.audit.entries(ADMIN, AuditFilter(actor=ADMIN.pseudonym))
    return [entry.action for entry in entries][::-1]


async def test_an_entry_is_added_changed_and_removed_and_each_is_recorded(app: Application) -> None:
    (before,) = await app.cache.generation(scope_of(""))
    added = await app.curation.add(ADMIN, f"  {HOURS} ", "Nine to *five*.\n", "Office")
    assert (added.question, added.answer, added.category, added.version) == (HOURS, "Nine to *five*.", "Office", 1)
    changed = await app.curation.edit(ADMIN, HOURS.upper(), answer="Ten to four.")
    assert changed == replace(added, answer="Ten to four.", version=2, updated_at=changed.updated_at)
    moved = await app.curation.edit(ADMIN, added.id[-8:], question="When are you open?", category="")
    assert (moved.question_key, moved.category, moved.version) == ("when are you open", "", 3)
    assert moved.vector != added.vector
    assert (await app.curation.show(ADMIN, added.id)).entry == moved
    assert await app.curation.delete(ADMIN, added.id) == moved
    with pytest.raises(NotFound, match="knowledge list"):
        await app.curation.show(ADMIN, added.id)
    assert await app.cache.generation(scope_of("")) == (before + 4,)
    assert await actions(app) == ["knowledge.add", "knowledge.edit", "knowledge.edit", "knowledge.delete"]


@pytest.mark.parametrize(
    ("question", "answer", "category", "wrong"),
    [
        ("  ?! ", "So.", "", "question is empty"),
        ("Why?", " \n", "", "answer is empty"),
        ("Why " * 300, "So.", "", "1,199 characters"),
        ("Why?", "So. " * 6_000, "", "20,000 are allowed"),
        ("Why?", "So.", "c" * 61, "category has 61"),
    ],
)
async def test_what_cannot_be_an_entry_is_refused(
    app: Application, question: str, answer: str, category: str, wrong: str
) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        await app.curation.add(ADMIN, question, answer, category)
    assert await app.curation.entries(ADMIN) == []
    assert await actions(app) == []


async def test_a_question_has_one_entry(app: Application) -> None:
    first = await app.curation.add(ADMIN, HOURS, "Nine to five.")
    second = await app.curation.add(ADMIN, "Where are you?", "Oslo.")
    with pytest.raises(Conflict, match="edit or delete"):
        await app.curation.add(ADMIN, HOURS.lower(), "Never.")
    with pytest.raises(Conflict, match="edit or delete"):
        await app.curation.edit(ADMIN, second.id, question=HOURS)
    assert [one.entry for one in await app.curation.entries(ADMIN)] == [first, second]


async def test_entries_are_listed_by_category_and_words_with_their_uses(app: Application) -> None:
    await app.curation.add(ADMIN, HOURS, "Nine to five.", "Office")
    await app.curation.add(ADMIN, "Where are you?", "In Oslo.", "Office")
    await app.curation.add(ADMIN, "Why tides?", "The moon.")
    assert await app.knowledge.find("Where are you") is not None
    assert [(one.entry.answer, one.uses) for one in await app.curation.entries(ADMIN, category="Office")] == [
        ("Nine to five.", 0),
        ("In Oslo.", 1),
    ]
    assert [one.entry.question for one in await app.curation.entries(ADMIN, words="MOON")] == ["Why tides?"]
    figures = await app.curation.statistics(ADMIN)
    assert (figures.entries, figures.uses, figures.unused, figures.outdated) == (3, 1, 2, 0)
    assert figures.categories == {"": 1, "Office": 2}
    assert [one.entry.answer for one in figures.most_used] == ["In Oslo."]


async def test_entries_of_another_embedder_get_new_vectors(app: Application) -> None:
    entry = await app.curation.add(ADMIN, "How do I cancel my subscription?", "So.")
    await app.conversations.put_knowledge(replace(entry, embedder="older", vector=b"\x00" * 8))
    assert (await app.curation.statistics(ADMIN)).outdated == 1
    assert await app.curation.reindex(ADMIN) == 1
    assert await app.curation.reindex(ADMIN) == 0
    assert await app.knowledge.find("How can I cancel the subscription?") is not None


CLEAN = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(' ,;"\n\r\t=+-@'), max_size=30
)
ROWS = st.builds(
    lambda number, question, answer, category: Row("", f"{question} {number}x", f"{answer}.", category[:20]),
    st.integers(0, 99),
    CLEAN,
    CLEAN,
    CLEAN,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=6, unique_by=lambda row: row.key), st.sampled_from(["csv", "json"]))
def test_what_was_written_is_read_again(rows: list[Row], form: exchange.Form) -> None:
    kept = [exchange.checked("", row.question, row.answer, row.category) for row in rows]
    entries = [
        Listed(KnowledgeEntry(new_id(), "", row.question, row.key, row.answer, 1, NOW, category=row.category), 3)
        for row in kept
    ]
    read = exchange.read(exchange.written(entries, form).encode(), form)
    assert [(row.question, row.answer, row.category) for row in read] == [
        (row.question, row.answer, row.category) for row in kept
    ]
    assert [row.id for row in read] == [one.entry.id for one in entries]


async def test_an_export_makes_the_same_entries_elsewhere_and_changes_nothing_here(
    app: Application, tmp_path: Path
) -> None:
    made = [Row("", f"What is number {number}?", f"It is {number}.", "Numbers") for number in range(70)]
    await app.curation.import_rows(ADMIN, made)  # more than are stored together
    listed = await app.curation.entries(ADMIN)
    rows = exchange.read(exchange.written(listed, "csv").encode(), "csv")
    assert await app.curation.import_rows(ADMIN, rows) == Imported(0, 0, 70)
    assert await app.curation.entries(ADMIN) == listed
    other = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path / "other")}))
    assert (await other.curation.import_rows(ADMIN, rows)).added == 70
    there = [one.entry for one in await other.curation.entries(ADMIN)]
    assert [replace(entry, updated_at=NOW) for entry in there] == [replace(one.entry, updated_at=NOW) for one in listed]
    await other.close()


async def test_an_import_brings_entries_up_to_date_by_id_or_question(app: Application) -> None:
    hours = await app.curation.add(ADMIN, HOURS, "Nine to five.")
    tides = await app.curation.add(ADMIN, "Why tides?", "The moon.")
    done = await app.curation.import_rows(
        ADMIN,
        [
            Row("line 2", HOURS.upper(), "Ten to four.", "Office"),
            Row("line 3", "Why ebb and flow?", "The moon.", "", tides.id),
            Row("line 4", "Where are you?", "Oslo."),
        ],
    )
    assert (done.added, done.changed, done.unchanged) == (1, 2, 0)
    assert (await app.curation.show(ADMIN, hours.id)).entry.answer == "Ten to four."
    assert (await app.curation.show(ADMIN, tides.id)).entry.question == "Why ebb and flow?"
    with pytest.raises(Conflict, match="line 2"):
        await app.curation.import_rows(ADMIN, [Row("line 2", HOURS, "So.", "", tides.id)])
    with pytest.raises(InvalidInput, match="line 3: the same entry as line 2"):
        await app.curation.import_rows(ADMIN, [Row("line 2", HOURS, "A."), Row("line 3", "New?", "B.", "", hours.id)])


async def test_an_import_that_was_interrupted_is_completed_by_the_next(app: Application) -> None:
    rows = [Row(f"line {n}", f"What is number {n}?", f"It is {n}.") for n in range(150)]
    await app.curation.import_rows(ADMIN, rows[:90])
    assert await app.curation.import_rows(ADMIN, rows) == Imported(60, 0, 90)


@pytest.mark.parametrize(
    ("content", "form", "wrong"),
    [
        (b"question,answer\nWhy?,\nHow?,So.\n?,So.\n", "csv", ["line 2: the answer is empty", "line 4: the question"]),
        (b'question,answer\n"Two\nlines?",So.\nWhy?\n', "csv", ["line 4: 1 cell, the first line has 2"]),
        (b"question,answer\nWhy?,So.\nWHY,No.\n", "csv", ["line 3: the same question as line 2"]),
        (b"question,answr\n", "csv", ["line 1: there is no column answer"]),
        (b"question,answer,sum\n", "csv", ["line 1: there is no such column as 'sum'"]),
        (b"question,answer,Answer\n", "csv", ["line 1: a column is named twice"]),
        (b'question,answer\n"open', "csv", ["line 2: this is not CSV"]),
        (b"", "csv", ["line 1: there is no column question and no column answer"]),
        (b"question,answer\nWhy?,caf\xe9\n", "csv", ["line 2: this is not UTF-8"]),
        (
            b'[{"question": "Why?", "answer": 3}, 7, "x"]',
            "json",
            ["entry 1: answer is not", "entry 2: this", "entry 3"],
        ),
        (b'[{"question": "Why?",\n nonsense', "json", ["line 2: this is not JSON"]),
        (b'{"questions": []}', "json", ["neither a list"]),
    ],
)
def test_what_is_wrong_in_a_file_is_named_by_its_line(content: bytes, form: exchange.Form, wrong: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        exchange.read(content, form)
    text = str(refused.value)
    rows = text.removeprefix("nothing was imported: ")
    problems = rows.split("; ") if rows != text else [text]
    assert len(problems) == len(wrong)
    for problem, expected in zip(problems, wrong, strict=True):
        assert expected in problem


def test_of_many_bad_rows_the_first_are_named_and_the_others_counted() -> None:
    rows = "".join(f"Question {number}?,\n" for number in range(50))
    with pytest.raises(InvalidInput, match=r"line 21: the answer is empty \(and 30 more\)"):
        exchange.read(f"question,answer\n{rows}".encode(), "csv")


@dataclass
class Talk:
    """A conversation of somebody's with one answer."""

    owner: Account
    conversation_id: str
    message_id: str


async def talk_in(app: Application, found: bool = True) -> Talk:
    owner = Account(new_id(), "user", "free", NOW, f"{new_id()}@example.org")
    conversation = await app.history.start(owner, "Tides")
    sentences = (AnswerSentence("The moon pulls.", (1,), ""), AnswerSentence("The sun helps.", (2,)))
    answer = Answer("And ebb?", "Why is there ebb?", "The moon pulls. [1] The sun helps. [2]", found, sentences)
    asked = Message(new_id(), conversation.id, owner.id, "user", "And ebb?", NOW)
    said = Message(new_id(), conversation.id, owner.id, "assistant", answer.text, NOW, asked.id, codec.dumps(answer))
    await app.history.append_turn(owner, conversation.id, asked, said)
    return Talk(owner, conversation.id, said.id)


async def rate(app: Application, talk: Talk, rating: int) -> str:
    """Rate the answer; return the id of the rating."""
    given = Feedback(
        new_id(), talk.owner.id, rating, "Thanks", datetime.now(UTC), talk.conversation_id, talk.message_id
    )
    await app.conversations.put_feedback(given)
    return given.id


async def test_a_well_rated_answer_becomes_an_entry_without_its_marks(app: Application) -> None:
    talk = await talk_in(app)
    rating = await rate(app, talk, 1)
    assert [(one.feedback_id, one.question) for one in await app.promotions.candidates(ADMIN)] == [
        (rating, "Why is there ebb?")
    ]
    proposal = await app.promotions.proposal(ADMIN, rating)
    assert (proposal.question, proposal.answer) == ("Why is there ebb?", "The moon pulls. The sun helps.")
    entry = await app.promotions.promote(ADMIN, rating, category="Sea")
    assert (entry.question, entry.answer, entry.category) == (proposal.question, proposal.answer, "Sea")
    assert await app.knowledge.find("why is there ebb") is not None
    assert await actions(app) == ["knowledge.promote"]
    with pytest.raises(Conflict):
        await app.promotions.promote(ADMIN, rating)
    other = await app.promotions.promote(ADMIN, rating, question="Why flow?", answer="The moon.")
    assert (other.question, other.answer) == ("Why flow?", "The moon.")


@pytest.mark.parametrize("rating", [0, -1])
async def test_an_answer_that_was_not_rated_as_good_cannot_be_seen_nor_promoted(app: Application, rating: int) -> None:
    given = await rate(app, await talk_in(app), rating)
    assert await app.promotions.candidates(ADMIN) == []
    for reference in (given, new_id(), "", "nothing", "ffffffff-ffff-7fff-8fff-ffffffffffff"):
        with pytest.raises(NotFound, match="feedback list"):
            await app.promotions.promote(ADMIN, reference)


async def test_an_answer_that_found_nothing_or_is_gone_is_no_entry(app: Application) -> None:
    nothing = await rate(app, await talk_in(app, found=False), 1)
    gone = await talk_in(app)
    lost = await rate(app, gone, 1)
    await app.conversations.delete_conversation(gone.conversation_id)
    for reference in (nothing, lost):
        with pytest.raises(NotFound):
            await app.promotions.proposal(ADMIN, reference)
    assert await app.promotions.candidates(ADMIN) == []


async def test_entries_are_written_as_json_with_what_is_known_of_them(app: Application) -> None:
    entry = await app.curation.add(ADMIN, HOURS, "Nine to five.", "Office")
    (record,) = json.loads(exchange.written(await app.curation.entries(ADMIN), "json"))["entries"]
    assert (record["id"], record["version"], record["uses"]) == (entry.id, 1, 0)
    assert datetime.fromisoformat(record["updated_at"]) == entry.updated_at
    assert normalise_question(record["question"]) == entry.question_key
