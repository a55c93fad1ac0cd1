"""How the app reads its terminal on Unix: once at a time, also after the process was stopped and goes on."""

from textual.drivers import linux_driver

from multidb_chat.tui.pasting import PasteParser

# The driver makes its parser by this name, in its thread.
linux_driver.XTermParser = PasteParser  # type: ignore[attr-defined]


class TerminalDriver(linux_driver.LinuxDriver):
    """Textual's driver, which at `SIGCONT` begins to read the terminal without having ended reading it.

    It does so unless `SIGTSTP` came before. `SIGSTOP` cannot be told, and where a terminal is closed, the kernel sends
    `SIGCONT` behind the `SIGHUP`: a second thread would read what is no more, and the process would never end.
    """

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart and not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()
