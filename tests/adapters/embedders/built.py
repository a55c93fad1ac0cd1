"""The scripts that make small models for tests, loaded as modules."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType


def built_by(script: str) -> ModuleType:
    """Load a script of `scripts/`."""
    loader = SourceFileLoader(script.replace("-", "_"), str(Path(__file__).parents[3] / "scripts" / script))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
