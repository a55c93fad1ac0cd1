"""What all tests share."""

import pytest

# Contracts are no test files by name; their assertions shall tell as much when they fail.
pytest.register_assert_rewrite("tests.contracts")
