"""Bodies and properties leave the broker bit for bit as they came in."""

import struct

import pytest
from pamqp.commands import Basic, Exchange, Queue

from harness.wire import body_frames, connected, frame, header_frame, long_string, method_frame, short_string, table

MESSAGE_BYTES_MAX = 16 << 20

FIELDS = [
    ("bool", "t", b"\x01"), ("false", "t", b"\x00"), ("int8", "b", b"\x80"), ("uint8", "B", b"\xff"),
    ("int16", "s", struct.pack(">h", -32768)), ("uint16", "u", b"\xff\xff"),
    ("int32", "I", struct.pack(">i", -2**31)), ("uint32", "i", b"\xff\xff\xff\xff"),
    ("int64", "l", struct.pack(">q", -2**63)), ("float", "f", struct.pack(">f", 1.5)),
    ("double", "d", struct.pack(">d", 1e300)), ("decimal", "D", struct.pack(">Bi", 2, 12345)),
    ("text", "S", long_string("Grüße, 世界")), ("empty", "S", long_string("")),
    ("not text", "S", long_string(bytes(range(256)))), ("time", "T", struct.pack(">Q", 1700000000)),
    ("nothing", "V", b""), ("bytes", "x", long_string(b"\x00\xff")), ("", "S", long_string("no name")),
    ("x" * 128, "t", b"\x01"),
]
NESTED = [
    ("table", "F", table(*FIELDS)),
    ("array", "A", long_string(b"".join(kind.encode() + value for _, kind, value in FIELDS))),
    ("empty table", "F", table()), ("empty array", "A", long_string(b"")),
    ("deep", "F", table(("a", "A", long_string(b"F" + table(("b", "F", table(("c", "t", b"\x01")))))))),
]

# Flag bits from 15 down, as the 14 properties stand in the specification.
PROPERTIES = [
    short_string("text/plain"), short_string("utf-8"), table(*FIELDS, *NESTED), b"\x02", b"\x09", short_string("c-1"),
    short_string("reply.to"), short_string("60000"), short_string("m-1"), struct.pack(">Q", 2**63 + 5),
    short_string("type"), short_string("guest"), short_string("app"), short_string("cluster"),
]


def properties(*numbers):
    """The properties with these numbers, 0 being content-type."""
    flags = sum(1 << (15 - number) for number in numbers)
    return struct.pack(">H", flags) + b"".join(PROPERTIES[number] for number in numbers)


def declared(wire, queue, **options):
    return wire.rpc(1, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


def fetch(wire, queue):
    wire.send_method(1, Basic.Get(queue=queue, no_ack=True))
    return wire.next_content(Basic.GetOk)


@pytest.mark.parametrize("numbers", [(), *[(number,) for number in range(14)], tuple(range(14)), (0, 13), (2, 3, 9)])
@pytest.mark.parametrize("durable", [False, True])
def test_properties_come_back_bit_for_bit(wires, name, numbers, durable):
    wire = wires()
    declared(wire, name(), durable=durable, exclusive=True)
    wire.publish(1, "", name(), b"body", properties(*numbers))
    got = fetch(wire, name())
    assert got.properties == properties(*numbers)
    assert got.body == b"body"


@pytest.mark.parametrize("field", FIELDS + NESTED, ids=lambda field: field[0][:12] or "empty name")
def test_every_type_of_field_comes_back_bit_for_bit(wires, name, field):
    wire = wires()
    declared(wire, name(), exclusive=True)
    sent = struct.pack(">H", 1 << 13) + table(field)
    wire.publish(1, "", name(), b"", sent)
    assert fetch(wire, name()).properties == sent


def test_headers_with_the_same_name_twice_come_back_as_they_went(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    sent = struct.pack(">H", 1 << 13) + table(("a", "t", b"\x00"), ("a", "S", long_string("again")))
    wire.publish(1, "", name(), b"x", sent)
    assert fetch(wire, name()).properties == sent


def test_properties_go_through_an_exchange_to_every_queue(wires, name):
    wire = wires()
    wire.rpc(1, Exchange.Declare(exchange=name("x"), exchange_type="fanout"), Exchange.DeclareOk)
    queues = [declared(wire, "", exclusive=True).queue for _ in range(10)]
    for queue in queues:
        wire.rpc(1, Queue.Bind(queue=queue, exchange=name("x"), routing_key=""), Queue.BindOk)
    wire.publish(1, name("x"), "key", b"one body", properties(*range(14)))
    for queue in queues:
        got = fetch(wire, queue)
        assert (got.properties, got.body, got.method.exchange, got.method.routing_key) == (
            properties(*range(14)), b"one body", name("x"), "key")
    wire.rpc(1, Exchange.Delete(exchange=name("x")), Exchange.DeleteOk)


@pytest.mark.parametrize("step", [1, 7, 100, 4088])
def test_a_body_may_come_in_frames_of_any_size(wires, name, step):
    wire = wires()
    declared(wire, name(), exclusive=True)
    body = bytes(number % 251 for number in range(5000))
    wire.send(method_frame(1, Basic.Publish(exchange="", routing_key=name())) + header_frame(1, len(body))
              + b"".join(frame(3, 1, body[at:at + step]) for at in range(0, len(body), step)))
    assert fetch(wire, name()).body == body


def test_messages_of_two_channels_may_be_interleaved(wires, name):
    wire = wires()
    wire.open_channel(2)
    declared(wire, name(), exclusive=True)
    one, two = b"1" * 3000, b"2" * 3000
    for channel, body in ((1, one), (2, two)):
        wire.send(method_frame(channel, Basic.Publish(exchange="", routing_key=name())))
        wire.send(header_frame(channel, len(body)))
    for at in range(0, 3000, 1000):
        wire.send(frame(3, 2, two[at:at + 1000]) + frame(3, 1, one[at:at + 1000]))
    assert [fetch(wire, name()).body for _ in range(2)] == [two, one]


def test_a_message_may_come_byte_by_byte(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    data = (method_frame(1, Basic.Publish(exchange="", routing_key=name())) + header_frame(1, 10, properties(0, 3))
            + body_frames(1, b"0123456789"))
    for at in range(len(data)):
        wire.send(data[at:at + 1])
    got = fetch(wire, name())
    assert (got.body, got.properties) == (b"0123456789", properties(0, 3))


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX])
def test_a_message_of_the_largest_size_comes_through(wires, name, size):
    wire = wires(confirms=True)
    declared(wire, name(), durable=True)
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    wire.publish(1, "", name(), body, properties(3))
    assert isinstance(wire.next_method(Basic.Ack), Basic.Ack)
    assert fetch(wire, name()).body == body
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)


def test_a_message_above_the_largest_size_closes_the_channel_at_its_header(weir, wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    size = MESSAGE_BYTES_MAX + 1
    wire.send(method_frame(1, Basic.Publish(exchange="", routing_key=name())) + header_frame(1, size))
    wire.expect_channel_close(
        1, 406, f"PRECONDITION_FAILED - message size {size} is larger than configured max size {MESSAGE_BYTES_MAX}")
    wire.open_channel(1)
    assert declared(wire, name(), exclusive=True).message_count == 0


def test_the_largest_size_is_a_setting(start_weir, name):
    server = start_weir("limits.message_bytes_max=1KiB")
    with connected(server.address) as wire:
        declared(wire, name(), exclusive=True)
        wire.publish(1, "", name(), b"x" * 1024)
        assert len(fetch(wire, name()).body) == 1024
        wire.publish(1, "", name(), b"x" * 1025)
        wire.expect_channel_close(1, 406)
