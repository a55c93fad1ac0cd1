"""The rows of the matrix: one module a service, each with a table `ROWS` of `Class.method` to `Row`."""

import importlib
import pkgutil

from tests.authorisation.world import Row


def all_rows() -> dict[str, Row]:
    """Return the rows of all modules here; a method has one row."""
    rows: dict[str, Row] = {}
    for module in pkgutil.iter_modules(__path__):
        for name, row in importlib.import_module(f"{__name__}.{module.name}").ROWS.items():
            assert name not in rows, f"{name} has two rows"
            rows[name] = row
    return rows
