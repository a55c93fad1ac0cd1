"""Which calls of each port may be done twice, and how long they may take."""

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.library import Library
from multidb_chat.domain.tasks import Tasks
from multidb_chat.services.resilience.guarded import Port


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


# A statement may wait for a lock and for a connection before it runs. `take` counts an operation once.
ACCOUNTS = Port(
    Accounts,
    _named(
        "account account_by_email list_accounts leaving subscriber subscriptions put_subscription take usage session"
        " sessions put_session put_second_factor second_factor put_codes codes_left audit"
    ),
    deadline=5.0,
    deadlines={"audit": 10.0, "delete_account": 10.0},
)

TASKS = Port(
    Tasks,
    _named("enqueue heartbeat task tasks counts inbox unread"),
    deadline=5.0,
    deadlines={"purge": 60.0, "delete_tasks": 60.0},
)

# A change sets what it names, whatever was there before.
CONVERSATIONS = Port(
    Conversations,
    _named(
        "put_conversation change_conversation conversation conversations deleted_conversations idle_conversations"
        " search_conversations append message messages messages_named questions outline put_knowledge knowledge"
        " knowledge_entry knowledge_entries knowledge_vectors uses put_feedback feedback feedback_to feedback_on"
    ),
    deadlines={
        "search_conversations": 30.0,
        "outline": 10.0,
        "questions": 10.0,
        "deleted_conversations": 30.0,
        "idle_conversations": 30.0,
        "knowledge_entries": 10.0,
        "knowledge_vectors": 10.0,
        "feedback_on": 10.0,
        "delete_conversation": 60.0,
        "erase": 600.0,
    },
)

# A document that is put twice has another revision, and so another change.
LIBRARY = Port(
    Library,
    _named(
        "claim_embedder collection collections holdings holdings_in document documents_by_id documents find_documents"
        " text content passages indexable put_source source sources identity version collection_versions changes"
    ),
    deadlines={
        "documents": 10.0,
        "sources": 10.0,
        "text": 30.0,
        "content": 30.0,
        "indexable": 60.0,
        "changes": 10.0,
        "put_documents": 120.0,
        "remove_documents": 120.0,
        "remove_source": 120.0,
        "delete_collection": 600.0,
        "erase": 600.0,
    },
)

# Nothing waits long for what it can do without. `count` and `notify` do a thing once by its identifier.
CACHE = Port(
    Cache,
    _named("get put generation count counters days forget notify notifications"),
    deadline=1.5,
    deadlines={"forget": 30.0, "purge": 60.0},
)
