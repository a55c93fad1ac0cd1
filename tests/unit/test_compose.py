"""The files that describe the servers as containers are good ones, as far as their own tool tells without an engine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool() -> list[str]:
    """Return the command of Compose; skips where it is not installed."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("Compose is not installed")


@pytest.mark.parametrize("files", [["docker-compose.yml"], ["docker-compose.yml", "docker-compose.prod.yml"]])
def test_compose_reads_the_files(files: list[str]) -> None:
    chosen = [word for file in files for word in ("-f", file)]
    bind = {"MULTIDB_CHAT_BIND": "10.0.0.5"}
    done = subprocess.run(
        [*tool(), *chosen, "config"], cwd=ROOT, capture_output=True, text=True, env={**os.environ, **bind}
    )
    assert done.returncode == 0, done.stderr
    for service in ("redis", "postgres", "scylla", "mongodb"):
        assert f"  {service}:" in done.stdout
    assert "0.0.0.0" not in done.stdout
