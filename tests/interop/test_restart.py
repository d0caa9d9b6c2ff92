"""What survives kill -9 of the broker, for every pair of protocols: one broker and one crash for all of them."""

import pytest

from harness import fixtures
from harness.server import Server
from parties import PARTIES, Message


@pytest.fixture(scope="module")
def survived(tmp_path_factory):
    """{(publisher, consumer): the messages that its subscription had after the crash}."""
    server = Server(tmp_path_factory.mktemp("weir"))
    fixtures.watch(server)
    pairs = [(one, other) for one in PARTIES for other in PARTIES]
    try:
        server.start()
        for consumer in PARTIES:
            subscriber = PARTIES[consumer](server, f"kept-{consumer}")
            subscriber.subscribe(f"kept.{consumer}")
            subscriber.close()
        for publisher, consumer in pairs:
            party = PARTIES[publisher](server)
            for kind in ("transient", "persistent"):
                party.publish(f"kept.{consumer}", Message(f"{kind} of {publisher}".encode(),
                                                          persistent=kind == "persistent"))
            party.close()
        server.kill()
        server.start()
        got = {}
        for consumer in PARTIES:
            subscriber = PARTIES[consumer](server, f"kept-{consumer}")
            subscriber.subscribe(f"kept.{consumer}")
            messages = [subscriber.next() for _ in PARTIES]
            assert subscriber.nothing_waits()
            subscriber.close()
            for publisher in PARTIES:
                got[publisher, consumer] = [message for message in messages
                                            if message.body.endswith(f" of {publisher}".encode())]
        yield got
    finally:
        server.end()


def test_what_is_persistent_survives_a_crash_and_what_is_transient_does_not(survived, publisher, consumer):
    messages = survived[publisher, consumer]
    assert [message.body for message in messages] == [f"persistent of {publisher}".encode()]
    assert messages[0].persistent
