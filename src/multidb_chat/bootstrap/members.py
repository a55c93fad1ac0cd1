"""Accounts as a whole: other people's, exported ones, and those that go."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.background import Background

if TYPE_CHECKING:
    from multidb_chat.services.account_export import AccountExport
    from multidb_chat.services.administration import Administration
    from multidb_chat.services.erasure import Derived, Erasure
    from multidb_chat.services.retention import Retention


class Members(Background):
    """What concerns an account in all stores at once."""

    @cached_property
    def administration(self) -> "Administration":
        """Other people's accounts, for staff."""
        from multidb_chat.services.administration import Administration

        return Administration(self.accounts, self.plans, self.erasure, self.keys, self.audit)

    @cached_property
    def account_export(self) -> "AccountExport":
        """All that is kept of an account as a file."""
        from multidb_chat.services.account_export import AccountExport

        stores = (self.accounts, self.tasks, self.conversations, self.library)
        return AccountExport(*stores, drafts=self.drafts, audit=lambda: self.audit)

    @cached_property
    def erasure(self) -> "Erasure":
        """Accounts out, with all that is theirs."""
        from multidb_chat.services.erasure import Erasure

        stores = (self.accounts, self.tasks, self.conversations, self.library, self.cache)
        return Erasure(*stores, drafts=self.drafts, uploads=self.spool, derived=self._derived, audit=lambda: self.audit)

    def _derived(self) -> "list[Derived]":
        return [self.index, *([self.corpus_follower] if self.corpus_follower else [])]

    @cached_property
    def retention(self) -> "Retention":
        """What is over its time goes."""
        from multidb_chat.services.retention import Kept, Retention

        days = self.settings.retention
        lives = (days.conversations_days, days.tasks_days, days.unread_days)
        return Retention(
            self.erasure,
            self.history,
            self.conversations,
            self.tasks,
            self.cache,
            kept=Kept(*(timedelta(days=life) if life else None for life in lives)),
            audit=lambda: self.audit,
        )
