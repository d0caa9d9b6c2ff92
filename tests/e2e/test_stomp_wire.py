"""STOMP frame by frame: what errors say, heart-beats, receipts, and what a crash leaves."""

import socket
import time

import pytest

from harness.stomp_wire import StompWire
from harness.waiting import wait_until


@pytest.fixture
def wire(weir):
    wires = []

    def connect(**headers):
        wires.append(StompWire(weir.stomp))
        wires[-1].connect(**headers)
        return wires[-1]

    yield connect
    for one in wires:
        one.close()


def test_connecting_agrees_on_version_and_heart_beats(weir):
    wire = StompWire(weir.stomp)
    frame = wire.connect("1.0,1.1,1.2,1.3", heart_beat="2000,50")
    assert frame.headers["version"] == "1.2" and frame.headers["heart-beat"] == "100,2000"
    assert frame.headers["server"].startswith("Weir/") and frame.headers["session"]
    wire.close()
    plain = StompWire(weir.stomp)
    plain.send("CONNECT", {"login": "guest", "passcode": "guest"})
    assert plain.receive().headers["version"] == "1.0"
    plain.close()


@pytest.mark.parametrize("headers, message, body", [
    ({"accept-version": "2.0", "login": "guest", "passcode": "guest"}, "Version mismatch", "Supported versions are 1.0,1.1,1.2"),
    ({"accept-version": "1.2", "login": "guest", "passcode": "wrong"}, "Bad CONNECT", "Access refused for user 'guest'"),
    ({"accept-version": "1.2"}, "Bad CONNECT", "Missing login or passcode header(s)."),
    ({"accept-version": "1.2", "login": "guest", "passcode": "guest", "heart-beat": "x"}, "Bad CONNECT", "heart-beat"),
])
def test_a_connect_that_is_wrong_is_refused(weir, headers, message, body):
    wire = StompWire(weir.stomp)
    wire.send("CONNECT", headers)
    frames = wire.receive_until_end()
    assert [frame.command for frame in frames] == ["ERROR"]
    assert frames[0].headers["message"] == message and body in frames[0].body.decode()
    wire.close()


SUBSCRIBED = ("SUBSCRIBE", {"id": "1", "destination": "/queue/stomp-errors", "ack": "client"})


@pytest.mark.parametrize("frames, message", [
    ([("SEND", {})], "Missing destination"),
    ([("SEND", {"destination": "/nowhere/x"})], "Unknown destination"),
    ([("SEND", {"destination": "/queue/a/b"})], "Invalid destination"),
    ([("SEND", {"destination": "/temp-queue/x"})], "Invalid destination"),
    ([("SEND", {"destination": "/exchange/not-there"})], "not_found"),
    ([("SEND", {"destination": "/queue/x", "message-id": "1"})], "Invalid header"),
    ([("SEND", {"destination": "/queue/x", "expiration": "soon"})], "precondition_failed"),
    ([("SEND", {"destination": "/queue/x", "user-id": "bob"})], "precondition_failed"),
    ([("SEND", {"destination": "/queue/x", "transaction": "none"})], "Bad transaction"),
    ([("SUBSCRIBE", {"destination": "/queue/x"})], "Missing Header"),
    ([("SUBSCRIBE", {"id": "1"})], "Missing destination"),
    ([("SUBSCRIBE", {"id": "1", "destination": "/amq/queue/not-there"})], "not_found"),
    ([("SUBSCRIBE", {"id": "1", "destination": "/queue/x", "ack": "maybe"})], "Invalid header"),
    ([("SUBSCRIBE", {"id": "1", "destination": "/queue/x", "selector": "a = 1"})], "Invalid header"),
    ([("SUBSCRIBE", {"id": "1", "destination": "/queue/x", "prefetch-count": "-1"})], "Invalid header"),
    ([SUBSCRIBED, SUBSCRIBED], "Duplicated subscription identifier"),
    ([("UNSUBSCRIBE", {"id": "1"})], "Subscription not found"),
    ([("ACK", {})], "Missing Header"),
    ([("ACK", {"id": "1@@session-0@@1"})], "Invalid message-id"),
    ([("BEGIN", {})], "Missing transaction"),
    ([("BEGIN", {"transaction": "t"}), ("BEGIN", {"transaction": "t"})], "Bad transaction"),
    ([("COMMIT", {"transaction": "t"})], "Bad transaction"),
    ([("ABORT", {"transaction": "t"})], "Bad transaction"),
    ([("CONNECT", {"login": "guest", "passcode": "guest"})], "Already connected"),
    ([("DANCE", {})], "Bad command"),
])
def test_a_frame_that_is_wrong_ends_the_connection_with_an_error(wire, frames, message):
    one = wire()
    for command, headers in frames:
        one.send(command, {**headers, "receipt": "asked"})
    frames = one.receive_until_end()
    assert frames[-1].command == "ERROR", frames
    assert frames[-1].headers["message"] == message, frames[-1]
    assert frames[-1].headers["receipt-id"] == "asked"


