"""Every command that the handbook shows is run as it stands there, in the order of its pages."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
HANDBOOK = CHECKOUT / "docs" / "handbook"

# The smallest page that holds a line of text (PDF 1.7, section 7.5).
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length 87>>stream
BT /F1 12 Tf 72 700 Td (In 2019, 310 customers left; churn fell to 4.2 percent of all.) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""
FILES = {
    "papers/sails.md": "# Sails\n\nA sail works by turning the wind: the air leaves it in another direction, and the "
    "boat is pushed the other way.\n",
    "papers/annual-report.txt": "Annual report\n\nIn 2019, 310 customers left. In 2020, 245 customers left.\n",
    "work/notes.md": "# Notes\n\nThe next meeting is on 12 March 2027 at ten o'clock.\n",
    "work/password.txt": "turning the brass key\n",
    "work/queries.jsonl": '{"id": "q1", "text": "How do sails work?"}\n{"id": "q2", "text": "customers who left"}\n',
}


def shown_commands() -> Iterator[tuple[str, str]]:
    for page in sorted(HANDBOOK.glob("*.md")):
        for fence in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            yield from ((page.name, line) for line in fence.splitlines() if line.strip())


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home folder with a few files, and the program on the PATH."""
    home = tmp_path_factory.mktemp("newcomer")
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    (home / "work" / "report.pdf").write_bytes(PDF)
    program = home / "bin" / "multidb-chat"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m multidb_chat "$@"\n')
    program.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MULTIDB_CHAT_", "XDG_"))}
    environment |= {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return home / "work", environment


def test_every_command_in_the_handbook_does_what_it_says(newcomer: tuple[Path, dict[str, str]]) -> None:
    folder, environment = newcomer
    commands = list(shown_commands())
    assert len(commands) > 25
    for page, command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{page}: {command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        assert done.stdout.strip() or "--run" in command or "--output" in command, f"{page}: {command} says nothing"
