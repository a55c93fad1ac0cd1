"""`ScyllaUpkeep`: the port `Upkeep` for conversations in a cluster. It changes nothing, and makes nothing.

Nothing here reads the whole cluster: figures are the estimates that every node keeps of its own share (ScyllaDB and
Cassandra write them every five minutes), and what leads nowhere is looked for among some thousand conversations.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from cassandra.cluster import Cluster, Session

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.cluster import ONCE, connect
from multidb_chat.adapters.scylla.creating import schema_version
from multidb_chat.adapters.scylla.errors import STORE, translated
from multidb_chat.adapters.scylla.schema import VERSIONS, in_keyspace, tables_of
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.upkeep import StoreReport

T = TypeVar("T")

_KNOWN = len(VERSIONS)
_LOOKED_AT = 10_000  # conversations
_AT_ONCE = 50
_MOST_PROBLEMS = 20
_USUAL_COPIES = 3


class ScyllaUpkeep:
    """Looks after the conversations in the cluster at `url`."""

    store = STORE
    on_server = True

    def __init__(self, url: str) -> None:
        self._address = address_of(url)

    async def report(self) -> StoreReport:
        """Return what the cluster holds, about. Raises `StoreError`."""
        return await self._run(self._report)

    async def problems(self) -> list[str]:
        """Return tables that are missing, and messages that belong to no conversation."""
        try:
            return await self._run(self._problems)
        except StoreError as error:
            return [str(error)]

    async def obstacle(self) -> str:
        """Ask the replicas for a decision that changes nothing."""
        try:
            return await self._run(self._obstacle)
        except StoreError as error:
            return str(error)

    async def _run(self, work: Callable[[Cluster, Session], T]) -> T:
        def connected() -> T:
            try:
                cluster, session = connect(self._address)
                try:
                    return work(cluster, session)
                finally:
                    cluster.shutdown()
            except Exception as error:
                raise translated(error, self._address.where) from error

        return await asyncio.to_thread(connected)

    def _report(self, cluster: Cluster, session: Session) -> StoreReport:
        where = self._address.where
        version = schema_version(session, self._address, _KNOWN)
        if not version:
            return StoreReport(STORE, where, 0, _KNOWN, on_server=True)
        query = (
            "SELECT table_name, mean_partition_size, partitions_count FROM system.size_estimates"
            " WHERE keyspace_name = %s"
        )
        size = conversations = 0
        for host in cluster.metadata.all_hosts():
            if host.is_up and host.datacenter == self._address.datacenter:
                for table, mean, count in session.execute(query, (self._address.keyspace,), host=host):
                    size += mean * count
                    conversations += count if table == "conversations" else 0
        records = {"conversations (about)": conversations}
        notes = tuple(self._notes(cluster))
        return StoreReport(STORE, where, version, _KNOWN, size, records, on_server=True, notes=notes)

    def _notes(self, cluster: Cluster) -> Iterator[str]:
        nodes = [host for host in cluster.metadata.all_hosts() if host.datacenter == self._address.datacenter]
        down = [str(host.address) for host in nodes if host.is_up is False]
        if down:
            yield f"of {len(nodes)} nodes these do not answer: {', '.join(sorted(down))}"
        copies = self._copies(cluster)
        if copies < min(_USUAL_COPIES, len(nodes)):
            yield (
                f"each row is kept on {copies} of {len(nodes)} nodes:"
                f" ALTER KEYSPACE {self._address.keyspace} to {min(_USUAL_COPIES, len(nodes))}, then repair"
            )

    def _copies(self, cluster: Cluster) -> int:
        """Return how many copies of everything the data centre has."""
        strategy = cluster.metadata.keyspaces[self._address.keyspace].replication_strategy
        factors = getattr(strategy, "dc_replication_factors", {})
        return int(factors.get(self._address.datacenter, getattr(strategy, "replication_factor", 0)))

    def _problems(self, cluster: Cluster, session: Session) -> list[str]:
        version = schema_version(session, self._address, _KNOWN)
        if not version:
            return []
        there = cluster.metadata.keyspaces[self._address.keyspace].tables
        found = [
            f"the table {table} is missing: restore a snapshot" for table in tables_of(version) if table not in there
        ]
        return found or list(islice(self._lost(session), _MOST_PROBLEMS))

    def _lost(self, session: Session) -> Iterator[str]:
        """Yield messages of conversations that are gone, twice: one may be removed while it is looked at."""
        query = in_keyspace(self._address.keyspace, "SELECT DISTINCT conversation_id FROM message_buckets")
        rows = islice(iter(session.execute(query)), _LOOKED_AT)
        while some := [row[0] for row in islice(rows, _AT_ONCE)]:
            gone = set(some) - self._among("conversations", "id", session, some)
            if gone:
                gone = self._among("message_buckets", "conversation_id", session, sorted(gone))
            for conversation_id in sorted(gone):
                yield f"messages belong to a conversation that is gone, {conversation_id!r}: delete it again"

    def _among(self, table: str, key: str, session: Session, ids: Sequence[str]) -> set[str]:
        marks = ", ".join(["%s"] * len(ids))
        query = in_keyspace(self._address.keyspace, f"SELECT {key} FROM {table} WHERE {key} IN ({marks})")  # noqa: S608
        return {row[0] for row in session.execute(query, list(ids))}

    def _obstacle(self, _: Cluster, session: Session) -> str:
        if schema_version(session, self._address, _KNOWN):
            statement = "UPDATE schema_versions SET version = 0 WHERE name = %s IF version = -1"
            session.execute(in_keyspace(self._address.keyspace, statement), (STORE,), execution_profile=ONCE)
        return ""
