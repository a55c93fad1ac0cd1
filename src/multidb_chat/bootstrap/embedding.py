"""Embedders by what the settings call them, and by what collections remember of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.domain.errors import InvalidSetting, StoreError

if TYPE_CHECKING:
    from multidb_chat.domain.search import Embedder
    from multidb_chat.settings import Settings

Secret = Callable[[str], str | None]
_DOWNLOADED = "stella"


class Embedders:
    """The embedders of one running program, each made once, when it is first asked for.

    `secret` gives the secret that a setting names the place of.
    """

    def __init__(self, settings: "Settings", secret: Secret) -> None:
        self._settings = settings
        self._secret = secret
        self._made: dict[str, Embedder] = {}

    @property
    def chosen(self) -> "Embedder":
        """What makes the vectors of new collections. Raises `InvalidSetting` or `StoreError` when it cannot be had."""
        return self.called(self._settings.embedder.name)

    def called(self, setting: str) -> "Embedder":
        """Return the embedder that a value of the setting `embedder.name` stands for. Raises like `chosen`."""
        name = self.meant(setting)
        if name not in self._made:
            self._made[name] = self._composed(name)
        return self._made[name]

    def meant(self, setting: str) -> str:
        """Return what a value of the setting `embedder.name` stands for on this machine now."""
        return self._automatic() if setting == "auto" else setting

    def keeping(self, setting: str) -> "Embedder":
        """Return `called(setting)`, which then keeps the vectors it makes, for a second run. Raises like `chosen`."""
        made, name = self.called(setting), f"{setting} (kept)"
        if setting not in ("auto", "minilm"):
            return made
        if name not in self._made:
            self._made[name] = self._keeping(made)
        return self._made[name]

    def remembered(self, name: str) -> "Embedder | None":
        """Return the embedder of this name, as collections remember it; None where it cannot be had here."""
        for setting in dict.fromkeys((self._settings.embedder.name, "minilm", _DOWNLOADED)):
            try:
                found = self.called(setting)
            except (InvalidSetting, StoreError):
                continue
            if found.name == name:
                return found
        return None

    def use(self, embedder: "Embedder") -> None:
        """Let this one make all vectors from now on, in the place of the chosen one and of the small one."""
        self._made |= dict.fromkeys((self._settings.embedder.name, "minilm"), embedder)

    async def describe(self) -> str:
        """Tell what makes the vectors of new collections, where it runs and why there. Raises like `chosen`."""
        from multidb_chat.adapters.embedders.kept import KeepingEmbedder
        from multidb_chat.adapters.embedders.stella import StellaEmbedder

        embedder = self.chosen
        inner = embedder.inner if isinstance(embedder, KeepingEmbedder) else embedder
        if isinstance(inner, StellaEmbedder):
            return await inner.describe()
        return f"{embedder.name}, by embedder.name = {self._settings.embedder.name}"

    async def close(self) -> None:
        """Close what was made."""
        for embedder in self._made.values():
            await embedder.close()

    def _automatic(self) -> str:
        from multidb_chat.adapters.embedders.extras import accelerator_at_hand, missing

        there = (models_folder(self._settings) / f"{_DOWNLOADED}.json").is_file()
        return "stella" if there and accelerator_at_hand() and not missing("torch", "transformers") else "minilm"

    def _composed(self, name: str) -> "Embedder":
        options = self._settings.embedder
        if name == "minilm":
            from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder

            return MiniLMEmbedder(options.threads or None)
        return self._keeping(self._stella() if name == "stella" else self._named(*name.split(":", 1)))

    def _stella(self) -> "Embedder":
        from multidb_chat.adapters.embedders.stella import DIMENSIONS, StellaEmbedder

        options, folder = self._settings.embedder, models_folder(self._settings) / _DOWNLOADED
        if not folder.with_suffix(".json").is_file():
            raise InvalidSetting(
                "embedder.name: Stella's weights are not here: multidb-chat models add stella (6.32 GB), or with"
                " --from FOLDER a copy of them"
            )
        return StellaEmbedder(folder, options.dimensions or DIMENSIONS, options.device, options.precision)

    def _named(self, kind: str, place: str) -> "Embedder":
        options = self._settings.embedder
        if kind == "openai":
            from multidb_chat.adapters.embedders.openai_server import OpenAIEmbedder

            return OpenAIEmbedder(place, options.model, options.dimensions, self._secret("embedder.key"))
        from multidb_chat.adapters.embedders.sentence_transformer import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(Path(place).expanduser(), options.device, options.precision)

    def _keeping(self, embedder: "Embedder") -> "Embedder":
        from multidb_chat.adapters.embedders.kept import KeepingEmbedder

        return KeepingEmbedder(
            embedder, self._settings.paths.cache / "vectors", self._settings.embedder.kept_mb * 1_000_000
        )


def models_folder(settings: "Settings") -> Path:
    """Return where models that were added lie."""
    return settings.paths.data / "models"
