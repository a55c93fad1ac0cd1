"""The only place that names concrete adapters: settings in, composed services out, each made when it is first used.

Opening costs nothing: a store opens its file at the first call, the embedder, the index and the readers are imported
and started when something needs them. Whoever opened the application closes all that was made.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.library import Library
from multidb_chat.domain.search import Embedder, SearchIndex
from multidb_chat.domain.tasks import Tasks
from multidb_chat.services.accounts import AccountService
from multidb_chat.services.history import History
from multidb_chat.services.identity import Identity, Who
from multidb_chat.settings import Settings

if TYPE_CHECKING:  # imported where they are made
    from multidb_chat.adapters.installation.in_use import InUse
    from multidb_chat.adapters.security.passwords import BcryptHasher
    from multidb_chat.adapters.security.stored_log_in import LogInFile
    from multidb_chat.domain.keys import Keys
    from multidb_chat.domain.plans import Limits
    from multidb_chat.domain.reading import DocumentReader, Fetcher
    from multidb_chat.domain.upkeep import Upkeep
    from multidb_chat.services.account_export import AccountExport
    from multidb_chat.services.administration import Administration
    from multidb_chat.services.audit import AuditLog, Recorder
    from multidb_chat.services.authentication.composing import SigningIn
    from multidb_chat.services.authentication.security import AccountSecurity
    from multidb_chat.services.authentication.service import Authentication
    from multidb_chat.services.branches import Branches
    from multidb_chat.services.chat import Chat
    from multidb_chat.services.documents import Documents
    from multidb_chat.services.drafts import Drafts
    from multidb_chat.services.erasure import Erasure
    from multidb_chat.services.feedback import FeedbackService
    from multidb_chat.services.handbook import Handbook
    from multidb_chat.services.ingestion import Ingestion
    from multidb_chat.services.installation.backup import Backups
    from multidb_chat.services.installation.health import Health
    from multidb_chat.services.installation.overview import Overviews
    from multidb_chat.services.installation.restoring import Restoring, Staged
    from multidb_chat.services.knowledge.base import KnowledgeBase
    from multidb_chat.services.knowledge.curation import Curation
    from multidb_chat.services.knowledge.promotion import Promotions
    from multidb_chat.services.narrowing import Narrowing
    from multidb_chat.services.one_off import OneOff
    from multidb_chat.services.plans import Plans
    from multidb_chat.services.question_vectors import QuestionVectors
    from multidb_chat.services.retention import Retention
    from multidb_chat.services.retrieval import Retrieval
    from multidb_chat.services.statistics import Statistics
    from multidb_chat.services.tasks.handling import Handler
    from multidb_chat.services.tasks.inbox import Inbox
    from multidb_chat.services.tasks.service import TaskService
    from multidb_chat.services.tasks.worker import Worker
    from multidb_chat.settings.preferences import Preferences

MEGABYTE = 1_000_000
KEYS, ANCHOR = "keys.json", "audit.head"  # in the data folder
TASK_KINDS = ("analyze", "research")


class Application:
    """The services of one running program and the account that uses them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._in_use: InUse | None = None

    @property
    def account(self) -> Account:
        """Who is talking; read it anew at each use, since one can log in and out while the program runs."""
        return self.identity.account

    # Stores

    @cached_property
    def accounts(self) -> Accounts:
        """The store of accounts."""
        self._require_embedded("accounts")
        from multidb_chat.adapters.sqlite.accounts import SqliteAccounts

        return SqliteAccounts(self.settings.paths.data / "accounts.sqlite")

    @cached_property
    def tasks(self) -> Tasks:
        """The queue of background work, which lives beside the accounts."""
        self._require_embedded("accounts")
        from multidb_chat.adapters.sqlite.tasks import SqliteTasks

        return SqliteTasks(self.settings.paths.data / "accounts.sqlite")

    @cached_property
    def conversations(self) -> Conversations:
        """The store of conversations."""
        self._require_embedded("conversations")
        from multidb_chat.adapters.sqlite.conversations import SqliteConversations

        return SqliteConversations(self.settings.paths.data / "conversations.sqlite")

    @cached_property
    def library(self) -> Library:
        """The store of documents."""
        self._require_embedded("library")
        from multidb_chat.adapters.sqlite.library import SqliteLibrary

        return SqliteLibrary(self.settings.paths.data / "library.sqlite")

    @cached_property
    def cache(self) -> Cache:
        """The store of what may be lost."""
        self._require_embedded("cache")
        from multidb_chat.adapters.sqlite.cache import SqliteCache

        return SqliteCache(self.settings.paths.cache / "cache.sqlite")

    def _require_embedded(self, store: str) -> None:
        if self.settings.value(f"stores.{store}") != "embedded":
            origin = self.settings.origin(f"stores.{store}")
            raise InvalidSetting(
                f'{origin}: stores.{store}: this version has no adapter for servers yet; set "embedded"'
            )

    # Secrets

    @cached_property
    def keys(self) -> "Keys":
        """The installation's own keys."""
        from multidb_chat.adapters.security.key_file import KeyFile

        return KeyFile(self.settings.paths.data / KEYS)

    @cached_property
    def audit(self) -> "AuditLog":
        """Who did what."""
        return _audit_log(self.settings.paths.data, self.accounts, self.keys)

    @cached_property
    def administration(self) -> "Administration":
        """Other people's accounts, for staff."""
        from multidb_chat.services.administration import Administration

        return Administration(self.accounts, self.plans, self.erasure, self.keys, self.audit)

    # The installation as a whole

    @cached_property
    def upkeep(self) -> "tuple[Upkeep, ...]":
        """What looks after the stores, those first that refer to others; the cache is the last."""
        from multidb_chat.adapters.sqlite.upkeeps import cache_upkeep

        return (*_durable_upkeep(self.settings.paths.data), cache_upkeep(self.settings.paths.cache))

    @cached_property
    def health(self) -> "Health":
        """What may be wrong with the installation."""
        from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
        from multidb_chat.adapters.installation.files import InstallationFiles
        from multidb_chat.services.installation.health import Health

        paths = self.settings.paths
        return Health(
            self.upkeep,
            self.index,
            self.keys,
            InstallationFiles(paths.data, paths.cache, paths.config_file),
            verify_model=MiniLMEmbedder(1).verify,
            has_keys=(paths.data / KEYS).exists,
        )

    @cached_property
    def overviews(self) -> "Overviews":
        """What the installation is and holds."""
        from multidb_chat.services.installation.overview import Overviews

        return Overviews(self.upkeep, self.accounts, self.accounts, self.tasks)

    @cached_property
    def backups(self) -> "Backups":
        """Backups, made while everything goes on."""
        from multidb_chat.services.installation.backup import Backups

        data = self.settings.paths.data
        return Backups(_durable_upkeep(data), data / ANCHOR, data / KEYS, self.audit)

    @cached_property
    def restoring(self) -> "Restoring":
        """Backups, put back."""
        from multidb_chat.adapters.installation.data_folder import EmbeddedDataFolder
        from multidb_chat.services.installation.restoring import Restoring

        paths = self.settings.paths
        cache = paths.cache / "cache.sqlite"
        derived = (paths.cache / "index", *(cache.with_name(cache.name + end) for end in ("", "-wal", "-shm")))
        return Restoring(EmbeddedDataFolder(paths.data, derived), _staging, self.accounts, keys=KEYS)

    @cached_property
    def stored_log_in(self) -> "LogInFile":
        """The log-in that this machine keeps."""
        from multidb_chat.remembered import log_in_file

        return log_in_file(self.settings)

    @cached_property
    def password_hasher(self) -> "BcryptHasher":
        """What hashes passwords, in threads of its own."""
        from multidb_chat.adapters.security.passwords import BcryptHasher

        return BcryptHasher(self.settings.login.password_cost)

    @cached_property
    def _signing_in(self) -> "SigningIn":
        from multidb_chat.adapters.security.judging import Judge
        from multidb_chat.adapters.security.origin import origin
        from multidb_chat.adapters.security.time_codes import TotpCodes
        from multidb_chat.adapters.security.tokens import JwtSigner
        from multidb_chat.services.authentication.composing import SigningIn

        login = self.settings.login
        return SigningIn(
            self.accounts,
            self.keys,
            self.audit,
            hasher=self.password_hasher,
            judge=Judge(),
            signer=JwtSigner(),
            codes=TotpCodes(),
            origin=origin(os.environ),
            session_life=timedelta(days=login.days),
            reset_life=timedelta(hours=login.reset_hours),
        )

    @property
    def authentication(self) -> "Authentication":
        """Registering, logging in and out, sessions."""
        return self._signing_in.authentication

    @property
    def account_security(self) -> "AccountSecurity":
        """Passwords, second factors, one-time codes."""
        return self._signing_in.security

    @cached_property
    def identity(self) -> Identity:
        """Who is talking."""
        return Identity(self.account_service, lambda: self.authentication, self.stored_log_in)

    @cached_property
    def preferences(self) -> "Preferences":
        """The settings, to look at and to change."""
        from multidb_chat.settings.preferences import Preferences

        return Preferences(lambda: self.settings, self.apply)

    def apply(self, settings: Settings) -> None:
        """Use changed settings: answers are made by them from the next question on, all else from the next start on."""
        self.settings = settings
        self.__dict__.pop("chat", None)

    # Search and reading

    @cached_property
    def embedder(self) -> Embedder:
        """What makes the vectors."""
        from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder

        return MiniLMEmbedder(self.settings.embedder.threads or None)

    @cached_property
    def index(self) -> SearchIndex:
        """The search index, derived from the library."""
        from multidb_chat.adapters.search_index import EmbeddedSearchIndex

        return EmbeddedSearchIndex(self.settings.paths.cache / "index", self.library)

    @cached_property
    def reader(self) -> "DocumentReader":
        """What reads files, in processes of their own."""
        from multidb_chat.adapters.readers.client import SubprocessReader

        ingest = self.settings.ingest
        return SubprocessReader(
            max_file_bytes=ingest.max_file_mb * MEGABYTE,
            memory_mb=ingest.read_memory_mb,
            timeout_s=ingest.read_timeout_s,
            workers=ingest.workers or None,
        )

    @cached_property
    def fetcher(self) -> "Fetcher":
        """What fetches URLs."""
        from multidb_chat.adapters.fetching import UrlFetcher

        return UrlFetcher(max_bytes=self.settings.ingest.max_file_mb * MEGABYTE)

    # Services

    @cached_property
    def account_service(self) -> AccountService:
        """Who may talk."""
        life = timedelta(hours=self.settings.guest.hours)
        return AccountService(self.accounts, guest_life=life)

    @cached_property
    def plans(self) -> "Plans":
        """What an account may use, and has used."""
        from multidb_chat.services.plans import Plans

        return Plans(self.accounts, self.library, limits=limits_of(self.settings))

    @cached_property
    def statistics(self) -> "Statistics":
        """Figures by day."""
        from multidb_chat.services.statistics import Statistics

        return Statistics(self.cache, self.conversations, self.library)

    @cached_property
    def history(self) -> History:
        """Conversations of an account."""
        kept = timedelta(days=self.settings.retention.deleted_days)
        return History(self.conversations, lambda: self.audit, kept=kept)

    @cached_property
    def erasure(self) -> "Erasure":
        """Accounts out, with all that is theirs."""
        from multidb_chat.services.erasure import Erasure

        stores = (self.accounts, self.tasks, self.conversations, self.library, self.cache)
        return Erasure(*stores, drafts=self.drafts, index=lambda: self.index, audit=lambda: self.audit)

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

    @cached_property
    def account_export(self) -> "AccountExport":
        """All that is kept of an account as a file."""
        from multidb_chat.services.account_export import AccountExport

        stores = (self.accounts, self.tasks, self.conversations, self.library)
        return AccountExport(*stores, audit=lambda: self.audit)

    @cached_property
    def branches(self) -> "Branches":
        """Branches of conversations, and copies of them."""
        from multidb_chat.services.branches import Branches

        return Branches(self.history, self.conversations)

    @cached_property
    def documents(self) -> "Documents":
        """Collections and documents of an account."""
        from multidb_chat.services.documents import Documents

        return Documents(self.library, lambda: self.audit, lambda: self.plans)

    @cached_property
    def feedback(self) -> "FeedbackService":
        """What people say of answers and of the program."""
        from multidb_chat.services.feedback import FeedbackService

        return FeedbackService(self.conversations)

    @cached_property
    def drafts(self) -> "Drafts":
        """What is being written and was not sent yet."""
        from multidb_chat.services.drafts import Drafts

        return Drafts(self.settings.paths.data / "drafts")

    @cached_property
    def narrowing(self) -> "Narrowing":
        """Which documents a question names."""
        from multidb_chat.services.narrowing import Narrowing

        return Narrowing(self.documents)

    @cached_property
    def ingestion(self) -> "Ingestion":
        """Files in, searchable documents out."""
        return self._ingestion(lambda: self.audit, self.plans)

    def _ingestion(self, audit: "Callable[[], Recorder] | None" = None, quota: "Plans | None" = None) -> "Ingestion":
        from multidb_chat.services.ingesting.run import IngestOptions
        from multidb_chat.services.ingestion import Ingestion

        ingest = self.settings.ingest
        options = IngestOptions(ingest.max_file_mb * MEGABYTE, ingest.chunk_chars)
        return Ingestion(self.library, self.reader, self.fetcher, self.embedder, options, audit, quota)

    @cached_property
    def retrieval(self) -> "Retrieval":
        """Questions in, passages out."""
        from multidb_chat.services.retrieval import Retrieval

        return Retrieval(self.index, self.library, self.embedder, self.cache, self.question_vectors)

    @cached_property
    def question_vectors(self) -> "QuestionVectors":
        """What questions mean."""
        from multidb_chat.services.question_vectors import QuestionVectors

        return QuestionVectors(self.embedder, self.cache)

    @cached_property
    def knowledge(self) -> "KnowledgeBase":
        """Questions in, curated answers out."""
        from multidb_chat.services.knowledge.base import KnowledgeBase

        return KnowledgeBase(self.conversations, self.cache, self.question_vectors, self.embedder)

    @cached_property
    def curation(self) -> "Curation":
        """The entries of the knowledge base, for those who may change them."""
        from multidb_chat.services.knowledge.curation import Curation

        return Curation(self.conversations, self.cache, self.embedder, self.audit)

    @cached_property
    def promotions(self) -> "Promotions":
        """Well-rated answers that become entries."""
        from multidb_chat.services.knowledge.promotion import Promotions

        return Promotions(self.conversations, self.curation)

    @cached_property
    def one_off(self) -> "OneOff":
        """Passages of texts that are not in the library."""
        from multidb_chat.services.one_off import OneOff

        return OneOff(self.embedder)

    @cached_property
    def handbook(self) -> "Handbook":
        """The bundled guide."""
        from multidb_chat.services.handbook import Handbook

        # The program's own account is in no store, and has no quota.
        return Handbook(self.library, self.embedder.name, self._ingestion, handbook_folder())

    @cached_property
    def chat(self) -> "Chat":
        """Questions in, cited answers out."""
        from multidb_chat.services.answering.extractive import Extractive
        from multidb_chat.services.chat import Chat
        from multidb_chat.services.handbook import HANDBOOK_ID

        return Chat(
            self.plans,
            self.conversations,
            self.library,
            self.cache,
            self.retrieval,
            Extractive(self.embedder),
            history=self.history,
            statistics=self.statistics,
            knowledge=self.knowledge,
            handbook_id=HANDBOOK_ID,
            threshold=self.settings.search.threshold,
            limit=self.settings.search.limit,
            cache_ttl=self.settings.answers.cache_ttl,
        )

    @cached_property
    def task_service(self) -> "TaskService":
        """Background tasks of an account."""
        from multidb_chat.services.tasks.service import TaskService

        return TaskService(self.tasks, self.plans, self.audit, TASK_KINDS)

    @cached_property
    def inbox(self) -> "Inbox":
        """What is told of tasks that ended."""
        from multidb_chat.services.tasks.inbox import Inbox

        return Inbox(self.tasks, self.cache)

    @cached_property
    def worker(self) -> "Worker":
        """What does background tasks for as long as somebody runs it."""
        from multidb_chat.services.tasks.worker import Worker

        handlers = {"analyze": self._analysis, "research": self._investigation}
        return Worker(self.tasks, self.accounts, handlers, self.inbox)

    def _analysis(self) -> "Handler":
        from multidb_chat.services.analysis.analysis import Analysis
        from multidb_chat.services.handbook import HANDBOOK_ID

        return Analysis(self.documents, self.library, handbook_id=HANDBOOK_ID)

    def _investigation(self) -> "Handler":
        from multidb_chat.services.answering.extractive import Extractive
        from multidb_chat.services.handbook import HANDBOOK_ID
        from multidb_chat.services.research.investigation import Depth, Investigation

        return Investigation(
            self.documents,
            self.retrieval,
            Extractive(self.embedder),
            self.ingestion,
            handbook_id=HANDBOOK_ID,
            depth=Depth(self.settings.search.threshold, self.settings.search.limit),
        )

    async def prepare(self) -> None:
        """Do what can wait until after the first paint: index the handbook, load the embedder, let old guests go."""
        await self.handbook.ensure()
        await self.embedder.embed_query("warm up")
        await self.retention.tidy()

    async def open(self, who: Who) -> None:
        """Hold the data folder, and find or make the account that talks."""
        from multidb_chat.adapters.installation.in_use import InUse

        self._in_use = InUse(self.settings.paths.data)
        await asyncio.to_thread(self._in_use.share)
        await self.identity.open(who)

    async def close(self) -> None:
        """Close what was made; stores last, since the others write to them."""
        for name in (
            "statistics",
            "password_hasher",
            "reader",
            "index",
            "embedder",
            "cache",
            "library",
            "conversations",
            "tasks",
            "accounts",
        ):
            if (made := self.__dict__.get(name)) is not None:
                await made.close()
        if self._in_use is not None:
            self._in_use.release()


