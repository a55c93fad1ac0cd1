"""What all tests share."""

import os

import pytest
from hypothesis import settings

# Contracts are no test files by name; their assertions shall tell as much when they fail.
pytest.register_assert_rewrite("tests.contracts")

# What decides whether a change may land gives the same answer twice; everywhere else new examples are tried each time.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
