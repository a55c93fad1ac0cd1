"""An analysis as Markdown: tables for people, with bars made of characters."""

from collections.abc import Iterator, Sequence

from multidb_chat.services.analysis.charts import bar, sparkline
from multidb_chat.services.analysis.figures import (
    DocumentFigures,
    Entities,
    EntityCount,
    Figures,
    GroupFigures,
    Readability,
)
from multidb_chat.services.analysis.readability import ease_of
from multidb_chat.services.tasks.reports import escaped, table
from multidb_chat.services.wording import counted

_TERMS = 20
_DOCUMENTS = 30
_LONGEST = 160


def rendered(figures: Figures) -> str:
    """Return the report."""
    return "\n\n".join(part for part in _parts(figures) if part) + "\n"


def _parts(figures: Figures) -> Iterator[str]:
    about = f": {escaped(figures.description)}" if figures.description else ""
    yield f"# Analysis{about}"
    yield _overview(figures)
    if figures.focus:
        yield from _focus(figures)
    if figures.topics:
        yield from _topics(figures)
    yield from _terms(figures)
    if len(figures.by_collection) > 1:
        yield "## By collection"
        yield _groups("Collection", figures.by_collection, figures.focus)
    if len(figures.by_period) > 1:
        yield "## By date"
        yield "A document that does not say when it was written counts for the day it was added."
        yield f"Words over time: {sparkline([group.words for group in figures.by_period])}"
        yield _groups("Date", figures.by_period, figures.focus)
    yield from _documents(figures)
    yield from _entities(figures.entities)
    yield from _readability(figures.readability)
    yield from _duplicates(figures)
    yield from _repeated(figures)


def _overview(figures: Figures) -> str:
    languages = ", ".join(f"{language} ({count:,})" for language, count in figures.languages.items())
    rows = [
        ("Collections", ", ".join(map(escaped, figures.collections))),
        ("Documents", f"{figures.documents:,}"),
        ("Passages", f"{figures.passages:,}"),
        ("Sentences", f"{figures.sentences:,}"),
        ("Words", f"{figures.words:,}"),
        ("Different terms", f"{figures.distinct_terms:,}"),
        ("Languages", languages),
    ]
    note = "\n\nThere is so much text that rare terms were not kept: their counts are too low." * figures.approximate
    return table(("Figure", ""), rows) + note


def _focus(figures: Figures) -> Iterator[str]:
    words = ", ".join(map(escaped, figures.focus))
    with_it = [document for document in figures.by_document if document.focus]
    yield f"## What you asked about: {words}"
    if not with_it:
        yield "None of these words occurs in the documents."
        return
    total = sum(document.focus for document in with_it)
    yield f"These words occur {counted(total, 'time')} in {len(with_it):,} of the documents below."
    most = with_it[0].focus
    rows = [
        (escaped(one.name), f"{one.focus:,}", bar(one.focus, most, 12))
        for one in sorted(with_it, key=lambda one: -one.focus)[:10]
    ]
    yield table(("Document", "Times", ""), rows, "lrl")
    yield "\n".join(f"- {_cut(line)} ({escaped(name)})" for name, line in figures.focus_sentences[:8])


def _topics(figures: Figures) -> Iterator[str]:
    yield "## Topics"
    of = "all" if figures.topics_of == figures.passages else f"{figures.topics_of:,} of {figures.passages:,}"
    yield f"Groups of passages that are near in meaning, made from {of} passages and named by what sets them apart."
    most = max(topic.share for topic in figures.topics)
    rows = [
        (
            ", ".join(map(escaped, topic.terms)),
            f"{100 * topic.share:.0f}%",
            bar(topic.share, most, 10),
            ", ".join(map(escaped, topic.documents)),
        )
        for topic in figures.topics
    ]
    yield table(("Topic", "Share", "", "Mostly in"), rows, "lrll")


