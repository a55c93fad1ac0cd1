"""`multidb-chat admin`: what whoever runs an installation does with it. One module a topic."""

import typer

from multidb_chat.cli.admin.backups import backup, restore
from multidb_chat.cli.admin.doctor import doctor
from multidb_chat.cli.admin.first import init
from multidb_chat.cli.admin.migrate import migrate
from multidb_chat.cli.admin.overview import status
from multidb_chat.cli.admin.statistics import stats, usage
from multidb_chat.cli.lazily import lazy_group

admin = typer.Typer(rich_markup_mode=None)
_TOPICS = {
    "users": "Look up, create, disable and delete accounts; roles, plans, passwords, sessions.",
    "plans": "See what each plan allows, and change it.",
    "audit": "Read, verify and export the audit log.",
    "knowledge": "Keep curated questions and answers.",
    "feedback": "Read what people said of answers and of the program.",
    "tasks": "Look after background tasks of everybody.",
    "journal": "See what stores on servers refused, try it again, or remove it.",
    "retention": "See for how long things are kept, and remove what is over its time.",
    "keys": "See and rotate the keys of the installation.",
}

admin.command(epilog="Example: multidb-chat admin init --email ada@example.org")(init)
admin.command(epilog="Example: multidb-chat admin status")(status)
admin.command(epilog="Example: multidb-chat admin doctor --fix")(doctor)
for topic, what in _TOPICS.items():
    admin.add_typer(lazy_group(f"multidb_chat.cli.admin.{topic}:{topic}", what), name=topic)
admin.command(epilog="Example: multidb-chat admin usage ada@example.org")(usage)
admin.command(epilog="Example: multidb-chat admin stats --watch 5")(stats)
admin.command(epilog="Example: multidb-chat admin backup ~/backups/multidb-chat-2026-11-25.zip")(backup)
admin.command(epilog="Example: multidb-chat admin restore ~/backups/multidb-chat-2026-11-25.zip")(restore)
admin.command(
    epilog="Example: multidb-chat admin migrate --to servers --accounts postgresql://chat@db.example.org/chat"
)(migrate)
