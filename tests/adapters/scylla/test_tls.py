"""Nodes that speak TLS and show the wrong certificate; what is right is in `test_secured`."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from multidb_chat.domain.errors import StoreUnavailable
from tests.adapters.scylla.opening import conversations_at, own_url
from tests.certificates import Certificates, needs_openssl
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = [needs("scylla"), needs_openssl]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def served(certificates: Certificates, name: str) -> AsyncIterator[str]:
    """Yield the URL of a node with the certificate of this name; TLS is ended in front of the one of the tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.folder / f"{name}.pem", certificates.folder / f"{name}.key")
    async with Proxy(own_url(), context) as proxy:
        yield f"{proxy.url}&tls=true"


async def told(url: str) -> str:
    async with conversations_at(url) as store:
        with pytest.raises(StoreUnavailable) as error:
            await store.conversation("c1")
    return str(error.value)


async def test_a_node_whose_certificate_nobody_signed_who_is_trusted(certificates: Certificates):
    async with served(certificates, "server") as url:
        assert "certificate that is not trusted" in await told(url)


async def test_a_node_with_the_certificate_of_another(certificates: Certificates):
    async with served(certificates, "other") as url:
        assert "certificate that is not trusted" in await told(f"{url}&tls_ca_file={certificates.folder}/ca.pem")
