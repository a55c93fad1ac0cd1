"""The one error tree. A message is a single line: what is wrong, where, and how to mend it.

::

    MultidbChatError
    ├── InvalidInput              what the user gave cannot be used
    │   ├── InvalidSetting        a configuration key, value or file
    │   ├── UnreadableDocument    a file that yields no text (encrypted, empty, image-only, broken, too large ...)
    │   ├── NotFound              no such collection, document, conversation ...
    │   ├── UnfitPassword         a new password that is too short, too long or too well known
    │   ├── Conflict              a name or identifier is taken, or a record changed meanwhile
    │   └── EmbedderMismatch      a collection's vectors were made by another embedder
    ├── Refused                   understood, and not allowed
    │   ├── NotPermitted          not the owner, or the role lacks the permission
    │   │   ├── LogInRefused      wrong password, unknown account, bad code: not told which
    │   │   │   └── WrongPassword  of somebody who is logged in and was asked for it once more
    │   │   ├── SecondFactorNeeded  the password was right; a code is asked for
    │   │   └── SessionEnded      logged out elsewhere, expired, or the account is gone
    │   ├── TooManyAttempts       come again later
    │   └── QuotaExceeded         the plan's limit for the period is used up
    ├── ModelError                a language model gave no answer, or none that can be used
    │   ├── ModelUnavailable      no connection, too slow, overloaded; another try may help
    │   └── ModelRefused          a wrong key, an unknown model, a prompt that is too long
    └── StoreError                a store could not do its work; `store` names it
        ├── StoreUnavailable      away, frozen, or beyond the deadline; retrying later may help
        ├── StoreFull             no space left: nothing was acknowledged
        ├── StoreCorrupt          the data cannot be read as what it should be
        └── SchemaTooNew          written by a newer version of the program

Adapters translate every driver error into this tree; nothing else crosses the border between floors.
"""

from datetime import datetime


class MultidbChatError(Exception):
    """Base of everything the program raises on purpose; `str(error)` is one line fit for a user."""


class InvalidInput(MultidbChatError):
    """What the user gave cannot be used."""


class InvalidSetting(InvalidInput):
    """A configuration key, value or file is wrong."""


class UnreadableDocument(InvalidInput):
    """A file yields no text; `reason` is short, lower case and stable enough to group by."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class NotFound(InvalidInput):
    """The named thing does not exist, or does not exist for this account."""


class UnfitPassword(InvalidInput):
    """A new password is too short, too long, or among those that are tried first."""


class Conflict(InvalidInput):
    """A name or identifier is taken, or the record changed since it was read."""


class EmbedderMismatch(InvalidInput):
    """A collection's vectors were made by another embedder than the one in use."""


class Refused(MultidbChatError):
    """The request was understood and is not allowed."""


class NotPermitted(Refused):
    """The account does not own the thing, or its role lacks the permission."""


class LogInRefused(NotPermitted):
    """A log-in failed; the message is the same for a wrong password, an unknown account and a bad code."""


class WrongPassword(LogInRefused):
    """Somebody who is logged in was asked for the password once more, and it is another one."""


class SecondFactorNeeded(NotPermitted):
    """The password was right, and the account has a second factor: a code is needed too."""


class SessionEnded(NotPermitted):
    """The log-in is over: ended, expired, replaced, or its account is disabled or gone."""


class TooManyAttempts(Refused):
    """Attempts are slowed down; `retry_at` (UTC) says when the next one is admitted."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class QuotaExceeded(Refused):
    """The plan's limit is used up; `resets_at` (UTC) says when it is full again."""

    def __init__(self, message: str, resets_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resets_at = resets_at


class ModelError(MultidbChatError):
    """A language model gave no answer, or none that can be used."""


class ModelUnavailable(ModelError):
    """The model cannot be reached, is too slow or overloaded; another try may help."""


class ModelRefused(ModelError):
    """The model does not take the request: a wrong key, an unknown model."""


class PromptTooLong(ModelRefused):
    """The question and what goes with it are more than the model can read at once; with less of it, it may."""


class StoreError(MultidbChatError):
    """A store could not do its work; `store` is the name of its port."""

    def __init__(self, store: str, message: str) -> None:
        super().__init__(message)
        self.store = store


class StoreUnavailable(StoreError):
    """The store is away, frozen or beyond the deadline; the same call may go through later."""


class StoreFull(StoreError):
    """No space is left where the store lives; the call was not acknowledged."""


class StoreCorrupt(StoreError):
    """The store's data cannot be read as what it should be."""


class SchemaTooNew(StoreError):
    """The store was written by a newer version of the program."""
