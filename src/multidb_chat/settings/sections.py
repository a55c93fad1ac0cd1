"""Every setting there is, once: its section, key, type, default, bounds and help. All else is made from this."""

from dataclasses import dataclass

from multidb_chat.settings.rules import masked, setting


class Section:
    """A table of the configuration file. Its `repr` masks what is secret.

    The sections go without slots and comparison, since making those would take a third of the time to import them.
    """

    def __repr__(self) -> str:
        return masked(self)


def _store(schemes: tuple[str, ...], what: str) -> str:
    url: str = setting("embedded", f"{what}: embedded in this program, or the URL of a server.", schemes=schemes)
    return url


def _place(without: str, what: str) -> str:
    """Define where a secret lies, which is no secret itself."""
    place: str = setting(
        without,
        what,
        pattern=rf"{without}|(?:env|file|keyring):\S.*",
        form=f'"{without}", or "env:NAME" (a variable), "file:PATH" or "keyring:NAME"',
    )
    return place


def _password(of: str) -> str:
    return _place("url", f"Where the password for {of} is, if not in the URL; so that it need not be in this file.")


@dataclass(frozen=True, repr=False, eq=False)
class Stores(Section):
    """Where the data lives. Each of the four can be moved on its own."""

    accounts: str = _store(("postgresql",), "Accounts, plans, usage, sessions and tasks")
    conversations: str = _store(("scylla",), "Conversations, knowledge and feedback")
    library: str = _store(("mongodb", "mongodb+srv"), "Documents, passages and their vectors")
    cache: str = _store(
        ("redis", "rediss", "redis+sentinel", "rediss+sentinel"), "Answers, counters and notifications that may be lost"
    )
    accounts_password: str = _password("PostgreSQL")
    conversations_password: str = _password("ScyllaDB or Cassandra")
    library_password: str = _password("MongoDB")
    cache_password: str = _password("Redis")


@dataclass(frozen=True, repr=False, eq=False)
class Search(Section):
    """Finding passages."""

    threshold: float = setting(0.2, "Passages with a lower score are not used for an answer.", low=0, high=1)
    limit: int = setting(10, "How many passages an answer is made from.", low=1, high=100)
    rewrite: str = setting(
        "none",
        "Whether a question is asked in other words, too: those of the best passages, or the language model's.",
        choices=("none", "feedback", "model"),
    )
    rerank: str = setting(
        "none",
        "What puts the best passages in order, beside the question: a cross-encoder, or the language model.",
        pattern=r"none|model|sentence-transformers:\S.*",
        form='"none", "model" or "sentence-transformers:PATH" (the folder of a cross-encoder)',
    )
    rerank_best: int = setting(20, "How many of the best passages are put in order.", low=2, high=100)
    timeout_s: float = setting(10.0, "Seconds that either may take; then it is done without.", low=0.1, high=600)


@dataclass(frozen=True, repr=False, eq=False)
class Answers(Section):
    """Making answers."""

    cache_ttl: int = setting(3_600, "Seconds that an answer is kept; 0 keeps none.", low=0)


@dataclass(frozen=True, repr=False, eq=False)
class Ingest(Section):
    """Reading documents."""

    max_file_mb: int = setting(50, "Larger files are not read (megabytes).", low=1, high=10_000)
    read_timeout_s: int = setting(120, "The most seconds that reading one file may take.", low=1, high=86_400)
    read_memory_mb: int = setting(2_048, "The most memory that reading one file may take (megabytes).", low=256)
    chunk_chars: int = setting(1_200, "The length of a passage that is aimed at (characters).", low=200, high=20_000)
    workers: int = setting(0, "Processes that read files; 0 is one for each processor core.", low=0, high=256)


@dataclass(frozen=True, repr=False, eq=False)
class Embedder(Section):
    """Turning texts into vectors."""

    name: str = setting(
        "auto",
        "What makes the vectors of new collections; auto: Stella where it and an accelerator are, else MiniLM.",
        pattern=r"auto|minilm|stella|sentence-transformers:\S.*|openai:https?://[^\s/]\S*",
        form='"auto", "minilm", "stella", "sentence-transformers:PATH" or "openai:URL" (a server that speaks like it)',
    )
    threads: int = setting(
        0,
        "Threads that make vectors with MiniLM, and that read sentences; 0 is one for each processor core.",
        low=0,
        high=256,
    )
    device: str = setting("auto", "Where larger models run.", choices=("auto", "cuda", "mps", "cpu"))
    precision: str = setting("auto", "What larger models compute with.", choices=("auto", "bfloat16", "float32"))
    dimensions: int = setting(
        0, "The length of Stella's or a server's vectors; 0 is the model's own (Stella: 1024).", low=0, high=65_536
    )
    model: str = setting("text-embedding-3-small", "The model that a server of the form openai:URL is asked for.")
    key: str = _place("none", "Where the key for such a server is.")
    kept_mb: int = setting(
        512, "Vectors of larger models that are kept for texts that come again (megabytes).", low=0, high=1_000_000
    )


