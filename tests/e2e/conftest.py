"""Fixtures of the end-to-end tests: a broker that they share, brokers of their own, clients of every library.

WEIR_BINARY is the broker's binary. WEIR_TEST_AMQP_PORT=port runs the tests against a broker that listens there
already, and skips those that are about Weir alone.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import fixtures  # noqa: E402
from harness.clients import KINDS, connect  # noqa: E402
from harness.fixtures import *  # noqa: E402,F401,F403
from harness.server import ExternalBroker, Server  # noqa: E402
from harness.wire import connected  # noqa: E402


def external_port():
    return int(os.environ.get("WEIR_TEST_AMQP_PORT", "0"))


@pytest.fixture(scope="session")
def shared_brokers():
    """Holds the broker that most tests share; one that a test has ended is replaced for the next."""
    if external_port():
        yield lambda: ExternalBroker(external_port())
        return
    with tempfile.TemporaryDirectory(prefix="weir-e2e-") as directory:
        servers = []

        def current():
            if not servers or not servers[-1].running():
                server = Server(Path(directory) / str(len(servers)))
                fixtures.watch(server)
                servers.append(server)
                server.start()
            return servers[-1]

        yield current
        if servers:
            servers[-1].end()


@pytest.fixture
def broker(shared_brokers):
    server = shared_brokers()
    yield server
    assert server.running(), "the broker did not survive this test"


@pytest.fixture
def weir_alone():
    """For tests of the process itself."""
    if external_port():
        pytest.skip("about Weir alone")


@pytest.fixture
def weir(broker):
    """The shared broker, for tests that don't hold for other brokers."""
    if external_port():
        pytest.skip("about Weir alone")
    return broker


@pytest.fixture
def start_weir(tmp_path):
    """start_weir(*settings, arguments=[]): a broker of the test's own, started."""
    if external_port():
        pytest.skip("needs a broker of its own")
    yield from fixtures.server_factory(tmp_path)


@pytest.fixture(params=list(KINDS))
def client_kind(request):
    return request.param


@pytest.fixture
def clients(client_kind, broker):
    """clients(): one more connected client of the library that the test runs over."""
    open_clients = []

    def open_client(address=None, **options):
        client = connect(client_kind, address or broker.address, **options)
        open_clients.append(client)
        return client

    yield open_client
    for client in open_clients:
        fixtures.close_quietly(client)


@pytest.fixture
def wires(broker):
    """wires(): one more raw connection with channel 1 open."""
    open_wires = []

    def open_wire(address=None, **options):
        wire = connected(address or broker.address, **options)
        open_wires.append(wire)
        return wire

    yield open_wire
    for wire in open_wires:
        wire.drop()
