"""Sessions: short-lived signed tokens to be let in with, opaque ones to get the next with, and rows that decide.

A refresh token is used once. The one before the present one is good for ten seconds more, since an answer can be lost;
any other that was ever given out shows that somebody else has a copy, and ends the session. Made-up ones end nothing:
a token carries a code (HMAC) that only this installation can make.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from multidb_chat.domain.accounts import Account, Accounts, Session
from multidb_chat.domain.errors import NotPermitted, SessionEnded
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.keys import Key, Keys
from multidb_chat.domain.signing_in import Tokens, TokenSigner
from multidb_chat.services.accounts import usable

ACCESS_LIFE = timedelta(minutes=10)
GRACE = timedelta(seconds=10)
OVER = "This log-in is over; log in again: multidb-chat login"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is logged in, by which session."""

    account: Account
    session: Session


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in with the tokens that show it."""

    account: Account
    session: Session
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Reuse:
    """A refresh token came again; the session it belonged to is ended."""

    owner: Account
    session: Session


class Sessions:
    """Begins, checks and rotates. `life` is how long a log-in lasts, whatever is done with it."""

    def __init__(
        self, accounts: Accounts, keys: Keys, signer: TokenSigner, life: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._accounts = accounts
        self._keys = keys
        self._signer = signer
        self._life = life
        self._clock = clock

    async def begin(self, owner: Account, client: str) -> LogIn:
        """Begin a session."""
        now, session_id = self._clock(), new_id()
        key = await self._keys.current("tokens")
        refresh = _refresh_token(session_id, key)
        session = Session(session_id, owner.id, now, now + self._life, _hash(refresh), client=client)
        await self._accounts.put_session(session)
        return LogIn(owner, session, Tokens(self._access(session, key), refresh))

    async def check(self, access: str) -> SignedIn | None:
        """Return who is logged in; None when the token is not good (any more). Raises `SessionEnded` by the rows."""
        claims = self._signer.read(access, await self._keys.keys("tokens"), self._clock())
        if claims is None:
            return None
        signed_in = await self.live(str(claims.get("sid", "")))
        return signed_in if signed_in.account.id == claims["sub"] else None

    async def refresh(self, refresh: str) -> LogIn | Reuse:
        """Give new tokens for a refresh token, or tell that it came again. Raises `SessionEnded`."""
        session_id = refresh.partition(".")[0]
        if not any(_is_ours(refresh, key) for key in await self._keys.keys("tokens")):
            raise SessionEnded(OVER)
        signed_in = await self.live(session_id)
        key = await self._keys.current("tokens")
        following = _refresh_token(session_id, key)
        rotated = self._rotated(signed_in.session, _hash(refresh), _hash(following))
        if rotated is not None and await self._accounts.rotate_session(rotated, signed_in.session.refresh_hash):
            return LogIn(signed_in.account, rotated, Tokens(self._access(rotated, key), following))
        if rotated is not None:  # another process was first: the token is the one before now, or older
            return await self.refresh(refresh)
        await self._accounts.end_sessions(signed_in.account.id, self._clock(), [session_id])
        return Reuse(signed_in.account, signed_in.session)

    def _rotated(self, session: Session, given: str, following: str) -> Session | None:
        """Return the session with its next token; None when the given one may not be used any more."""
        now = self._clock()
        if hmac.compare_digest(given, session.refresh_hash):
            return replace(session, refresh_hash=following, previous_refresh_hash=given, rotated_at=now)
        within = session.rotated_at is not None and now - session.rotated_at <= GRACE
        if within and hmac.compare_digest(given, session.previous_refresh_hash):
            return replace(session, refresh_hash=following)
        return None

    async def live(self, key: str) -> SignedIn:
        """Return who is logged in by the session with this id. Raises `SessionEnded`."""
        session = await self._accounts.session(key)
        now = self._clock()
        if session is None or session.ended_at is not None or session.expires_at <= now:
            raise SessionEnded(OVER)
        try:
            return SignedIn(usable(await self._accounts.account(session.account_id), now), session)
        except NotPermitted as error:
            raise SessionEnded(str(error)) from None

    def _access(self, session: Session, key: Key) -> str:
        now = int(self._clock().timestamp())
        claims = {"sub": session.account_id, "sid": session.id, "jti": new_id(), "iat": now}
        return self._signer.sign({**claims, "exp": now + int(ACCESS_LIFE.total_seconds())}, key)


def is_live(session: Session, now: datetime) -> bool:
    """Tell whether the session can still be used."""
    return session.ended_at is None and session.expires_at > now


def _refresh_token(session_id: str, key: Key) -> str:
    body = f"{session_id}.{secrets.token_urlsafe(32)}"
    return f"{body}.{_tag(body, key)}"


def _is_ours(refresh: str, key: Key) -> bool:
    body, _, tag = refresh.rpartition(".")
    return hmac.compare_digest(tag.encode("utf-8", "replace"), _tag(body, key).encode())


def _tag(body: str, key: Key) -> str:
    return hmac.digest(key.secret, f"refresh\0{body}".encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def _hash(refresh: str) -> str:
    return hashlib.sha256(refresh.encode("utf-8", "surrogatepass")).hexdigest()
