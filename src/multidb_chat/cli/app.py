"""Starting the Textual app."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidb_chat.settings import Settings


def run_app(settings: "Settings") -> int:
    """Open the app for a guest and return its exit code."""
    from multidb_chat.bootstrap import open_application
    from multidb_chat.tui.app import ChatApp

    app = ChatApp(lambda: open_application(settings, "guest"), settings.tui.theme)
    code = app.run()
    return code if code is not None else app.return_code or 0
