"""Small checkpoints of Stella's layout for tests; what uses them is skipped where the extra is not installed."""

from importlib.util import find_spec
from types import ModuleType

import pytest

from tests.adapters.embedders.built import built_by

needs_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers")),
    reason="the extra stella is not installed: scripts/test-stella makes an environment that has it",
)


def builder() -> ModuleType:
    """Load `scripts/build-test-stella`."""
    return built_by("build-test-stella")
