"""Connecting to a cluster: what is set other than the driver's defaults, and why.

Only what cassandra-driver and scylla-driver have in common is used, so that either does. The defaults would read one
replica, wait ten seconds, and repeat a counter or a lightweight transaction on another node.
"""

import os
import ssl
from collections.abc import Sequence

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.io.libevreactor import LibevConnection
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
    TokenAwarePolicy,
)
from cassandra.query import tuple_factory

from multidb_chat.adapters.scylla.address import Address
from multidb_chat.adapters.scylla.errors import STORE
from multidb_chat.domain.errors import InvalidSetting, StoreError

REPEATABLE = EXEC_PROFILE_DEFAULT
"""The profile of statements that may be done twice: repeated elsewhere, also when a node merely takes long."""

ONCE = "once"
"""The profile of lightweight transactions and counters, which are never repeated behind the program's back."""

PATIENCE = 2.0
"""Seconds that one request may take."""

PAGE = 200
"""Rows that are fetched at once."""

_CONNECT = 2.0
_HEARTBEAT = 5
# Another node is asked, too, when the first one has not answered for that long: as long as one is frozen and not
# yet found to be, reads and idempotent writes go on.
_HEDGE_AFTER, _HEDGES = 0.5, 2
# Nothing gets to a node before the driver has found by itself that it is back, the probes of a breaker neither: with
# ten seconds between two looks a node would be found, after a long outage, when it should be in use already.
_RECONNECT_FIRST, _RECONNECT_LONGEST = 0.5, 2.0
_PROTOCOL = 4  # the newest that ScyllaDB speaks


def connect(address: Address) -> tuple[Cluster, Session]:
    """Connect to the cluster; takes seconds, so in a thread. Raises the driver's errors, `InvalidSetting`."""
    cluster = Cluster(
        list(address.hosts),
        port=address.hosts[0][1],
        protocol_version=_PROTOCOL,
        connection_class=LibevConnection,
        auth_provider=None if address.user is None else PlainTextAuthProvider(address.user, address.password),
        ssl_context=_tls(address),
        execution_profiles={
            REPEATABLE: _profile(address, RetryPolicy(), ConstantSpeculativeExecutionPolicy(_HEDGE_AFTER, _HEDGES)),
            ONCE: _profile(address, FallthroughRetryPolicy(), None),
        },
        reconnection_policy=ExponentialReconnectionPolicy(_RECONNECT_FIRST, _RECONNECT_LONGEST, max_attempts=None),
        connect_timeout=_CONNECT,
        control_connection_timeout=_CONNECT,
        idle_heartbeat_interval=_HEARTBEAT,
        idle_heartbeat_timeout=_HEARTBEAT,
    )
    try:
        session = cluster.connect()
    except NoHostAvailable:
        known = sorted({str(host.datacenter) for host in cluster.metadata.all_hosts() if host.datacenter})
        cluster.shutdown()
        if known and address.datacenter not in known:
            raise _no_such_datacenter(address, known) from None
        raise
    except BaseException:
        cluster.shutdown()
        raise
    session.default_fetch_size = PAGE
    return cluster, session


def _profile(address: Address, retries: RetryPolicy, hedging: object) -> ExecutionProfile:
    return ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=address.datacenter)),
        retry_policy=retries,
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=PATIENCE,
        row_factory=tuple_factory,
        **({} if hedging is None else {"speculative_execution_policy": hedging}),
    )


def _tls(address: Address) -> ssl.SSLContext | None:
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=_expanded(address.tls_ca_file))
        if address.tls_cert_file:
            context.load_cert_chain(os.path.expanduser(address.tls_cert_file), _expanded(address.tls_key_file))
    except OSError as error:  # `ssl.SSLError` is one
        raise InvalidSetting(f"stores.conversations: a file for TLS cannot be used: {error}") from error
    return context


def _expanded(path: str | None) -> str | None:
    return None if path is None else os.path.expanduser(path)


def _no_such_datacenter(address: Address, known: Sequence[str]) -> StoreError:
    return StoreError(
        STORE,
        f"The cluster at {address.where} has no data centre {address.datacenter!r}, but {', '.join(known)}:"
        " set datacenter in stores.conversations.",
    )
