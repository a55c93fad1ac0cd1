"""The whole story in a real terminal: from a guest's first question to the conversation that is there again."""

from pathlib import Path

import pytest

from tests.tui.story import live_through
from tests.tui.terminal import Terminal

# A whole program in a terminal: beside few others, its screens come as fast as they are read.
pytestmark = pytest.mark.watching
# A password is hashed three times here; how long that takes is nobody's concern in this test.
QUICKLY = {"MULTIDB_CHAT_LOGIN_PASSWORD_COST": "4"}


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_from_the_first_question_to_the_conversation_that_is_there_again(
    home: Path, tmp_path: Path, columns: int, rows: int
) -> None:
    terminal = Terminal(home, columns, rows, **QUICKLY)
    live_through(terminal, tmp_path)
    assert terminal.leave() == 0
