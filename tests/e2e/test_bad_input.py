"""Clients that send garbage, half of something or far too much: they are told in the protocol's words where it has any,
cost a bounded amount of memory, and harm nobody else."""

import os
import random
import resource
import socket
import struct
import time

import pytest
from pamqp.commands import Basic, Channel, Connection, Queue

from harness.waiting import wait_until
from harness.wire import (BODY, METHOD, PROTOCOL_HEADER, Wire, connected, frame, header_frame, method_frame,
                          publish_frames, short_string, table)

MEMORY_GROWTH_MIB_MAX = 64
MALFORMED = (501, 502, 503, 505, 540)  # the reply codes of what can't be understood


@pytest.fixture(autouse=True)
def others_go_on(broker):
    """After each of these tests somebody who was connected all the time, and somebody new, can work."""
    with connected(broker.address) as old:
        yield
        for wire in (old, connected(broker.address)):
            with wire:
                queue = wire.rpc(1, Queue.Declare(exclusive=True), Queue.DeclareOk).queue
                wire.publish(1, "", queue, b"still works")
                wire.rpc(1, Basic.Consume(queue=queue, consumer_tag="c", no_ack=True), Basic.ConsumeOk)
                assert wire.next_content().body == b"still works"


def raw(broker):
    sock = socket.create_connection((broker.address.host, broker.address.port), 5)
    sock.settimeout(5)
    return sock


def read_to_end(sock):
    data = b""
    while True:
        try:
            part = sock.recv(65536)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


NO_AMQP = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "ones": b"\xff" * 1000,
    "zeros": bytes(1000),
    "amqp 1.0": b"AMQP\x00\x01\x00\x00",
    "amqp 1.0 with sasl": b"AMQP\x03\x01\x00\x00",
    "a later amqp": b"AMQP\x00\x00\x0a\x00",
    "mqtt": b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test",
    "a frame without a header": method_frame(0, Connection.StartOk()),
}


@pytest.mark.parametrize("what", NO_AMQP)
def test_what_is_no_amqp_is_answered_with_the_version_that_is_spoken(broker, what):
    with raw(broker) as sock:
        sock.sendall(NO_AMQP[what])
        assert read_to_end(sock) == PROTOCOL_HEADER


def test_a_megabyte_of_noise_is_not_read_for_long(broker):
    with raw(broker) as sock:
        try:
            for _ in range(16):
                sock.sendall(os.urandom(65536))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert read_to_end(sock) in (PROTOCOL_HEADER, b"")


BROKEN_FRAMES = {
    "an unknown type": frame(7, 1, b"x"),
    "a wrong end mark": struct.pack(">BHI", METHOD, 1, 4) + b"\0\0\0\0X",
    "a length of 2 GiB": struct.pack(">BHI", METHOD, 1, 2**31),
    "a length of 4 GiB": struct.pack(">BHI", BODY, 1, 2**32 - 1),
    "one byte more than agreed": struct.pack(">BHI", BODY, 1, 131072 - 7) + bytes(131072 - 7) + b"\xce",
    "a method without its number": frame(METHOD, 1, b"\0"),
    "an empty method": frame(METHOD, 1, b""),
    "arguments cut off": frame(METHOD, 1, struct.pack(">I", Queue.Declare.index) + b"\0"),
    "bytes behind the arguments": frame(
        METHOD, 1, struct.pack(">I", Queue.Purge.index) + Queue.Purge(queue="q").marshal() + b"more"),
    "a string that goes beyond the frame": frame(METHOD, 1, struct.pack(">IH", Queue.Declare.index, 0) + b"\xffshort"),
    "a name that is no utf-8": frame(
        METHOD, 1, struct.pack(">IH", Queue.Declare.index, 0) + short_string(b"\xff\xfe") + b"\0\0\0\0\0"),
}
FIELD_TABLES = {
    "a table longer than its frame": struct.pack(">I", 2**31),
    "a string longer than its table": table(("a", "S", struct.pack(">I", 2**32 - 1))),
    "an array longer than its table": table(("a", "A", struct.pack(">I", 2**30) + b"t\x01")),
    "a table in a table that is longer": table(("a", "F", struct.pack(">I", 2**31 - 1))),
    "an unknown type of field": table(("a", "?", b"1234")),
    "a field without a value": table(("a", "l", b"\0")),
    "a name longer than the table": struct.pack(">I", 2) + b"\xffa",
}


