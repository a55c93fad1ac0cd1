"""Keeping what is being typed, a moment after the last key and beside the loop."""

import asyncio
import logging
from contextlib import suppress

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.tui.serving import Serving

_PAUSE_SECONDS = 0.4
_log = logging.getLogger(__name__)


class Drafting:
    """Keeps the draft of whoever is talking. A draft that cannot be kept is logged: it is no reason to interrupt."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._text = self._kept = ""
        self._task: asyncio.Task[None] | None = None

    def changed(self, text: str) -> None:
        """Keep this text soon; what was sent is forgotten at once."""
        self._text = text
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep())

    async def recall(self) -> str:
        """Return what was kept when the program ended without being asked to; empty when there is nothing."""
        services = await self._serving.services()
        try:
            return await services.drafts.recall(services.account)
        except MultidbChatError as error:
            _log.warning("%s", error)
            return ""

    async def stop(self) -> None:
        """Keep what there is, as somebody leaves; of a guest, nothing: the next one may be somebody else."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        services = self._serving.opened
        if services is not None:
            with suppress(MultidbChatError):
                guest = services.account.role == "guest"
                await services.drafts.keep(services.account, "" if guest else self._text)

    async def _keep(self) -> None:
        services = await self._serving.services()
        while self._text != self._kept:
            if self._text:
                await asyncio.sleep(_PAUSE_SECONDS)
            text = self._text
            try:
                await services.drafts.keep(services.account, text)
            except MultidbChatError as error:
                _log.warning("%s", error)
            self._kept = text