def _terms(figures: Figures) -> Iterator[str]:
    if not figures.terms:
        return
    yield "## Most frequent terms"
    most = figures.terms[0].count
    rows = [
        (escaped(one.term), f"{one.count:,}", f"{one.documents:,}", bar(one.count, most))
        for one in figures.terms[:_TERMS]
    ]
    yield table(("Term", "Times", "Documents", ""), rows, "lrrl")


def _groups(title: str, groups: Sequence[GroupFigures], focus: Sequence[str]) -> str:
    heads = (title, "Documents", "Sentences", "Words", *(("Asked about",) if focus else ()), "Stands out")
    rows = [
        (
            escaped(group.name),
            f"{group.documents:,}",
            f"{group.sentences:,}",
            f"{group.words:,}",
            *((f"{group.focus:,}",) if focus else ()),
            ", ".join(map(escaped, group.terms[:5])),
        )
        for group in groups
    ]
    return table(heads, rows, "lrrrrl" if focus else "lrrrl")


def _documents(figures: Figures) -> Iterator[str]:
    if not figures.by_document:
        return
    yield "## By document"
    shown = figures.by_document[:_DOCUMENTS]
    if figures.documents > len(shown):
        yield f"The {len(shown):,} largest of {figures.documents:,}."
    yield table(
        ("Document", "Date", "Sentences", "Words", "LIX", "Most frequent"), [_document(one) for one in shown], "llrrrl"
    )


def _document(one: DocumentFigures) -> tuple[str, ...]:
    lix = one.readability.lix
    return (
        escaped(one.name),
        one.period,
        f"{one.sentences:,}",
        f"{one.words:,}",
        "" if lix is None else f"{lix:.0f}",
        ", ".join(map(escaped, one.terms[:4])),
    )


def _entities(entities: Entities) -> Iterator[str]:
    kinds = (("Names", entities.names), ("Dates", entities.dates), ("Amounts", entities.amounts))
    if not any(found for _, found in kinds):
        return
    yield "## Names, dates and amounts"
    yield "Recognised by how they are written: capital letters, months, units. Some are missed, some are none."
    yield table(("What", "Most frequent"), [(name, _listed(found)) for name, found in kinds if found])


def _listed(found: Sequence[EntityCount]) -> str:
    return ", ".join(f"{escaped(one.text)} ({one.count:,})" for one in found[:15])


def _readability(measured: Readability) -> Iterator[str]:
    if not measured.words:
        return
    yield "## Readability"
    rows = [("Words in a sentence", f"{measured.words_per_sentence:.1f}", "mean")]
    if measured.lix is not None:
        rows.append(("LIX", f"{measured.lix:.0f}", "any language: below 30 easy, above 50 hard (Björnsson 1968)"))
    if measured.flesch is not None:
        ease = ease_of(measured.flesch)
        rows.append(("Flesch reading ease", f"{measured.flesch:.0f}", f"{ease} (English only; Flesch 1948)"))
    if measured.grade is not None:
        rows.append(("Flesch-Kincaid grade", f"{measured.grade:.1f}", "years of school (English only; Kincaid 1975)"))
    yield table(("Measure", "Value", ""), rows, "lrl")


def _duplicates(figures: Figures) -> Iterator[str]:
    if not figures.near_duplicates:
        return
    yield "## Nearly the same"
    yield "Documents that share most of their word sequences (estimated Jaccard coefficient)."
    rows = [(escaped(pair.first), escaped(pair.second), f"{pair.similarity:.2f}") for pair in figures.near_duplicates]
    yield table(("Document", "Document", "Alike"), rows[:20], "llr")


def _repeated(figures: Figures) -> Iterator[str]:
    if not figures.repeated:
        return
    yield "## Sentences that are repeated"
    rows = [(_cut(one.sentence), f"{one.count:,}", f"{one.documents:,}") for one in figures.repeated]
    yield table(("Sentence", "Times", "Documents"), rows, "lrr")


def _cut(line: str) -> str:
    return escaped(line if len(line) <= _LONGEST else line[: _LONGEST - 1].rpartition(" ")[0] + "…")
