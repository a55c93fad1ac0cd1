"""Homes for the app: made once, copied for each test, since asking fills the answer cache."""

import asyncio
import functools
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from multidb_chat.adapters.embedders import minilm
from multidb_chat.bootstrap import reading
from tests.tui.driving import still
from tests.tui.home import HANDBOOK, TEXTS, furnish

_load = functools.cache(minilm._load)  # one model for all the apps of a run


@contextmanager
def small_handbook() -> Iterator[None]:
    """A handbook of one page, so that screens stay the same when the real one grows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "handbook_folder", lambda: HANDBOOK)
        patch.setattr(minilm, "_load", _load)
        yield


# For a module at a time: the same process runs tests of other folders in between, which have the real one.
@pytest.fixture(autouse=True, scope="module")
def _small_handbook() -> Iterator[None]:
    with small_handbook():
        yield


@pytest.fixture(scope="session")
def furnished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with the documents of `texts`; not to be written to."""
    home = tmp_path_factory.mktemp("furnished")
    with small_handbook():
        asyncio.run(furnish(home, [TEXTS]))
    return home


@pytest.fixture(scope="session")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a handbook and nothing else; not to be written to."""
    home = tmp_path_factory.mktemp("bare")
    with small_handbook():
        asyncio.run(furnish(home, []))
    return home


@pytest.fixture
def home(furnished_home: Path, tmp_path: Path) -> Path:
    """An installation with documents for one test."""
    return Path(shutil.copytree(furnished_home, tmp_path / "home"))


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Compare pictures as the plugin does, with cursors that stay, and take none before the screen stays as it is."""
    for kind in (Input, TextArea):
        monkeypatch.setattr(kind, "cursor_blink", False)

    def compare(app: App[Any], run_before: Callable[[Pilot[Any]], Awaitable[None]] | None = None, **named: Any) -> bool:
        async def run(pilot: Pilot[Any]) -> None:
            if run_before is not None:
                await run_before(pilot)
            await still(pilot)

        return snap_compare(app, run_before=run, **named)

    return compare
