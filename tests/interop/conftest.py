"""Fixtures of the interoperability tests: the harness is the one of tests/e2e. WEIR_BINARY is the broker's binary."""

import sys
from pathlib import Path

import pytest

for folder in (Path(__file__).resolve().parent, Path(__file__).resolve().parents[1] / "e2e"):
    sys.path.insert(0, str(folder))

from harness import fixtures  # noqa: E402
from harness.fixtures import *  # noqa: E402,F401,F403
from harness.server import Server  # noqa: E402

from parties import PARTIES  # noqa: E402


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("weir"))
    fixtures.watch(server)
    yield server.start()
    server.end()


@pytest.fixture
def server(shared):
    yield shared
    assert shared.running(), "the broker did not survive this test"


@pytest.fixture
def meet(server):
    """meet("mqtt5"): one more client of the protocol."""
    met = []

    def come(protocol, name=None):
        met.append(PARTIES[protocol](server, name))
        return met[-1]

    yield come
    for party in met:
        fixtures.close_quietly(party)


def pytest_generate_tests(metafunc):
    """Every pair of protocols, where a test asks for a publisher and a consumer."""
    if {"publisher", "consumer"} <= set(metafunc.fixturenames):
        pairs = [(one, other) for one in PARTIES for other in PARTIES]
        metafunc.parametrize("publisher, consumer", pairs, ids=[f"{one}-to-{other}" for one, other in pairs])
