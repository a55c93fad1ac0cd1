"""A store on a server that nothing here examines: it is named, with where it is."""

from multidb_chat.domain.upkeep import StoreReport


class Elsewhere:
    """The port `Upkeep` for the store `store` at `place`, which is fit to be shown (no password)."""

    on_server = True

    def __init__(self, store: str, place: str) -> None:
        self.store = store
        self._place = place

    async def report(self) -> StoreReport:
        """Return where the store is."""
        return StoreReport(self.store, self._place, on_server=True, examined=False)

    async def problems(self) -> list[str]:
        """Return nothing: nobody looked, as the report says."""
        return []

    async def obstacle(self) -> str:
        """Return nothing: nobody tried."""
        return ""
