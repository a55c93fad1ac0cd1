"""What may not happen on the loop's thread: opening files of the stores, and loading what is heavy."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

HEAVY = ("numpy", "onnxruntime", "tokenizers", "usearch", "multidb_chat.services.chat")
BEHIND = (*HEAVY, "sqlite3", "multidb_chat.bootstrap", "markdown_it", "textual.widgets._markdown")
ROOT = Path(__file__).parents[2]


def watch(home: Path) -> list[str]:
    """Ask a question in the app; return what happened on the loop's thread."""
    import asyncio

    from multidb_chat.bootstrap import reading
    from multidb_chat.tui.app import ChatApp
    from tests.tui.driving import NARROW, ask, shown
    from tests.tui.home import HANDBOOK

    loop_thread = threading.get_ident()
    on_loop: list[str] = []
    watching = False

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if not watching or threading.get_ident() != loop_thread:
            return
        if event == "import" and given[0] in HEAVY:
            on_loop.append(f"import {given[0]}")
        if event in ("sqlite3.connect", "subprocess.Popen"):
            on_loop.append(event)
        if event == "open" and str(home) in str(given[0]):
            on_loop.append(f"open {Path(str(given[0])).name}")

    def opened() -> Any:
        from tests.tui.home import guest_of

        return guest_of(home)

    async def run() -> None:
        nonlocal watching
        async with ChatApp(opened).run_test(size=NARROW) as pilot:
            watching = True
            await ask(pilot, "Who founded the Kestrel observatory?")
            assert "Lindqvist" in shown(pilot)
        watching = False

    reading.handbook_folder = lambda: HANDBOOK
    sys.addaudithook(hook)
    asyncio.run(run())
    return on_loop


def test_the_loop_opens_no_store_and_loads_nothing_heavy(home: Path) -> None:
    program = (
        "import json, sys, pathlib, tests.tui.test_loop as t; print(json.dumps(t.watch(pathlib.Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_first_paint_loads_neither_services_nor_what_answers_need() -> None:
    program = f"import sys, multidb_chat.tui.app; print([name for name in {BEHIND!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
