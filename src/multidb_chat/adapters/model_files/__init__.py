"""Models as folders of files below the data folder, each with a record beside it."""

from multidb_chat.adapters.model_files.store import ModelFiles

__all__ = ["ModelFiles"]
