"""What each role may do. Every service method checks here, besides who owns the thing it is about."""

from collections.abc import Mapping
from enum import StrEnum

from multidb_chat.domain.accounts import Account, Role
from multidb_chat.domain.errors import NotPermitted


class Permission(StrEnum):
    """A named right. The first group is about one's own things, the second about everybody's."""

    CHAT = "chat"
    INGEST = "documents.add"
    RUN_TASKS = "tasks.run"
    GIVE_FEEDBACK = "feedback.give"
    KEEP_ACCOUNT = "account.keep"

    READ_USERS = "users.read"
    MANAGE_USERS = "users.manage"
    RESET_PASSWORDS = "users.reset-password"
    READ_USAGE = "usage.read"
    MANAGE_PLANS = "plans.manage"
    READ_AUDIT = "audit.read"
    READ_KNOWLEDGE = "knowledge.read"
    MANAGE_KNOWLEDGE = "knowledge.manage"
    READ_FEEDBACK = "feedback.read"
    READ_TASKS = "tasks.read"
    MANAGE_TASKS = "tasks.manage"
    READ_STATISTICS = "statistics.read"
    MANAGE_INSTALLATION = "installation.manage"


P = Permission
_GUEST = frozenset({P.CHAT, P.GIVE_FEEDBACK})
_USER = _GUEST | {P.INGEST, P.RUN_TASKS, P.KEEP_ACCOUNT}
_SUPPORT = _USER | {
    P.READ_USERS,
    P.RESET_PASSWORDS,
    P.READ_USAGE,
    P.READ_AUDIT,
    P.READ_KNOWLEDGE,
    P.READ_FEEDBACK,
    P.READ_TASKS,
    P.READ_STATISTICS,
}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    "guest": _GUEST,
    "user": _USER,
    "support": _SUPPORT,
    "admin": frozenset(Permission),
}


def may(account: Account, permission: Permission) -> bool:
    """Tell whether the account's role has the permission; a disabled account has none."""
    return account.disabled_at is None and permission in PERMISSIONS[account.role]


def require(account: Account, permission: Permission) -> None:
    """Raise `NotPermitted` unless the account may do this, with what to do about it."""
    if may(account, permission):
        return
    if account.disabled_at is not None:
        raise NotPermitted("This account is disabled; ask an administrator.")
    if account.role == "guest":
        raise NotPermitted("Guests cannot do this; register for an account of your own: multidb-chat register")
    raise NotPermitted(
        f"This needs the permission {permission.value}, which the role {account.role} does not have;"
        " log in as somebody who may (multidb-chat login);"
        " where there is no administrator yet, multidb-chat admin init makes one"
    )
