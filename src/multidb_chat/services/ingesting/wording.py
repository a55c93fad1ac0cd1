"""How far a run of ingestion is, and what came of it, in words."""

from multidb_chat.services.ingesting.events import Finished, Progress
from multidb_chat.services.wording import counted, span


def figures_of(progress: Progress) -> str:
    """Return files, rate and remaining time."""
    parts = [f"{progress.files_done:,} of {counted(progress.files, 'file')}"]
    if progress.rate:
        parts.append(f"{progress.rate:,.0f} passages/s")
    if progress.remaining is not None:
        parts.append(f"{span(progress.remaining)} left")
    return ", ".join(parts)


def summary_of(finished: Finished) -> str:
    """Return the figures at the end."""
    figures = {
        "added": finished.added,
        "replaced": finished.replaced,
        "unchanged": finished.unchanged,
        "removed": finished.removed,
        "failed": finished.failed,
    }
    told = ", ".join(f"{number:,} {what}" for what, number in figures.items() if number) or "nothing to do"
    made = f"{counted(finished.documents, 'document')}, {counted(finished.chunks, 'passage')}"
    return f"{told} ({made}, {finished.seconds:.1f} s)"
