"""A server that speaks TLS alone: what stands in for MongoDB in tests has none, so it is ended in front of it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.domain.errors import StoreUnavailable
from tests.adapters.mongo.opening import open_at, own_database
from tests.certificates import Certificates, needs_openssl
from tests.contracts.library import a_collection, a_content
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = [needs("mongodb"), needs_openssl]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def served(certificates: Certificates, name: str = "server", *, clients: bool = False) -> AsyncIterator[str]:
    """Yield the URL of a library, with `tls=true` and no file in it."""
    folder = certificates.folder
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    if clients:
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    async with own_database() as url, Proxy(url, context) as proxy:
        yield f"{proxy.url}?tls=true"


async def works(url: str) -> None:
    library = open_at(url)
    await library.create_collection(a_collection())
    await library.put_documents([a_content()])
    assert await library.content(a_content().document.id) == a_content()
    await library.close()


async def told(url: str) -> str:
    library = MongoLibrary(url, timeout=1.0)
    with pytest.raises(StoreUnavailable) as error:
        await library.version()
    await library.close()
    return str(error.value)


async def test_a_server_whose_certificate_is_trusted(certificates: Certificates):
    async with served(certificates) as url:
        await works(f"{url}&tlsCAFile={certificates.folder}/ca.pem")


async def test_a_server_whose_certificate_nobody_signed_who_is_trusted(certificates: Certificates):
    async with served(certificates) as url:
        assert "certificate that is not trusted" in await told(url)


async def test_a_server_with_the_certificate_of_another(certificates: Certificates):
    async with served(certificates, "other") as url:
        assert "certificate that is not trusted" in await told(f"{url}&tlsCAFile={certificates.folder}/ca.pem")


async def test_a_server_that_wants_a_certificate_too(certificates: Certificates):
    folder = certificates.folder
    (folder / "both.pem").write_text((folder / "client.key").read_text() + (folder / "client.pem").read_text())
    async with served(certificates, clients=True) as url:
        trusting = f"{url}&tlsCAFile={folder}/ca.pem"
        await works(f"{trusting}&tlsCertificateKeyFile={folder}/both.pem")
        await told(trusting)


async def test_without_tls_nothing_is_said_to_it(certificates: Certificates):
    async with served(certificates) as url:
        await told(url.partition("?")[0])