@dataclass(frozen=True, repr=False, eq=False)
class Model(Section):
    """Answers in the words of a language model. Without one they are quoted from the documents."""

    name: str = setting(
        "none",
        "Which model writes the answers; `multidb-chat models use` sets it.",
        pattern=r"none|(?:openai|anthropic|gemini|gguf):\S.*",
        form='"none", "openai:NAME" (also servers that speak like it), "anthropic:NAME", "gemini:NAME" or "gguf:PATH"',
    )
    url: str = setting(
        "provider",
        "Where the model is served, if not by its provider: http://localhost:11434/v1 for Ollama, say.",
        pattern=r"provider|https?://[^\s/]\S*",
        form='"provider" or a URL that begins with http:// or https://',
    )
    key: str = _place("none", "Where the key for the provider is.")
    strict: bool = setting(False, "Leave out sentences that no passage supports; otherwise they are marked with [?].")
    most_tokens: int = setting(512, "The most tokens of an answer.", low=16, high=100_000)
    timeout_s: float = setting(60.0, "Seconds to wait for the next word of a model.", low=1, high=3_600)
    memory_tokens: int = setting(
        600, "Tokens of the conversation that a model gets with a question that may lean on it; 0 is none.", low=0
    )
    rewrite: bool = setting(
        False, "Let the model put follow-ups so that they stand alone (needs memory_tokens); otherwise rules do."
    )
    context: int = setting(4_096, "Tokens that a model in a file keeps in view.", low=512, high=1_000_000)


def _limit(default: int, what: str) -> int:
    limit: int = setting(default, what, low=0)
    return limit


@dataclass(frozen=True, repr=False, eq=False)
class Plans(Section):
    """What each plan allows; 0 is as much as you like. Months are calendar months in UTC."""

    guest_messages: int = _limit(50, "Messages a month of a guest.")
    guest_tokens: int = _limit(0, "Tokens of language models a month of a guest; then answers are quoted.")
    free_messages: int = _limit(1_000, "Messages a month on the free plan.")
    free_documents: int = _limit(1_000, "Documents added in a month on the free plan.")
    free_storage_mb: int = _limit(500, "Size of all documents on the free plan (megabytes).")
    free_tasks: int = _limit(50, "Background tasks a month on the free plan.")
    free_tokens: int = _limit(0, "Tokens of language models a month on the free plan; then answers are quoted.")
    pro_messages: int = _limit(10_000, "Messages a month on the pro plan.")
    pro_documents: int = _limit(20_000, "Documents added in a month on the pro plan.")
    pro_storage_mb: int = _limit(10_000, "Size of all documents on the pro plan (megabytes).")
    pro_tasks: int = _limit(1_000, "Background tasks a month on the pro plan.")
    pro_tokens: int = _limit(0, "Tokens of language models a month on the pro plan; then answers are quoted.")
    enterprise_messages: int = _limit(0, "Messages a month on the enterprise plan.")
    enterprise_documents: int = _limit(0, "Documents added in a month on the enterprise plan.")
    enterprise_storage_mb: int = _limit(0, "Size of all documents on the enterprise plan (megabytes).")
    enterprise_tasks: int = _limit(0, "Background tasks a month on the enterprise plan.")
    enterprise_tokens: int = _limit(
        0, "Tokens of language models a month on the enterprise plan; then answers are quoted."
    )


@dataclass(frozen=True, repr=False, eq=False)
class Login(Section):
    """Logging in."""

    days: int = setting(30, "Days after which one has to log in again.", low=1, high=365)
    reset_hours: int = setting(24, "Hours for which a code to reset a password is good.", low=1, high=168)
    password_cost: int = setting(
        12, "Cost of hashing a password (bcrypt): one more takes twice the time.", low=4, high=16
    )
    keyring: bool = setting(True, "Keep the log-in in the keyring of the desktop, where the extra `keyring` is there.")


@dataclass(frozen=True, repr=False, eq=False)
class Guest(Section):
    """Guests of the app."""

    hours: int = setting(24, "Hours after which a guest and all conversations of this guest are removed.", low=1)


@dataclass(frozen=True, repr=False, eq=False)
class Retention(Section):
    """How long things are kept, in days; 0 is for good. `multidb-chat admin retention run` removes what is older."""

    conversations_days: int = setting(0, "Conversations, from when something was said in them last.", low=0)
    deleted_days: int = setting(30, "Deleted conversations; as long a deletion can be taken back.", low=1)
    tasks_days: int = setting(90, "Background tasks that ended and whose results were read.", low=0)
    unread_days: int = setting(365, "Background tasks that ended and whose results nobody has read.", low=0)


@dataclass(frozen=True, repr=False, eq=False)
class Tui(Section):
    """The app."""

    theme: str = setting("ink", "The colours.", choices=("ink", "paper", "high-contrast"))
    bell: str = setting(
        "off", "How the end of a background task is told beside the screen.", choices=("off", "bell", "desktop")
    )


@dataclass(frozen=True, repr=False, eq=False)
class Log(Section):
    """The log files."""

    level: str = setting("warning", "What is logged.", choices=("debug", "info", "warning", "error"))


SECTIONS: dict[str, type[Section]] = {
    "stores": Stores,
    "search": Search,
    "answers": Answers,
    "ingest": Ingest,
    "embedder": Embedder,
    "model": Model,
    "plans": Plans,
    "login": Login,
    "guest": Guest,
    "retention": Retention,
    "tui": Tui,
    "log": Log,
}
