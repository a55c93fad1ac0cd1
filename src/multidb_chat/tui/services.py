"""What the app needs from the floors below: services already composed, as plain attributes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # The app paints before the services are loaded.
    from multidb_chat.domain.accounts import Account
    from multidb_chat.services.authentication.security import AccountSecurity
    from multidb_chat.services.authentication.service import Authentication
    from multidb_chat.services.branches import Branches
    from multidb_chat.services.chat import Chat
    from multidb_chat.services.documents import Documents
    from multidb_chat.services.drafts import Drafts
    from multidb_chat.services.feedback import FeedbackService
    from multidb_chat.services.history import History
    from multidb_chat.services.identity import Identity
    from multidb_chat.services.ingestion import Ingestion
    from multidb_chat.services.narrowing import Narrowing
    from multidb_chat.services.one_off import OneOff
    from multidb_chat.services.pinned_facts import PinnedFacts
    from multidb_chat.services.plans import Plans
    from multidb_chat.services.recalling.reading import Recollection
    from multidb_chat.services.resilience.spool import Spool
    from multidb_chat.services.resilience.states import StoreStates
    from multidb_chat.services.statistics import Statistics
    from multidb_chat.services.tasks.inbox import Inbox
    from multidb_chat.services.tasks.service import TaskService
    from multidb_chat.services.tasks.worker import Worker
    from multidb_chat.settings.preferences import Preferences


class Services(Protocol):
    """The composed services of one running program, and who is using them."""

    @property
    def account(self) -> "Account":
        """Who is talking; read it anew at each use."""

    @property
    def identity(self) -> "Identity":
        """Logs in, registers and logs out."""

    @property
    def authentication(self) -> "Authentication":
        """Lists and ends log-ins."""

    @property
    def account_security(self) -> "AccountSecurity":
        """Changes passwords and second factors."""

    @property
    def chat(self) -> "Chat":
        """Answers questions."""

    @property
    def documents(self) -> "Documents":
        """Collections and documents."""

    @property
    def ingestion(self) -> "Ingestion":
        """Adds documents."""

    @property
    def history(self) -> "History":
        """Keeps conversations."""

    @property
    def branches(self) -> "Branches":
        """Shows and copies branches of conversations."""

    @property
    def drafts(self) -> "Drafts":
        """Keeps what is being typed."""

    @property
    def feedback(self) -> "FeedbackService":
        """Takes what people say of answers and of the program."""

    @property
    def narrowing(self) -> "Narrowing":
        """Finds the documents that a question names."""

    @property
    def task_service(self) -> "TaskService":
        """Queues background tasks and tells how they fare."""

    @property
    def inbox(self) -> "Inbox":
        """Keeps what is told of tasks that ended."""

    @property
    def worker(self) -> "Worker":
        """Does background tasks for as long as the app is open."""

    @property
    def preferences(self) -> "Preferences":
        """The settings, to look at and to change."""

    @property
    def pinned_facts(self) -> "PinnedFacts":
        """What the account wants remembered."""

    @property
    def recollection(self) -> "Recollection":
        """Shows what models get of a conversation."""

    @property
    def one_off(self) -> "OneOff":
        """Ranks passages of texts that are not in the library."""

    @property
    def plans(self) -> "Plans":
        """Knows what is left of the plan."""

    @property
    def statistics(self) -> "Statistics":
        """Knows what was done."""

    @property
    def store_states(self) -> "StoreStates":
        """Knows which stores on servers are away."""

    @property
    def spools(self) -> bool:
        """Whether uploads are kept while the library is away."""

    @property
    def spool(self) -> "Spool":
        """Keeps uploads while the library is away."""

    async def prepare(self) -> None:
        """Do what can wait until after the first paint: index the handbook, load the embedder."""


OpenServices = Callable[[], AbstractAsyncContextManager[Services]]
