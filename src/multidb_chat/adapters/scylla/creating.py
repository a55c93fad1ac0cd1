"""Making the keyspace and its tables, and bringing them up to date, by whichever of several programs comes first.

Neither server undoes a change of the schema, nor lets several be one. So each statement is harmless when it is done
twice, one program at a time does them (a lightweight transaction with a time to live is the lock), all on the same
node, and the version is written last: what is interrupted is done again by the next one.

ScyllaDB's tablets have neither lightweight transactions nor counters before its versions of 2026, so its keyspace is
made without them, unless the cluster insists.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import Cluster, Session
from cassandra.query import SimpleStatement

from multidb_chat.adapters.scylla.address import Address
from multidb_chat.adapters.scylla.cluster import ONCE, REPEATABLE
from multidb_chat.adapters.scylla.errors import STORE, is_refused
from multidb_chat.adapters.scylla.schema import VERSIONS, in_keyspace
from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from multidb_chat.domain.ids import new_id

_USUAL_COPIES = 3
_CHANGING = 15.0  # seconds that one change of the schema may take: all nodes have to agree
_LOCKED_FOR = 60  # seconds, after which a program that holds the lock is taken for dead
_PAUSE = 0.2


def bring_up_to_date(
    cluster: Cluster,
    session: Session,
    address: Address,
    versions: Sequence[Sequence[str]] = VERSIONS,
    *,
    making: Callable[[], None] = lambda: None,
) -> None:
    """Make what is missing, after a call of `making`; takes seconds, so in a thread.

    Without anything to do it costs two queries and needs no right but to read. Raises `SchemaTooNew`,
    `StoreUnavailable`, the driver's errors.
    """
    if schema_version(session, address, len(versions)) < len(versions):
        making()
        maker = _Maker(cluster, session, address, versions)
        maker.make_keyspace()
        maker.make_tables()


def schema_version(session: Session, address: Address, known: int) -> int:
    """Return which version the keyspace has, 0 when there is none. Raises `SchemaTooNew` beyond `known`."""
    query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = 'schema_versions'"
    if not _rows(session, query, (address.keyspace,)):
        return 0
    query = in_keyspace(address.keyspace, "SELECT version FROM schema_versions WHERE name = %s")
    try:
        rows = _rows(session, query, (STORE,))
    except Exception as error:
        if not is_refused(error):
            raise
        return 0  # it is just being made, and listed before it can be asked
    version = int(rows[0][0] or 0) if rows else 0
    if version > known:
        raise SchemaTooNew(
            STORE,
            f"The {STORE} store at {address.where} was written by a newer version of multidb-chat"
            f" (schema {version}, this one knows {known}): update the program.",
        )
    return version


def is_scylla(session: Session) -> bool:
    """Tell ScyllaDB from Cassandra by a table that only it has; its `release_version` claims to be Cassandra's."""
    query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
    return bool(_rows(session, query, ("system_schema", "scylla_tables")))


class _Maker:
    def __init__(self, cluster: Cluster, session: Session, address: Address, versions: Sequence[Sequence[str]]) -> None:
        self._session = session
        self._address = address
        self._versions = versions
        self._nodes = [host for host in cluster.metadata.all_hosts() if host.datacenter == address.datacenter]
        self._name = new_id()

    def make_keyspace(self) -> None:
        """Make the keyspace, unless an administrator did, and the table of versions."""
        query = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s"
        if not _rows(self._session, query, (self._address.keyspace,)):
            copies = self._address.replication_factor or min(_USUAL_COPIES, len(self._nodes))
            statement = (
                f"CREATE KEYSPACE IF NOT EXISTS {self._address.keyspace} WITH replication ="
                f" {{'class': 'NetworkTopologyStrategy', '{_quoted(self._address.datacenter)}': {copies}}}"
            )
            try:
                self._change(statement + (" AND tablets = {'enabled': false}" if is_scylla(self._session) else ""))
            except Exception as error:
                if not is_refused(error):
                    raise
                self._change(statement)  # a cluster that insists on tablets is one that can do all with them
        self._change("CREATE TABLE IF NOT EXISTS schema_versions (name text PRIMARY KEY, version int, owner text)")

    def make_tables(self) -> None:
        """Make the tables, or wait for the program that does."""
        begun = time.monotonic()
        while schema_version(self._session, self._address, len(self._versions)) < len(self._versions):
            if self._locked(begun):
                self._upgrade()
            elif time.monotonic() > begun + _LOCKED_FOR + _CHANGING:
                raise StoreUnavailable(
                    STORE, f"Another program is making the tables at {self._address.where}, and does not end."
                )
            else:
                time.sleep(_PAUSE)

    def _locked(self, begun: float) -> bool:
        """Take the lock if it is free; a node may learn some time later than others that there is one."""
        statement = "INSERT INTO schema_versions (name, owner) VALUES ('lock', %s) IF NOT EXISTS USING TTL %s"
        try:
            return self._decide(statement, self._name, _LOCKED_FOR)
        except Exception as error:
            if not is_refused(error) or time.monotonic() > begun + _CHANGING:
                raise
            return False

    def _upgrade(self) -> None:
        seen = schema_version(self._session, self._address, len(self._versions))
        for version in range(seen + 1, len(self._versions) + 1):
            for statement in self._versions[version - 1]:
                self._change(statement)
            if version == 1:
                self._decide("INSERT INTO schema_versions (name, version) VALUES (%s, 1) IF NOT EXISTS", STORE)
            else:
                writing = "UPDATE schema_versions SET version = %s WHERE name = %s IF version = %s"
                self._decide(writing, version, STORE, version - 1)
        self._decide("DELETE FROM schema_versions WHERE name = 'lock' IF owner = %s", self._name)

    def _change(self, statement: str) -> None:
        """Change the schema, always on the same node: two that make a table at once would make two of that name."""
        up = sorted((host for host in self._nodes if host.is_up), key=lambda host: str(host.address))
        qualified = in_keyspace(self._address.keyspace, statement)
        self._session.execute(qualified, timeout=_CHANGING, host=up[0] if up else None)

    def _decide(self, statement: str, *parameters: Any) -> bool:
        qualified = in_keyspace(self._address.keyspace, statement)
        rows = self._session.execute(qualified, parameters, execution_profile=ONCE, timeout=_CHANGING)
        return bool(rows.one()[0])


def _rows(session: Session, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    statement = SimpleStatement(query, consistency_level=ConsistencyLevel.LOCAL_QUORUM, is_idempotent=True)
    return list(session.execute(statement, parameters, execution_profile=REPEATABLE))


def _quoted(text: str) -> str:
    return text.replace("'", "''")
