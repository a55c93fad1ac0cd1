"""What all tests share."""

import gc
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import require

# Contracts are no test files by name; their assertions shall tell as much when they fail.
pytest.register_assert_rewrite("tests.contracts")

# Started in the background of a script or by nohup, tests ignore what ends programs, and so would every program that
# they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Nobody's own keyring is asked, nor written to, by a test or by a program that a test starts.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# New objects until Python looks for garbage among them, as the program itself has it. At every 700, as usual, with all
# that was collected among what is looked through, it takes a fifth of the time of the tests of the app.
gc.set_threshold(50_000)


def pytest_collection_finish() -> None:
    """What was collected is no garbage, as long as the tests run."""
    gc.freeze()


# What decides whether a change may land gives the same answer twice; everywhere else new examples are tried each time.
# A contract is run by the classes of several backends, each of which is an executor of its own to Hypothesis.
several = [HealthCheck.differing_executors]
settings.register_profile("tests", deadline=None, suppress_health_check=several)
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=several)
settings.load_profile("ci" if os.environ.get("CI") else "tests")


@pytest.fixture(autouse=True)
def _needed_servers(request: pytest.FixtureRequest) -> None:
    """Skip what needs a server that is absent, before any fixture asks for it."""
    for mark in request.node.iter_markers("needs_server"):
        require(mark.args[0])
