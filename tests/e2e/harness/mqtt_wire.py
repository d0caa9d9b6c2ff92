"""What it is: an MQTT client on a bare socket, of version 3 (3.1), 4 (3.1.1) or 5, for what a well-behaved library does not
do or does not show. Packets are made from their parts, so that each part can be wrong."""

import socket
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15

PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA = 0x01, 0x02, 0x03, 0x08, 0x09
SUBSCRIPTION_ID, SESSION_EXPIRY, ASSIGNED_CLIENT_ID, SERVER_KEEP_ALIVE = 0x0B, 0x11, 0x12, 0x13
AUTH_METHOD, AUTH_DATA, WANTS_PROBLEM_INFORMATION, WILL_DELAY = 0x15, 0x16, 0x17, 0x18
WANTS_RESPONSE_INFORMATION, RESPONSE_INFORMATION, SERVER_REFERENCE, REASON_STRING = 0x19, 0x1A, 0x1C, 0x1F
RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS, MAXIMUM_QOS, RETAIN_AVAILABLE = 0x21, 0x22, 0x23, 0x24, 0x25
USER_PROPERTY, MAXIMUM_PACKET_SIZE, WILDCARDS, SUBSCRIPTION_IDS, SHARED = 0x26, 0x27, 0x28, 0x29, 0x2A

BYTE = {PAYLOAD_FORMAT, WANTS_PROBLEM_INFORMATION, WANTS_RESPONSE_INFORMATION, MAXIMUM_QOS, RETAIN_AVAILABLE, WILDCARDS,
        SUBSCRIPTION_IDS, SHARED}
TWO_BYTES = {SERVER_KEEP_ALIVE, RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS}
FOUR_BYTES = {MESSAGE_EXPIRY, SESSION_EXPIRY, WILL_DELAY, MAXIMUM_PACKET_SIZE}


def varint(number):
    data = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        data.append(low | (0x80 if number else 0))
        if not number:
            return bytes(data)


def text(value):
    data = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack(">H", len(data)) + data


def properties(pairs=()):
    """[(identifier, value), ...], or bytes as they are, with the length before them."""
    data = pairs if isinstance(pairs, bytes) else b"".join(prop(*pair) for pair in pairs)
    return varint(len(data)) + data


def prop(kind, value):
    head = bytes([kind])
    if kind in BYTE:
        return head + bytes([value])
    if kind in TWO_BYTES:
        return head + struct.pack(">H", value)
    if kind in FOUR_BYTES:
        return head + struct.pack(">I", value)
    if kind == SUBSCRIPTION_ID:
        return head + varint(value)
    if kind == USER_PROPERTY:
        return head + text(value[0]) + text(value[1])
    return head + text(value)


def packet(kind, flags, body=b""):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect_packet(version=5, client_id="", clean=True, keep_alive=60, user="guest", password="guest", props=(),
                   will=None, flags=None, name=None, level=None):
    """`will`: (topic, payload, QoS, retain, properties)."""
    bits = 2 if clean else 0
    tail = text(client_id)
    if will:
        topic, payload, qos, retain, will_props = will
        bits |= 4 | qos << 3 | (0x20 if retain else 0)
        tail += (properties(will_props) if version == 5 else b"") + text(topic) + text(payload)
    if user is not None:
        bits |= 0x80
        tail += text(user)
    if password is not None:
        bits |= 0x40
        tail += text(password)
    body = text(name if name is not None else "MQIsdp" if version == 3 else "MQTT")
    body += bytes([level if level is not None else version, bits if flags is None else flags])
    body += struct.pack(">H", keep_alive) + (properties(props) if version == 5 else b"") + tail
    return packet(CONNECT, 0, body)


def publish_packet(version, topic, payload=b"", qos=0, packet_id=1, props=(), retain=False, dup=False):
    body = text(topic) + (struct.pack(">H", packet_id) if qos else b"")
    body += properties(props) if version == 5 else b""
    return packet(PUBLISH, (8 if dup else 0) | qos << 1 | int(retain), body + payload)


def subscribe_packet(version, filters, packet_id=1, props=(), flags=2):
    """`filters`: [(filter, options), ...]"""
    body = struct.pack(">H", packet_id) + (properties(props) if version == 5 else b"")
    return packet(SUBSCRIBE, flags, body + b"".join(text(one) + bytes([options]) for one, options in filters))


def unsubscribe_packet(version, filters, packet_id=1, props=(), flags=2):
    body = struct.pack(">H", packet_id) + (properties(props) if version == 5 else b"")
    return packet(UNSUBSCRIBE, flags, body + b"".join(text(one) for one in filters))


def ack_packet(kind, packet_id, code=None, flags=None, props=None):
    body = struct.pack(">H", packet_id) + (b"" if code is None else bytes([code]))
    body += b"" if props is None else properties(props)
    return packet(kind, (2 if kind == PUBREL else 0) if flags is None else flags, body)