def _audit_log(folder: Path, accounts: Accounts, keys: "Keys") -> "AuditLog":
    from multidb_chat.adapters.security.anchor_file import AnchorFile
    from multidb_chat.adapters.security.origin import origin
    from multidb_chat.services.audit import AuditLog

    return AuditLog(accounts, keys, AnchorFile(folder / ANCHOR), origin=origin(os.environ))


def _durable_upkeep(folder: Path) -> "tuple[Upkeep, ...]":
    from multidb_chat.adapters.sqlite import upkeeps

    return upkeeps.conversations_upkeep(folder), upkeeps.library_upkeep(folder), upkeeps.accounts_upkeep(folder)


@asynccontextmanager
async def _staging(folder: Path) -> "AsyncIterator[Staged]":
    """Open the stores that lie in a folder which is to become the data folder."""
    from multidb_chat.adapters.security.key_file import KeyFile
    from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
    from multidb_chat.services.installation.restoring import Staged

    accounts = SqliteAccounts(folder / "accounts.sqlite")
    try:
        yield Staged(_durable_upkeep(folder), accounts, _audit_log(folder, accounts, KeyFile(folder / KEYS)))
    finally:
        await accounts.close()


def limits_of(settings: Settings) -> "dict[str, Limits]":
    """Return what each plan allows by the settings, where 0 stands for no limit."""
    from multidb_chat.domain.plans import Limits

    def limit(key: str, unit: int = 1) -> int | None:
        return int(settings.value(f"plans.{key}")) * unit or None

    paid = {
        plan: Limits(
            limit(f"{plan}_messages"),
            limit(f"{plan}_documents"),
            limit(f"{plan}_storage_mb", MEGABYTE),
            limit(f"{plan}_tasks"),
        )
        for plan in ("free", "pro", "enterprise")
    }
    return paid | {"guest": Limits(limit("guest_messages"), documents=0, storage=0, tasks=0)}


def handbook_folder() -> Path:
    """Return where the bundled guide lies: in the package, or in a checkout beside it."""
    package = Path(__file__).parent
    bundled = package / "handbook"
    return bundled if bundled.is_dir() else package.parents[1] / "docs" / "handbook"


@asynccontextmanager
async def open_application(settings: Settings, who: Who = "shell") -> AsyncIterator[Application]:
    """Compose the application for an account and close it afterwards.

    Raises `InvalidSetting` for a store that this version has no adapter for, `StoreError` when the account cannot be
    read, and `SessionEnded` in the shell when the log-in of this machine is over.
    """
    application = Application(settings)
    try:
        await application.open(who)
        yield application
    finally:
        await application.close()


@asynccontextmanager
async def unopened_application(settings: Settings) -> AsyncIterator[Application]:
    """Compose the application for nobody, without making or reading anything, and close it afterwards."""
    application = Application(settings)
    try:
        yield application
    finally:
        await application.close()
