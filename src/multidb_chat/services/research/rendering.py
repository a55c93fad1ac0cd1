"""A research as Markdown: sections by question, what the documents do not say, and the sources."""

from collections.abc import Iterator, Sequence

from multidb_chat.domain.turns import Citation
from multidb_chat.services.research.findings import Finding, Findings
from multidb_chat.services.tasks.reports import escaped
from multidb_chat.services.wording import counted

NOT_SAID = "What the documents do not say"


def rendered(topic: str, findings: Findings, missing: Sequence[str], searched: Sequence[str]) -> str:
    """Return the report. `missing` are words of the topic that stand in no passage that was found."""
    return "\n\n".join(_parts(topic, findings, missing, searched)) + "\n"


def _parts(topic: str, findings: Findings, missing: Sequence[str], searched: Sequence[str]) -> Iterator[str]:
    documents = {one.document_id for one in findings.citations}
    yield f"# Research: {escaped(topic)}"
    where = ", ".join(map(escaped, searched)) or "no collection, since there is none"
    questions = len(findings.found) + len(findings.repeated) + len(findings.unsupported)
    again = f"; {len(findings.repeated):,} more lead to the same sentences" if findings.repeated else ""
    yield (
        f"Searched in: {where}. Of {counted(questions, 'question')}, {len(findings.found)} could be answered,"
        f" in the words of {counted(len(documents), 'document')}{again}."
    )
    for finding in findings.found:
        yield f"## {escaped(finding.facet.title)}"
        yield finding.markdown
    yield f"## {NOT_SAID}"
    yield from _not_said(findings, missing)
    if findings.citations:
        yield "## Sources"
        yield "\n".join(map(_source, findings.citations))


def _not_said(findings: Findings, missing: Sequence[str]) -> Iterator[str]:
    if missing:
        words = ", ".join(f'"{escaped(word)}"' for word in missing)
        yield f"No passage that was found holds {words}."
    if not findings.unsupported:
        yield "Every question that was asked has an answer above."
        return
    yield "Nothing in the documents supports an answer to these:"
    yield "\n".join(_unsupported(finding) for finding in findings.unsupported)


def _unsupported(finding: Finding) -> str:
    line = f"- **{escaped(finding.facet.title)}**"
    if finding.nearest is None:
        return f"{line}: no passage comes near."
    name = finding.nearest.title or finding.nearest.document_name
    return f"{line}: nearest is {escaped(name)}{_place(finding.nearest)}."


def _source(cited: Citation) -> str:
    title = cited.title or cited.document_name
    name = f" ({escaped(cited.document_name)})" if cited.document_name != title else ""
    span = f"characters {cited.start:,} to {cited.end:,}"
    return f"- \\[{cited.number}\\] {escaped(title)}{name}{_place(cited)}, {span}"


def _place(cited: Citation) -> str:
    headings = cited.headings[cited.headings[:1] == (cited.title,) :]
    parts = [f"page {cited.page}"] if cited.page else []
    if headings:
        parts.append(" > ".join(map(escaped, headings)))
    return "".join(f", {part}" for part in parts)
