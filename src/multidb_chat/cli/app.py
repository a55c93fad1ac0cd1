"""Starting the Textual app."""

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from multidb_chat.bootstrap import Application
    from multidb_chat.settings import Settings

# New objects until Python looks for garbage among them, as usual; a command looks less often (`main`), but longer.
_OFTEN = 700
# How often it looks among those until it looks among all, for which a key waits 50 to 200 ms in a long conversation: as
# usual while nobody presses keys, else more seldom.
_SOON = 10
_SELDOM = 30


def run_app(settings: "Settings") -> int:
    """Open the app for whoever used it last, and return its exit code. Raises what kept the services from opening."""
    from multidb_chat.cli.session import start_log
    from multidb_chat.remembered import remembered
    from multidb_chat.tui.app import ChatApp

    last = remembered(settings)

    def open_services() -> "AbstractAsyncContextManager[Application]":
        from multidb_chat.bootstrap import open_application  # called behind the first paint

        return open_application(settings, "guest" if last == "guest" else "app")

    start_log(settings)
    # A thread that works in Python gives way to a key this soon (seconds; Python's own 0.005 is a third of a frame).
    sys.setswitchinterval(0.001)
    app = ChatApp(
        open_services,
        settings.tui.theme,
        first="welcome" if last is None else "chat",
        bell=settings.tui.bell,
        settled=settle,
        idle=tidy,
    )
    code = app.run()
    if app.failure is not None:
        raise app.failure
    return code if code is not None else app.return_code or 0


def settle() -> None:
    """Keep what is loaded for good: looking through it again for garbage takes four frames' time."""
    gc.freeze()
    gc.set_threshold(_OFTEN, _SOON, _SELDOM)


def tidy() -> None:
    """Look for garbage among all objects, when there may be some of it."""
    if gc.get_count()[2] >= _SOON:
        gc.collect()
