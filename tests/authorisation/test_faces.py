"""The shell and the app go through services, which look who asks; neither reads a store itself."""

import ast
from pathlib import Path

import multidb_chat

SOURCE = Path(multidb_chat.__file__).parent
FACES = [path for face in ("cli", "tui") for path in sorted((SOURCE / face).rglob("*.py"))]
COMPOSED = {"application", "services", "opened"}
STORES = {"accounts", "tasks", "conversations", "library", "cache"}


def test_no_face_reads_a_store() -> None:
    assert len(FACES) > 50
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)}"
        for path in FACES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in STORES
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (node.value.id if isinstance(node.value, ast.Name) else node.value.attr) in COMPOSED
    ]
    assert found == []