class Reader:
    """The parts of a packet's body, one after another."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        assert len(self.data) >= count, "the server's packet ends too early"
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def varint(self):
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise AssertionError("the server's variable byte integer is too long")

    def text(self):
        return self.take(self.number(2)).decode()

    def properties(self):
        inner, found = Reader(self.take(self.varint())), {}
        while inner.data:
            kind = inner.number(1)
            if kind in BYTE:
                value = inner.number(1)
            elif kind in TWO_BYTES:
                value = inner.number(2)
            elif kind in FOUR_BYTES:
                value = inner.number(4)
            elif kind == SUBSCRIPTION_ID:
                value = inner.varint()
            elif kind == USER_PROPERTY:
                value = (inner.text(), inner.text())
            elif kind in (CORRELATION_DATA, AUTH_DATA):
                value = inner.take(inner.number(2))
            else:
                value = inner.text()
            if kind in (USER_PROPERTY, SUBSCRIPTION_ID):
                found.setdefault(kind, []).append(value)
            else:
                assert kind not in found, f"property {kind:#x} came twice"
                found[kind] = value
        return found


class Packet:
    """One that came: `kind`, `flags`, `body`, and what it says, where it says it."""

    def __init__(self, version, first, body):
        self.kind, self.flags, self.body = first >> 4, first & 15, body
        self.code = self.packet_id = self.topic = self.payload = self.session_present = None
        self.props, self.codes = {}, []
        reader = Reader(body)
        has_properties = version == 5
        if self.kind == CONNACK:
            self.session_present, self.code = bool(reader.number(1)), reader.number(1)
            self.props = reader.properties() if has_properties else {}
        elif self.kind == PUBLISH:
            self.qos, self.retain, self.dup = self.flags >> 1 & 3, bool(self.flags & 1), bool(self.flags & 8)
            self.topic = reader.text()
            self.packet_id = reader.number(2) if self.qos else None
            self.props = reader.properties() if has_properties else {}
            self.payload = reader.data
        elif self.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.packet_id = reader.number(2)
            self.code = reader.number(1) if reader.data else 0
            self.props = reader.properties() if reader.data else {}
        elif self.kind in (SUBACK, UNSUBACK):
            self.packet_id = reader.number(2)
            self.props = reader.properties() if has_properties else {}
            self.codes = list(reader.data)
        elif self.kind == DISCONNECT:
            self.code = reader.number(1) if reader.data else 0
            self.props = reader.properties() if reader.data else {}

    def __repr__(self):
        return f"<packet {self.kind} flags {self.flags} {self.body[:80]!r}>"


class MqttWire:
    def __init__(self, address, version=5, timeout=10):
        self.version = version
        self.socket = socket.create_connection((address.host, address.port), timeout=timeout)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def connect(self, **options):
        """Its CONNACK, which says yes."""
        connack = self.try_connect(**options)
        assert connack.kind == CONNACK and connack.code == 0, connack
        return connack

    def try_connect(self, **options):
        self.send(connect_packet(self.version, **options))
        return self.receive()

    def publish(self, topic, payload=b"", **options):
        self.send(publish_packet(self.version, topic, payload, **options))

    def subscribe(self, *filters, packet_id=1, props=()):
        """The codes of its SUBACK. A filter alone is asked for with QoS 0."""
        wanted = [one if isinstance(one, tuple) else (one, 0) for one in filters]
        self.send(subscribe_packet(self.version, wanted, packet_id, props))
        suback = self.receive()
        assert suback.kind == SUBACK and suback.packet_id == packet_id, suback
        return suback.codes

    def unsubscribe(self, *filters, packet_id=1):
        self.send(unsubscribe_packet(self.version, filters, packet_id))
        unsuback = self.receive()
        assert unsuback.kind == UNSUBACK and unsuback.packet_id == packet_id, unsuback
        return unsuback.codes

    def ack(self, kind, packet_id, code=None):
        self.send(ack_packet(kind, packet_id, code))

    def disconnect(self, code=None, props=None):
        body = b"" if code is None else bytes([code]) + (b"" if props is None else properties(props))
        self.send(packet(DISCONNECT, 0, body))
        assert not self.receive_until_end()
        self.close()

    def answered(self):
        """All that was sent is handled, and nothing has come but this answer."""
        self.send(packet(PINGREQ, 0))
        answer = self.receive()
        assert answer.kind == PINGRESP, answer

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the connection has ended")
        self.buffer += data

    def _take(self):
        """A whole packet, or None."""
        length, at = 0, 1
        while True:
            if len(self.buffer) <= at:
                return None
            byte = self.buffer[at]
            length |= (byte & 0x7F) << 7 * (at - 1)
            at += 1
            if byte < 0x80:
                break
        if len(self.buffer) < at + length:
            return None
        first, body = self.buffer[0], self.buffer[at:at + length]
        self.buffer = self.buffer[at + length:]
        return Packet(self.version, first, body)

    def receive(self, kind=None):
        while (came := self._take()) is None:
            self._more()
        assert kind is None or came.kind == kind, came
        return came

    def receive_until_end(self):
        """Everything that still comes; the server ends the connection."""
        packets = []
        try:
            while True:
                packets.append(self.receive())
        except (EOFError, ConnectionError):
            return packets

    def end_code(self):
        """The code of the DISCONNECT that the server ends with; None: it ends without a word."""
        packets = self.receive_until_end()
        assert len(packets) <= 1, packets
        if not packets:
            return None
        assert packets[0].kind == DISCONNECT, packets
        return packets[0].code

    def ends_after(self):
        """How many seconds it takes for the server to end the connection, and the code."""
        began = time.monotonic()
        code = self.end_code()
        return time.monotonic() - began, code

    def close(self):
        self.socket.close()