def nested_table(depth):
    inner = table()
    for _ in range(depth):
        inner = table(("t", "F", inner))
    return inner


def declare_with(arguments):
    return frame(METHOD, 1, struct.pack(">IH", Queue.Declare.index, 0) + short_string("q") + b"\0" + arguments)


@pytest.mark.parametrize("what", BROKEN_FRAMES)
def test_a_broken_frame_ends_the_connection(weir, wires, what):
    wire = wires()
    wire.send(BROKEN_FRAMES[what])
    wire.expect_refusal(MALFORMED)


@pytest.mark.parametrize("what", FIELD_TABLES)
def test_a_broken_table_ends_the_connection(weir, wires, what):
    wire = wires()
    wire.send(declare_with(FIELD_TABLES[what]))
    wire.expect_refusal(MALFORMED)


@pytest.mark.parametrize("what", FIELD_TABLES)
def test_a_broken_table_in_a_message_ends_the_connection(weir, wires, what):
    wire = wires()
    wire.send(method_frame(1, Basic.Publish(exchange="amq.headers", routing_key=""))
              + header_frame(1, 0, struct.pack(">H", 1 << 13) + FIELD_TABLES[what]))
    wire.expect_refusal(MALFORMED)


@pytest.mark.parametrize("depth", [100, 5000])
def test_tables_within_tables_within_tables_are_refused(weir, wires, depth):
    wire = wires()
    wire.send(declare_with(nested_table(depth)))
    wire.expect_refusal(MALFORMED)


def test_a_method_on_a_closed_channel_ends_the_connection(wires):
    wire = wires()
    wire.rpc(1, Channel.Close(reply_code=200, reply_text="", class_id=0, method_id=0), Channel.CloseOk)
    wire.send_method(1, Queue.Declare(queue="q"))
    if wire.server_properties["product"] == "Weir":
        wire.expect_connection_close(504, "CHANNEL_ERROR - expected 'channel.open'")


def test_the_handshake_in_the_wrong_order_is_refused(weir):
    for sent in (Connection.Open(virtual_host="/"), Connection.TuneOk(channel_max=1, frame_max=8192, heartbeat=0),
                 Connection.CloseOk()):
        with Wire(weir.address) as wire:
            wire.send(PROTOCOL_HEADER)
            wire.next_method(Connection.Start)
            wire.send_method(0, sent)
            wire.expect_refusal((501, 503, 504, 505))
    with Wire(weir.address) as wire:
        wire.send(PROTOCOL_HEADER)
        wire.next_method(Connection.Start)
        wire.send_method(1, Channel.Open())
        wire.expect_refusal((501, 503, 504, 505))


def test_an_unknown_mechanism_or_a_strange_response_is_refused(weir):
    for mechanism, response in (("MAGIC", "x"), ("PLAIN", "no zeros"), ("PLAIN", "\0guest"), ("AMQPLAIN", "\xff\xff"),
                                ("PLAIN", "\0guest\0guest\0more")):
        with Wire(weir.address) as wire:
            wire.send(PROTOCOL_HEADER)
            wire.next_method(Connection.Start)
            wire.send_method(0, Connection.StartOk(client_properties={}, mechanism=mechanism, response=response,
                                                   locale="en_US"))
            wire.expect_refusal((403, 501, 502, 503))


