"""The slash commands: one table that help, completion, the command palette, keys and the composer share.

A command is a row here and an async function in the module of its topic, `async def why(chat, argument)`.
"""

from multidb_chat.tui.commands.command import Command

COMMANDS = (
    # Answers
    Command("/sources", "", "Show or hide the sources panel", "answers:sources", key="f2", label="Sources", plain=True),
    Command("/open", "[N]", "Open the passage behind citation N", "answers:open_", key="ctrl+o", plain=True),
    Command("/why", "", "Show how an answer came about", "answers:why", key="f4", label="Why", plain=True),
    Command("/copy", "[N]", "Copy an answer, or its Nth code block", "answers:copy"),
    Command("/retry", "", "Answer again, without the cache", "answers:retry", key="ctrl+r", plain=True),
    Command("/edit", "", "Change the question and ask again", "answers:edit"),
    Command("/other", "<|>", "Show the answer before or after, of several", "answers:other"),
    Command("/rate", "+|- [COMMENT]", "Rate an answer", "answers:rate", plain=True),
    # Feedback
    Command("/feedback", "MESSAGE", "Say something about the program", "feedback:feedback", plain=True),
    Command("/my-feedback", "", "List the feedback that you gave", "feedback:my_feedback", plain=True),
    # Conversations
    Command(
        "/conversations",
        "[WORDS]",
        "List, search and open conversations",
        "conversations:conversations",
        key="f5",
        label="Conversations",
        plain=True,
    ),
    Command(
        "/new",
        "",
        "Begin a new conversation on an empty screen",
        "conversations:new",
        key="ctrl+l",
        label="New",
        plain=True,
    ),
    Command("/resume", "[ID]", "Go on with the conversation talked in last", "conversations:resume", plain=True),
    Command("/rename", "TITLE", "Give the conversation another title", "conversations:rename", plain=True),
    Command("/fork", "", "Go on in a copy, from the answer looked at", "conversations:fork", plain=True),
    Command("/export", "[md|json] [FILE]", "Write the conversation to a file", "conversations:export", plain=True),
    # Documents
    Command(
        "/docs", "", "Show the documents that are searched", "documents:docs", key="f3", label="Documents", plain=True
    ),
    Command("/add", "[PATH]", "Add documents: files, folders, addresses", "documents:add", members=True),
    Command("/collection", "[NAME]", "Show the collections, or the documents of one", "documents:collection"),
    # Background
    Command("/research", "TOPIC", "Research a topic, with citations", "background:research", members=True, plain=True),
    Command(
        "/analyze", "[DESCRIPTION]", "Count what is in your documents", "background:analyze", members=True, plain=True
    ),
    Command("/tasks", "", "Show the background tasks", "background:tasks", key="ctrl+b", plain=True),
    Command("/notifications", "[clear]", "Show or clear the inbox", "background:notifications", key="f9", plain=True),
    # Accounts
    Command("/login", "", "Log in, also as somebody else", "accounts:login"),
    Command("/register", "", "Make an account; the conversation stays", "accounts:register"),
    Command("/logout", "", "Log out", "accounts:logout"),
    Command("/profile", "", "Show your account, log-ins and second factor", "accounts:profile", members=True),
    # Usage
    Command("/dashboard", "", "Show usage and figures as plots", "usage:dashboard", key="f8"),
    Command("/stats", "", "Show usage and figures in words", "usage:stats", plain=True),
    Command("/session-stats", "", "Show what happened since the start", "usage:session_stats", plain=True),
    Command("/clear-cache", "", "Let your answers be made anew", "usage:clear_cache", plain=True),
    # Memory
    Command("/remember", "FACT", "Let models know this with every question", "memory:remember", plain=True),
    Command("/forget", "N|WORDS", "Forget what was remembered", "memory:forget", plain=True),
    Command("/memory", "", "Show what is remembered of you and of this conversation", "memory:memory", plain=True),
    # Program
    Command("/help", "", "Show the keys and commands", "program:help_", key="f1", label="Help", plain=True),
    Command("/model", "[NAME]", "Show which model writes the answers, or use another", "program:model", plain=True),
    Command("/theme", "[NAME]", "Change the colours: this theme, or the next", "program:theme", key="ctrl+t"),
    Command("/settings", "", "Show and change the settings", "program:settings", key="f10"),
    Command("/quit", "", "Leave", "program:quit_", key="ctrl+q", plain=True),
)

# People type these plain or with a slash; as questions they mean nothing.
PLAIN = {"help": "/help", "quit": "/quit", "exit": "/quit", "clear": "/new"}
