"""Small checkpoints of Stella's layout for tests; what uses them is skipped where the extra is not installed."""

from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

needs_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers")),
    reason="the extra stella is not installed: scripts/test-stella makes an environment that has it",
)


def builder() -> ModuleType:
    """Load `scripts/build-test-stella`."""
    loader = SourceFileLoader("build_test_stella", str(Path(__file__).parents[3] / "scripts/build-test-stella"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