def test_noise_in_good_frames_never_gets_through(weir):
    """Methods with random arguments, from a seed that is printed."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(150):
        wire = connected(weir.address)
        with wire:
            try:
                for _ in range(20):
                    kind = dice.choice([METHOD, METHOD, METHOD, 2, BODY, 8])
                    method = struct.pack(">HH", dice.choice([10, 20, 40, 50, 60, 85, 90]), dice.randrange(0, 130))
                    wire.send(frame(kind, dice.choice([0, 1, 1, 1, 2]), method + dice.randbytes(dice.randrange(60))))
            except (BrokenPipeError, ConnectionResetError):
                pass


def test_mutations_of_a_good_conversation_harm_nobody(weir, name):
    queue = name("mutated")  # no other test's name is one byte away
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    good = (method_frame(1, Queue.Declare(queue=queue, durable=True, arguments={"x-a": [1, {"b": "c"}]}))
            + method_frame(1, Basic.Consume(queue=queue, consumer_tag="c"))
            + publish_frames(1, "", queue, b"body" * 100, struct.pack(">H", 1 << 13) + table(("a", "t", b"\1")))
            + method_frame(1, Basic.Ack(delivery_tag=1))
            + method_frame(1, Queue.Delete(queue=queue)))
    for _ in range(200):
        mutated = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            mutated[dice.randrange(len(mutated))] = dice.randrange(256)
        with connected(weir.address) as wire:
            try:
                wire.send(bytes(mutated[:dice.randrange(1, len(mutated) + 1)]))
            except (BrokenPipeError, ConnectionResetError):
                pass
    with connected(weir.address) as wire:
        wire.rpc(1, Queue.Delete(queue=queue), Queue.DeleteOk)


def test_a_client_that_stops_in_the_middle_of_the_handshake_is_dropped(start_weir):
    server = start_weir("amqp.handshake_timeout_ms=300")
    for sent in (b"", b"AMQ", PROTOCOL_HEADER, PROTOCOL_HEADER + method_frame(0, Connection.StartOk())[:9]):
        with raw(server) as sock:
            began = time.monotonic()
            sock.sendall(sent)
            read_to_end(sock)
            assert time.monotonic() - began < 3


def test_1000_half_open_connections_cost_little_and_go(start_weir):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    server = start_weir("amqp.handshake_timeout_ms=4000")
    before = server.rss_mib()
    socks = []
    try:
        for number in range(1000):
            sock = raw(server)
            socks.append(sock)
            if number % 2:
                sock.sendall(PROTOCOL_HEADER)
        wait_until(lambda: server.open_files() > 1000, "all are accepted")
        server.check_growth(before, MEMORY_GROWTH_MIB_MAX)
        with connected(server.address):
            pass
        wait_until(lambda: server.open_files() < 100, "all were dropped", 15)
    finally:
        for sock in socks:
            sock.close()


def test_many_started_messages_on_many_channels_are_bounded(start_weir):
    """Headers that announce 16 MiB each, on every channel, and then nothing."""
    server = start_weir()
    before = server.rss_mib()
    with connected(server.address) as wire:
        wire.send(b"".join(method_frame(number, Channel.Open()) for number in range(2, 1001)))
        for number in range(2, 1001):
            wire.next_method(Channel.OpenOk)
        try:
            for number in range(1, 1001):
                wire.send(method_frame(number, Basic.Publish(exchange="", routing_key="q"))
                          + header_frame(number, 16 << 20) + frame(BODY, number, bytes(1000)))
        except (BrokenPipeError, ConnectionResetError):
            pass
        with connected(server.address):
            server.check_growth(before, 200)


def test_a_client_that_makes_the_broker_answer_and_reads_nothing_is_bounded(start_weir):
    server = start_weir()
    with connected(server.address) as wire:
        queue = wire.rpc(1, Queue.Declare(exclusive=True), Queue.DeclareOk).queue
        wire.publish(1, "", queue, b"x" * 100_000)
        before = server.rss_mib()
        requests = method_frame(1, Queue.Declare(queue=queue, passive=True)) * 2000
        wire.socket.settimeout(1)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += wire.socket.send(requests)
        except (socket.timeout, BlockingIOError):
            pass
        assert sent < 64 << 20, "the broker reads without end"
        server.check_growth(before, MEMORY_GROWTH_MIB_MAX)
        with connected(server.address):
            pass
