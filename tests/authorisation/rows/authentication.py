"""Registering, logging in, sessions and proofs: everybody's own, and what staff may do about others."""

from typing import Any

import pyotp

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import DONE, REFUSED, Outcome, Row, World, for_staff, own

PASSWORD = "turning the brass key"
GUESTS_NOT: dict[str, Outcome] = {"guest": REFUSED}
NOBODY: dict[str, Outcome] = dict.fromkeys(("owner", "other", "guest", "support", "admin"), REFUSED)


async def _register(world: World, account: Account) -> Any:
    made = await world.app.authentication.register(account, "new@example.org", PASSWORD, client="test")
    return made.account.email


async def _owners_session(world: World) -> str:
    return (await world.app.authentication._sessions.begin(world.owner, "test")).session.id


async def _log_out(world: World, account: Account) -> None:
    """Name the owner's session: it ends for the owner, and stays for everybody else."""
    session_id = await _owners_session(world)
    await world.app.authentication.log_out(account, session_id)
    session = await world.app.accounts.session(session_id)
    assert session is not None
    assert (session.ended_at is not None) == (account.id == world.owner.id)


async def _sessions(world: World, account: Account) -> Any:
    await _owners_session(world)
    return await world.app.authentication.sessions(account)


async def _end_session(world: World, account: Account) -> Any:
    return await world.app.authentication.end_session(account, await _owners_session(world))


async def _end_other_sessions(world: World, account: Account) -> Any:
    session_id = await _owners_session(world)
    await world.app.authentication.end_other_sessions(account, "")
    session = await world.app.accounts.session(session_id)
    assert session is not None
    assert (session.ended_at is not None) == (account.id == world.owner.id)


async def _confirm_factor(world: World, account: Account) -> Any:
    """The right code confirms nothing for whoever does not know the password."""
    offer = await world.app.account_security.offer_factor(account)
    code = pyotp.TOTP(offer.secret).now()
    return await world.app.account_security.confirm_factor(account, "not this", code)


ROWS = {
    "Authentication.register": Row(_register, owner=DONE, other=DONE, guest=DONE, support=DONE, admin=DONE),
    # Whoever has the session's id may ask whose it is: the id travels in signed tokens alone.
    "Authentication.current": Row(
        lambda world, account: world.app.authentication.current("no such session"),
        **NOBODY,
    ),
    "Authentication.log_out": own(_log_out, disabled=DONE),
    "Authentication.sessions": own(_sessions, **GUESTS_NOT),
    "Authentication.end_session": Row(_end_session, guest=REFUSED),
    "Authentication.end_other_sessions": own(_end_other_sessions, **GUESTS_NOT),
    "Authentication.create": for_staff(
        lambda world, account: world.app.authentication.create(account, "new@example.org", PASSWORD)
    ),
    "Authentication.sessions_of": for_staff(
        lambda world, account: world.app.authentication.sessions_of(account, world.owner.id), support=DONE
    ),
    "Authentication.end_sessions_of": for_staff(
        lambda world, account: world.app.authentication.end_sessions_of(account, world.owner.id)
    ),
    "AccountSecurity.change_password": Row(
        lambda world, account: world.app.account_security.change_password(account, "not this", PASSWORD), **NOBODY
    ),
    "AccountSecurity.issue_reset": for_staff(
        lambda world, account: world.app.account_security.issue_reset(account, world.owner.id), support=DONE
    ),
    "AccountSecurity.factor": own(lambda world, account: world.app.account_security.factor(account), **GUESTS_NOT),
    "AccountSecurity.offer_factor": own(
        lambda world, account: world.app.account_security.offer_factor(account), **GUESTS_NOT
    ),
    "AccountSecurity.confirm_factor": Row(_confirm_factor, **NOBODY),
    "AccountSecurity.remove_factor": Row(
        lambda world, account: world.app.account_security.remove_factor(account, "not this"), **NOBODY
    ),
    "AccountSecurity.new_recovery_codes": Row(
        lambda world, account: world.app.account_security.new_recovery_codes(account, "not this"), **NOBODY
    ),
    "AccountSecurity.clear_factor": for_staff(
        lambda world, account: world.app.account_security.clear_factor(account, world.owner.id)
    ),
}
