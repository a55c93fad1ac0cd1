"""bcrypt, zxcvbn with the list of breached passwords, PyJWT and pyotp: the contracts."""

from collections.abc import AsyncIterator

import pytest

from multidb_chat.adapters.security.judging import Judge
from multidb_chat.adapters.security.passwords import BcryptHasher
from multidb_chat.adapters.security.time_codes import TotpCodes
from multidb_chat.adapters.security.tokens import JwtSigner
from tests.contracts.proofs import PasswordHasherContract, PasswordJudgeContract, TimeCodesContract, TokenSignerContract


class TestBcryptHasher(PasswordHasherContract):
    @pytest.fixture
    async def hasher(self) -> AsyncIterator[BcryptHasher]:
        made = BcryptHasher(4)
        yield made
        await made.close()

    async def test_a_hash_of_another_cost_is_good_and_not_current(self, hasher: BcryptHasher):
        dearer = BcryptHasher(5)
        hashed = await dearer.hash(b"secret")
        await dearer.close()
        assert await hasher.verify(b"secret", hashed)
        assert not hasher.is_current(hashed)


class TestJudge(PasswordJudgeContract):
    @pytest.fixture
    def judge(self) -> Judge:
        return Judge()

    def test_the_list_holds_what_the_documentation_says(self, judge: Judge):
        assert len(judge._breached) == 16_293
        assert min(map(len, judge._breached)) == 8


class TestJwtSigner(TokenSignerContract):
    @pytest.fixture
    def signer(self) -> JwtSigner:
        return JwtSigner()


class TestTotpCodes(TimeCodesContract):
    @pytest.fixture
    def codes(self) -> TotpCodes:
        return TotpCodes()
