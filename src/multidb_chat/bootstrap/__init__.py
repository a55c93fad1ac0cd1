"""The only place that names concrete adapters: settings in, composed services out, each made when it is first used.

Opening costs nothing: every property imports what it is made of, so that a command loads what it uses and no more.
Whoever opened the application closes all that was made. The modules are floors; each adds to those below it:

    application    opening and closing
    installation   health, what is held, backups
    members        administration, export, erasure, retention
    background     tasks, the inbox, the worker
    answering      conversations, answers, knowledge, feedback
    reading        documents, ingestion, search
    security       keys, the audit log, who is talking
    stores         the five stores
"""

from multidb_chat.bootstrap.application import Application, open_application, unopened_application

__all__ = ["Application", "open_application", "unopened_application"]