@pytest.mark.parametrize("garbage", [
    b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x00\x09\x01" + b"x" * 20_000, b"A" * 100_000,
    b"CONNECT\nno colon\n\n\0", b"CONNECT\ncontent-length:99999999999\n\n", b"SEND\ndestination:/queue/x\n\n\0",
])
def test_garbage_costs_only_its_own_connection(weir, garbage):
    wire = StompWire(weir.stomp)
    try:
        wire.send_bytes(garbage)
        frames = wire.receive_until_end()
        assert all(frame.command == "ERROR" for frame in frames)
    except ConnectionError:
        pass
    wire.close()
    other = StompWire(weir.stomp)
    other.connect()
    other.close()


def test_heart_beats_are_sent_and_those_that_do_not_come_end_the_connection(wire):
    one = wire(heart_beat="200,100")
    started = time.monotonic()
    while one.beats < 3:
        one.send_bytes(b"\n")
        one.quiet_for(0.1)
        one.buffer, beats = b"", one.buffer.count(b"\n")
        one.beats += beats
        assert time.monotonic() - started < 10
    one.receive_until_end()
    assert time.monotonic() - started > 0.3


def test_receipts_of_what_is_persistent_come_when_it_is_safe(start_weir):
    server = start_weir()
    wire = StompWire(server.stomp)
    wire.connect()
    for number in range(500):
        wire.send("SEND", {"destination": "/queue/safe", "persistent": "true", "receipt": str(number)}, b"%d" % number)
    confirmed = [wire.receive().headers["receipt-id"] for _ in range(500)]
    assert confirmed == [str(number) for number in range(500)]
    server.kill()
    server.start()
    reader = StompWire(server.stomp)
    reader.connect()
    reader.send("SUBSCRIBE", {"id": "1", "destination": "/queue/safe", "ack": "client"})
    bodies = [reader.receive().body for _ in range(500)]
    assert bodies == [b"%d" % number for number in range(500)]
    reader.close()


def test_the_receipt_of_disconnect_says_that_all_before_it_is_safe(start_weir):
    server = start_weir()
    wire = StompWire(server.stomp)
    wire.connect()
    for number in range(500):
        wire.send("SEND", {"destination": "/queue/safe", "persistent": "true"}, b"x" * 1000)
    wire.send("DISCONNECT", {"receipt": "bye"})
    frames = wire.receive_until_end()
    assert [frame.headers.get("receipt-id") for frame in frames] == ["bye"]
    server.kill()
    server.start()
    reader = StompWire(server.stomp)
    reader.connect()
    reader.send("SUBSCRIBE", {"id": "1", "destination": "/queue/safe", "ack": "client"})
    assert [len(reader.receive().body) for _ in range(500)] == [1000] * 500
    reader.close()


def test_a_message_that_a_queue_refuses_is_told_to_who_asked_for_a_receipt(wire, name):
    one = wire()
    arguments = {"x-max-length": "1", "x-overflow": "reject-publish"}
    one.send("SEND", {"destination": "/queue/" + name("full"), "persistent": "true", "receipt": "1", **arguments}, b"a")
    assert one.receive().headers["receipt-id"] == "1"
    one.send("SEND", {"destination": "/queue/" + name("full"), "persistent": "true", "receipt": "2"}, b"b")
    frames = one.receive_until_end()
    assert frames[-1].command == "ERROR" and frames[-1].headers["message"] == "Message not accepted"


def test_a_slow_reader_gets_all_in_the_end_and_the_broker_stays_small(start_weir):
    server = start_weir()
    writer, reader = StompWire(server.stomp), StompWire(server.stomp)
    writer.connect()
    reader.connect()
    reader.send("SUBSCRIBE", {"id": "1", "destination": "/queue/slow", "ack": "client", "receipt": "on"})
    assert reader.receive().command == "RECEIPT"
    for number in range(2000):
        writer.send("SEND", {"destination": "/queue/slow", "persistent": "true"}, b"%d" % number + b"x" * 50_000)
    writer.send("DISCONNECT", {"receipt": "bye"})
    assert writer.receive().headers["receipt-id"] == "bye"
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as statm:
        resident_mib = int(statm.read().split()[1]) * 4096 / 2**20
    assert resident_mib < 150
    for number in range(2000):
        assert reader.receive().body.startswith(b"%dx" % number)
    reader.close()
    writer.close()


