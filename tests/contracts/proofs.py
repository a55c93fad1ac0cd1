"""What every `PasswordHasher`, `PasswordJudge`, `TokenSigner` and `TimeCodes` does, written once each."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.domain.keys import Key
from multidb_chat.domain.signing_in import PasswordHasher, PasswordJudge, TimeCodes, TokenSigner

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", of RFC 6238, appendix B
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER_KEY = Key("one", b"1" * 32), Key("two", b"2" * 32)


class PasswordHasherContract:
    """Give it a fixture `hasher`."""

    async def test_a_secret_is_verified_by_its_own_hash_alone(self, hasher: PasswordHasher):
        secret = b"s" * 72
        one, other = await hasher.hash(secret), await hasher.hash(secret)
        assert one != other  # salted
        assert await hasher.verify(secret, one)
        assert await hasher.verify(secret, other)
        assert not await hasher.verify(secret[:-1] + b"t", one)
        assert not await hasher.verify(b"", one)

    @pytest.mark.parametrize("hashed", ["", "no hash", "$2b$04$short", "$9z$04$" + "a" * 53])
    async def test_what_is_no_hash_verifies_nothing(self, hasher: PasswordHasher, hashed: str):
        assert not await hasher.verify(b"secret", hashed)

    async def test_its_own_hashes_are_current(self, hasher: PasswordHasher):
        assert hasher.is_current(await hasher.hash(b"secret"))
        assert not hasher.is_current("")


class PasswordJudgeContract:
    """Give it a fixture `judge`."""

    @pytest.mark.parametrize("password", ["password1", "PASSWORD1", "12345678", "qwertyuiop", "iloveyou1"])
    async def test_what_everybody_takes_is_breached_in_any_case(self, judge: PasswordJudge, password: str):
        assert await judge.is_breached(password)

    @pytest.mark.parametrize("password", ["", "turning the brass key", "password1 password2 zorblax", "\\ud800"])
    async def test_what_nobody_took_is_not(self, judge: PasswordJudge, password: str):
        assert not await judge.is_breached(password)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(password=st.text(max_size=40))
    async def test_any_text_has_a_strength_with_advice_of_one_line(self, judge: PasswordJudge, password: str):
        strength = await judge.strength(password, ["ada@example.org"])
        assert 0 <= strength.score <= 4
        assert strength.guesses >= 0
        assert "\n" not in strength.hint

    async def test_more_is_stronger(self, judge: PasswordJudge):
        scores = [
            (await judge.strength(text)).score for text in ("aaaaaaaa", "correct horse", "correct horse battery moose")
        ]
        assert scores == sorted(scores)
        assert scores[0] < scores[-1]


class TokenSignerContract:
    """Give it a fixture `signer`."""

    def claims(self) -> dict[str, object]:
        begin = int(NOW.timestamp())
        return {"sub": "ada", "jti": "1", "iat": begin, "exp": begin + 60, "sid": "s"}

    def test_a_token_is_read_by_its_key_while_it_is_good(self, signer: TokenSigner):
        token = signer.sign(self.claims(), KEY)
        for at, good in ((-1, False), (0, True), (59, True), (60, False)):
            read = signer.read(token, [OTHER_KEY, KEY], NOW + timedelta(seconds=at))
            assert (read is not None) == good
            assert read is None or read["sid"] == "s"
        assert signer.read(token, [OTHER_KEY], NOW) is None
        assert signer.read(token, [Key(KEY.kid, OTHER_KEY.secret)], NOW) is None
        assert signer.read(token, [], NOW) is None

    @pytest.mark.parametrize("missing", ["exp", "iat", "sub", "jti"])
    def test_a_token_without_what_it_must_have_is_none(self, signer: TokenSigner, missing: str):
        claims = self.claims()
        del claims[missing]
        assert signer.read(signer.sign(claims, KEY), [KEY], NOW) is None

    @pytest.mark.parametrize("change", [{"iss": "other"}, {"aud": "other"}])
    def test_a_token_of_others_is_none(self, signer: TokenSigner, change: dict[str, object]):
        assert signer.read(signer.sign(self.claims() | change, KEY), [KEY], NOW) is None

    @given(text=st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
    def test_any_text_is_no_token(self, signer: TokenSigner, text: str):
        assert signer.read(text, [KEY], NOW) is None

    @given(place=st.integers(0, 10_000), change=st.integers(1, 127))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
    def test_a_changed_token_is_none_or_says_the_same(self, signer: TokenSigner, place: int, change: int):
        token = signer.sign(self.claims(), KEY)
        at = place % len(token)
        changed = token[:at] + chr(ord(token[at]) ^ change) + token[at + 1 :]
        read = signer.read(changed, [KEY], NOW)  # the last letter of base64 has bits that mean nothing
        assert read is None or read == signer.read(token, [KEY], NOW)


class TimeCodesContract:
    """Give it a fixture `codes`."""

    # RFC 6238, appendix B, of eight digits the last six: the secret is "12345678901234567890".
    @pytest.mark.parametrize(
        ("seconds", "code"),
        [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")],
    )
    def test_codes_are_those_of_the_standard(self, codes: TimeCodes, seconds: int, code: str):
        at = datetime.fromtimestamp(seconds, UTC)
        assert codes.step(SECRET, code, at) == seconds // 30
        assert codes.step(codes.new_secret(), code, at) in (None, seconds // 30)

    def test_a_code_is_good_one_step_early_or_late_and_names_its_own_step(self, codes: TimeCodes):
        at, own = datetime.fromtimestamp(1_111_111_109, UTC), 1_111_111_109 // 30
        for seconds, step in ((-60, None), (-30, own), (0, own), (30, own), (60, None)):
            assert codes.step(SECRET, "081804", at + timedelta(seconds=seconds)) == step

    @pytest.mark.parametrize("code", ["", "0", "28708", "2870820", "abcdef", "٢٨٧٠٨٢", "\ud800", "287 082"])
    def test_what_is_no_code_has_no_step(self, codes: TimeCodes, code: str):
        assert codes.step(SECRET, code, datetime.fromtimestamp(59, UTC)) is None

    def test_secrets_are_new_each_time_and_long(self, codes: TimeCodes):
        made = {codes.new_secret() for _ in range(20)}
        assert len(made) == 20
        assert {len(secret) for secret in made} == {32}

    def test_a_picture_is_a_square_with_a_light_edge(self, codes: TimeCodes):
        lines = codes.picture(codes.uri(codes.new_secret(), "ada@example.org"))
        width = len(lines[0])
        assert {len(line) for line in lines} == {width}
        assert width // 2 <= len(lines) <= width // 2 + 1
        assert set(lines[0]) == {"█"}
        assert set("".join(lines)) <= set("█▀▄ ")
