"""How many messages a client of MQTT 5 may have under way: on a bare socket, since libraries keep to it by themselves."""

import socket
import struct

import pytest

RECEIVE_MAXIMUM = 1000  # mqtt.receive_maximum
PUBACK, PUBREC, PUBCOMP, DISCONNECT = 0x40, 0x50, 0x70, 0xE0


def publish(qos, packet_id):
    body = struct.pack(">H", 3) + b"a/b" + struct.pack(">H", packet_id) + b"\0x"
    return bytes([0x30 | qos << 1, len(body)]) + body


class Wire:
    def __init__(self, address):
        self.socket = socket.create_connection((address.host, address.port), timeout=10)
        self.file = self.socket.makefile("rb")
        connect = b"\0\4MQTT\5\xC2\0\0\0" + b"\0\0" + b"\0\5guest\0\5guest"
        self.send(bytes([0x10, len(connect)]) + connect)
        assert self.receive()[0] == 0x20

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """(first byte, body); of less than 128 bytes."""
        kind, size = self.file.read(2)
        return kind, self.file.read(size)

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def wire(weir):
    one = Wire(weir.mqtt)
    yield one
    one.close()


@pytest.mark.parametrize("qos, answer", [(1, PUBACK), (2, PUBREC)])
def test_as_many_messages_as_the_server_takes_may_be_under_way_at_once(wire, qos, answer):
    wire.send(b"".join(publish(qos, number) for number in range(1, RECEIVE_MAXIMUM + 1)))
    answers = [wire.receive() for _ in range(RECEIVE_MAXIMUM)]
    assert [(kind, body[:2]) for kind, body in answers] == [
        (answer, struct.pack(">H", number)) for number in range(1, RECEIVE_MAXIMUM + 1)]


def test_one_message_more_than_the_server_takes_ends_the_connection(wire):
    wire.send(b"".join(publish(2, number) for number in range(1, RECEIVE_MAXIMUM + 1)))
    assert {wire.receive()[0] for _ in range(RECEIVE_MAXIMUM)} == {PUBREC}
    wire.send(bytes([0x62, 2, 0, 7]))  # one is released
    assert wire.receive()[0] == PUBCOMP
    wire.send(publish(2, 7))
    assert wire.receive()[0] == PUBREC
    wire.send(publish(2, RECEIVE_MAXIMUM + 1))
    kind, body = wire.receive()
    assert kind == DISCONNECT and body[0] == 0x93
