"""Any order of refreshing, replaying, waiting and ending: those tokens let somebody in that do in a simple model."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.errors import SessionEnded
from multidb_chat.services.authentication.sessions import ACCESS_LIFE, GRACE
from tests.unit.services.signing_in import Gate


class Rotation(RuleBasedStateMachine):
    """One log-in whose refresh tokens are used in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.gate = Gate(Path(self.folder.name))

    @initialize()
    def log_in(self) -> None:
        begun = self.runner.run(self.gate.ada())
        self.account, self.session_id = begun.account, begun.session.id
        self.given = [begun.tokens.refresh]
        self.access = [(begun.tokens.access, self.gate.now)]
        self.present = begun.tokens.refresh
        self.before = ""
        self.rotated_at = self.gate.now - timedelta(days=1)
        self.alive = True

    def teardown(self) -> None:
        self.runner.run(self.gate.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(data=st.data())
    def refresh(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.given[-4:]))
        in_grace = token == self.before and self.gate.now - self.rotated_at <= GRACE
        expected = self.alive and (token == self.present or in_grace)
        try:
            begun = self.runner.run(self.gate.service.refresh(token))
        except SessionEnded:
            assert not expected
            self.alive = False  # also: who uses an old token ends the session
            return
        assert expected
        assert begun.tokens.refresh not in self.given
        if token == self.present:
            self.before, self.rotated_at = token, self.gate.now
        self.present = begun.tokens.refresh
        self.given.append(self.present)
        self.access.append((begun.tokens.access, self.gate.now))

    @rule(seconds=st.sampled_from([1, 9, 10, 11, 300, 601]))
    def wait(self, seconds: int) -> None:
        self.gate.later(seconds=seconds)

    @rule()
    def make_one_up(self) -> None:
        token = f"{self.session_id}.{'x' * 43}.{'0' * 32}"
        try:
            self.runner.run(self.gate.service.refresh(token))
            raise AssertionError("a made-up token let somebody in")
        except SessionEnded:
            pass

    @rule()
    def log_out(self) -> None:
        self.runner.run(self.gate.service.log_out(self.account, self.session_id))
        self.alive = False

    @invariant()
    def access_is_as_in_the_model(self) -> None:
        for token, issued in self.access[-3:]:
            fresh = self.gate.now - issued < ACCESS_LIFE
            try:
                found = self.runner.run(self.gate.service.check(token))
            except SessionEnded:
                assert fresh
                assert not self.alive
                continue
            assert (found is not None) == fresh
            assert found is None or self.alive


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