@pytest.fixture
def limited(admin, name):
    """A user that may use what begins with "own", and no more."""
    user = name("limited")
    admin.done("PUT", f"/users/{user}", {"password": "secret", "tags": ""})
    admin.done("PUT", f"/permissions/%2F/{user}", {"configure": "^own", "write": "^(own|amq.default)", "read": "^own"})
    yield user
    admin.done("DELETE", f"/users/{user}")


@pytest.mark.parametrize("command, headers", [
    ("SEND", {"destination": "/queue/others"}),
    ("SEND", {"destination": "/topic/any"}),
    ("SEND", {"destination": "/queue/own-1", "reply-to": "/temp-queue/x"}),
    ("SEND", {"destination": "/queue/own-2", "x-dead-letter-exchange": "amq.fanout"}),
    ("SUBSCRIBE", {"id": "1", "destination": "/queue/others"}),
    ("SUBSCRIBE", {"id": "1", "destination": "/queue/own-3", "x-dead-letter-exchange": "amq.fanout"}),
    ("SUBSCRIBE", {"id": "1", "destination": "/topic/any"}),
    ("SUBSCRIBE", {"id": "1", "destination": "/topic/any", "x-queue-name": "own-4"}),
])
def test_who_may_not_is_refused(wire, limited, command, headers):
    one = wire(login=limited, passcode="secret")
    one.send("SEND", {"destination": "/queue/own-0", "receipt": "own"})
    assert one.receive().headers["receipt-id"] == "own"
    one.send(command, headers)
    frames = one.receive_until_end()
    assert frames[-1].command == "ERROR" and frames[-1].headers["message"] == "access_refused", frames
    assert b"refused for user" in frames[-1].body


def large_message_under_way(server):
    """A client that has asked for 16 MiB and has read none of it, when it has begun to leave."""
    wire = StompWire(server.stomp)
    wire.connect()
    wire.send("SEND", {"destination": "/queue/large", "persistent": "true", "receipt": "sent",
                       "content-length": str(16 << 20)}, b"x" * (16 << 20))
    assert wire.receive().headers["receipt-id"] == "sent"
    wire.send("SUBSCRIBE", {"id": "1", "destination": "/queue/large"})
    wait_until(lambda: wire.socket.recv(1, socket.MSG_PEEK), "the first byte")
    return wire


def test_an_error_is_not_written_into_a_large_message(start_weir):
    wire = large_message_under_way(start_weir())
    wire.send("DANCE")
    data = b""
    try:
        while piece := wire.socket.recv(1 << 20):
            data += piece
    except ConnectionError:
        pass
    assert data.startswith(b"MESSAGE\n") and b"ERROR" not in data and len(data) < 16 << 20


def test_a_large_message_under_way_comes_whole_before_the_last_receipt(start_weir):
    wire = large_message_under_way(start_weir())
    wire.send("DISCONNECT", {"receipt": "bye"})
    frames = wire.receive_until_end()
    assert [frame.command for frame in frames] == ["MESSAGE", "RECEIPT"] and len(frames[0].body) == 16 << 20


def test_subscriptions_are_as_they_were_asked_for_while_others_send_much(wire, name):
    subscribers, others = [wire() for _ in range(4)], [wire() for _ in range(4)]
    for turn in range(25):
        for number, one in enumerate(subscribers):
            frames = [f"SUBSCRIBE\nid:{turn}-{part}\ndestination:/queue/{name(f'crowd-{turn}-{number}-{part}')}\n"
                      f"receipt:{turn}-{part}\n\n\0" for part in range(4)]
            one.send_bytes("".join(frames).encode())
            for other in others:
                other.send_bytes(b"\n" * 20_000)
        for one in subscribers:
            assert [one.receive().headers.get("receipt-id") for _ in range(4)] == [f"{turn}-{part}" for part in range(4)]


def test_subscribers_are_told_when_their_queue_goes(wire, admin, name):
    one = wire()
    one.send("SUBSCRIBE", {"id": "1", "destination": "/queue/" + name("gone"), "receipt": "on"})
    assert one.receive().command == "RECEIPT"
    admin.done("DELETE", "/queues/%2F/" + name("gone"))
    frames = one.receive_until_end()
    assert frames[-1].headers["message"] == "Server cancelled subscription"


def test_shutting_down_tells_clients(start_weir):
    server = start_weir()
    wire = StompWire(server.stomp)
    wire.connect()
    server.process.terminate()
    frames = wire.receive_until_end()
    assert frames[-1].command == "ERROR" and b"shut down" in frames[-1].body
    wait_until(lambda: not server.running(), "the broker to end")
