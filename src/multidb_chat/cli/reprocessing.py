"""What `multidb-chat docs reprocess` does: collection by collection, or all of them by a background task."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.ingesting import exit_of, followed
from multidb_chat.domain.text import clean_line
from multidb_chat.services.collections import owns
from multidb_chat.services.ingesting.wording import summary_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.library import Collection


async def reprocess(
    console: Console, application: "Application", names: Sequence[str] | None, embedder: str, wait: bool, as_json: bool
) -> Exit:
    """Process the collections of these names (none: all of the account's own) again; return the exit code."""
    account = application.account
    found = await application.documents.resolve(account, names or [])
    chosen = found if names else [one for one in found if owns(account, one)]
    by = application.reprocessing_by(embedder)  # before anything is said or queued: it may be missing
    if not chosen:
        console.tell("There are no collections of yours to process.")
    if not wait:
        from multidb_chat.cli.background_views import queued

        payload = {"collections": "\n".join(one.id for one in chosen), "embedder": embedder}
        about = f"vectors by {by.embedder}"
        return queued(console, await application.task_service.submit(account, "reprocess", about, payload), as_json)
    figures = []
    for one in chosen:
        console.tell(Styled(clean_line(one.name), "strong"), f": {one.embedder or 'empty'} → {by.embedder}")
        figures.append(await followed(console, by.reprocess(account, one)))
        if not as_json and not console.quiet:
            console.write(summary_of(figures[-1]))
    if as_json:
        told = [{"name": one.name, **asdict(done)} for one, done in zip(chosen, figures, strict=True)]
        console.write_json({"collections": told})
    _warn(console, application, by.embedder, embedder, chosen)
    return max(map(exit_of, figures), default=Exit.DONE)


def _warn(
    console: Console, application: "Application", name: str, setting: str, chosen: "Sequence[Collection]"
) -> None:
    """Say so where these collections could not be searched by the settings that everybody uses."""
    if chosen and application.embedders.remembered(name) is None:
        console.complain(
            Styled("note: ", "fair"),
            f"they are searched where the settings name this embedder: multidb-chat config set embedder.name {setting}",
        )
