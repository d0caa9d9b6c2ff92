"""What it is: fixtures and hooks that the end-to-end and the crash suite share."""

import itertools
import os

import pytest

from harness.clients.line_client import remove_compiled
from harness.management import Management
from harness.server import Server
from harness.waiting import time_limit

TEST_SECONDS = 60

__all__ = ["admin", "name", "pytest_configure", "pytest_runtest_makereport", "pytest_runtest_setup", "pytest_unconfigure",
           "within_time"]

# The servers whose logs are shown when a test fails, with the length of the log when the test began.
_watched = {}
_numbers = itertools.count(1)


def watch(server):
    _watched[server] = 0


def server_factory(directory):
    """For a fixture: yields start(*settings, arguments=[], started=True) and ends what was started."""
    servers = []

    def start(*settings, arguments=(), started=True, environment=None):
        server = Server(directory / f"weir-{len(servers)}", settings, arguments, environment)
        watch(server)
        servers.append(server)
        return server.start() if started else server

    yield start
    for server in servers:
        server.end()
        _watched.pop(server, None)


def close_quietly(client):
    """A client whose connection the test has broken can't say good-bye."""
    try:
        client.close()
    except Exception:  # pylint: disable=broad-except
        pass


@pytest.fixture
def name():
    """name("orders"): a name that no other test uses."""
    prefix = f"t{os.getpid()}-{next(_numbers)}"
    return lambda what="q": f"{prefix}.{what}"


@pytest.fixture
def admin(weir):
    """The management API of the shared broker, as guest."""
    return Management(weir.ports["admin"])


@pytest.fixture(autouse=True)
def within_time(request):
    marker = request.node.get_closest_marker("seconds")
    with time_limit(marker.args[0] if marker else TEST_SECONDS, request.node.name):
        yield


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): the test may take so long")


def pytest_unconfigure(config):
    remove_compiled()


def pytest_runtest_setup(item):
    for server in _watched:
        _watched[server] = server.log_file.stat().st_size if server.log_file.exists() else 0


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for server, begin in _watched.items():
            if not server.log_file.exists():
                continue
            with open(server.log_file, "rb") as log:
                log.seek(begin)
                text = log.read().decode(errors="replace")
            state = "running" if server.running() else f"ended with {server.process and server.process.returncode}"
            report.sections.append((f"log of the broker ({state})", "\n".join(text.splitlines()[-80:])))
