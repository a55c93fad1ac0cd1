"""The URL of a cluster."""

import pytest

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.domain.errors import InvalidSetting


def test_everything_in_a_url_is_read():
    address = address_of(
        "scylla://ada:p%40ss%3A@one:9043,two,[::1]:9044/chat?datacenter=east&replication_factor=3"
        "&tls=true&tls_ca_file=/ca.pem&tls_cert_file=/me.pem&tls_key_file=/me.key"
    )
    assert address.hosts == (("one", 9043), ("two", 9042), ("::1", 9044))
    assert (address.user, address.password, address.keyspace) == ("ada", "p@ss:", "chat")
    assert (address.datacenter, address.replication_factor, address.tls) == ("east", 3, True)
    assert (address.tls_ca_file, address.tls_cert_file, address.tls_key_file) == ("/ca.pem", "/me.pem", "/me.key")


def test_most_of_it_may_be_left_out():
    address = address_of("scylla://one?datacenter=east")
    assert (address.hosts, address.keyspace, address.user) == ((("one", 9042),), "multidb_chat", None)
    assert (address.replication_factor, address.tls) == (None, False)


def test_a_place_is_told_without_the_password():
    address = address_of("scylla://ada:secret@one,[::1]/chat?datacenter=east")
    assert address.where == "one:9042,[::1]:9042/chat"
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("one/chat", "datacenter=NAME"),
        ("one/chat?datacenter=", "datacenter=NAME"),
        ("one/Chat?datacenter=x", "keyspace"),
        ("one/chat%20now?datacenter=x", "keyspace"),
        (f"one/{'k' * 49}?datacenter=x", "keyspace"),
        ("one/chat?datacenter=x&replication_factor=0", "replication_factor"),
        ("one/chat?datacenter=x&replication_factor=many", "replication_factor"),
        ("one/chat?datacenter=x&tls=maybe", "tls"),
        ("one/chat?datacenter=x&tls_ca_file=/ca.pem", "tls=true"),
        ("one/chat?datacenter=x&consistency=ONE", "'consistency'"),
        ("one/chat?datacenter", "cannot be read"),
        (":9042/chat?datacenter=x", "cannot be read"),
        ("one:port/chat?datacenter=x", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_url_is_told_without_the_password(rest: str, told: str):
    with pytest.raises(InvalidSetting) as caught:
        address_of(f"scylla://ada:secret@{rest}")
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
