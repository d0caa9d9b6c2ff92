"""What it is: an AMQP 0-9-1 client that sends exactly what it is told, right or wrong. Methods by pamqp; frames, content
headers and field tables are ours, so that every byte can be chosen."""

import socket
import struct
import time
from dataclasses import dataclass

from pamqp import commands
from pamqp.commands import Basic, Channel, Confirm, Connection

from harness.waiting import Late

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
FRAME_END = b"\xce"
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
BASIC_CLASS = 60


class Closed(AssertionError):
    """The peer closed the socket. `frames` is what came before and was not asked for."""


@dataclass
class Frame:
    type: int
    channel: int
    payload: bytes

    def method(self):
        assert self.type == METHOD, f"a frame of type {self.type} where a method was expected"
        method = commands.INDEX_MAPPING[struct.unpack(">I", self.payload[:4])[0]]()
        method.unmarshal(self.payload[4:])
        return method


@dataclass
class Content:
    method: object
    properties: bytes  # flags and values as they came
    body: bytes


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + FRAME_END


def method_frame(channel, method):
    return frame(METHOD, channel, struct.pack(">I", method.index) + method.marshal())


def header_frame(channel, body_bytes, properties=b"\x00\x00", class_id=BASIC_CLASS, weight=0):
    return frame(HEADER, channel, struct.pack(">HHQ", class_id, weight, body_bytes) + properties)


def body_frames(channel, body, frame_max=131072):
    step = frame_max - 8
    return b"".join(frame(BODY, channel, body[at:at + step]) for at in range(0, len(body), step))


def publish_frames(channel, exchange, key, body, properties=b"\x00\x00", mandatory=False, frame_max=131072):
    return (method_frame(channel, Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory))
            + header_frame(channel, len(body), properties) + body_frames(channel, body, frame_max))


PERSISTENT = b"\x10\x00\x02"  # the properties delivery-mode: 2


def short_string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">B", len(data)) + data


def long_string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">I", len(data)) + data


def table(*fields):
    """Of (name, type letter, encoded value)."""
    return long_string(b"".join(short_string(name) + kind.encode() + value for name, kind, value in fields))


class Wire:
    """A socket with frames. Everything that blocks has a deadline."""

    def __init__(self, address, seconds=10, tls=None, connect=True):
        self.address = address
        self.seconds = seconds
        self.received = bytearray()
        self.waiting = []  # frames that came while another was waited for
        self.frame_max = 131072
        self.blocked = None
        self.socket = None
        if connect:
            self.socket = socket.create_connection((address.host, address.port), timeout=seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()

    def drop(self):
        """Closes the socket without a word."""
        if self.socket:
            self.socket.close()
            self.socket = None

    # --- bytes and frames ---

    def send(self, data):
        self.socket.sendall(data)

    def send_method(self, channel, method):
        self.send(method_frame(channel, method))

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late("no frame came in time")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(1 << 18)
        except socket.timeout:
            raise Late("no frame came in time") from None
        except ConnectionResetError:
            raise Closed("the peer reset the connection") from None
        if not data:
            raise Closed("the peer closed the connection")
        self.received += data

    def read_frame(self, seconds=None):
        deadline = time.monotonic() + (seconds if seconds is not None else self.seconds)
        while True:
            if len(self.received) >= 7:
                kind, channel, size = struct.unpack_from(">BHI", self.received)
                if len(self.received) >= size + 8:
                    payload = bytes(self.received[7:7 + size])
                    assert self.received[7 + size] == 0xCE, "the frame does not end with its mark"
                    del self.received[:size + 8]
                    return Frame(kind, channel, payload)
            self.read_more(deadline)

    def next_frame(self, seconds=None):
        """The next frame, without heartbeats and connection.blocked/unblocked."""
        if self.waiting:
            return self.waiting.pop(0)
        deadline = time.monotonic() + (seconds if seconds is not None else self.seconds)
        while True:
            got = self.read_frame(deadline - time.monotonic())
            if got.type == HEARTBEAT:
                continue
            if got.type == METHOD and got.channel == 0:
                method = got.method()
                if isinstance(method, Connection.Blocked):
                    self.blocked = method.reason
                    continue
                if isinstance(method, Connection.Unblocked):
                    self.blocked = None
                    continue
            return got

    def next_method(self, kind, channel=None, seconds=None):
        """The next method, which has to be of this kind."""
        got = self.next_frame(seconds)
        method = got.method()
        assert isinstance(method, kind), f"{kind.name} was expected, {describe(method)} came"
        assert channel is None or got.channel == channel
        return method

    def find_method(self, kind, channel, seconds=None):
        """The next method of this kind on this channel; the rest is kept for later."""
        deadline = time.monotonic() + (seconds if seconds is not None else self.seconds)
        earlier, self.waiting = self.waiting, []
        others = []
        try:
            while True:
                got = earlier.pop(0) if earlier else self.next_frame(deadline - time.monotonic())
                if got.type == METHOD:
                    method = got.method()
                    if isinstance(method, kind) and got.channel == channel:
                        return method
                    if isinstance(method, (Channel.Close, Connection.Close)):
                        raise AssertionError(f"{kind.name} was expected, {describe(method)} came")
                others.append(got)
        finally:
            self.waiting = others + earlier

    def rpc(self, channel, method, answer, seconds=None):
        self.send_method(channel, method)
        return self.find_method(answer, channel, seconds)

    def next_content(self, kind=Basic.Deliver, seconds=None):
        method = self.next_method(kind, seconds=seconds)
        header = self.next_frame(seconds)
        assert header.type == HEADER
        class_id, weight, size = struct.unpack_from(">HHQ", header.payload)
        assert (class_id, weight) == (BASIC_CLASS, 0)
        body = bytearray()
        while len(body) < size:
            part = self.next_frame(seconds)
            assert part.type == BODY and part.channel == header.channel
            assert 0 < len(part.payload) <= self.frame_max - 8
            body += part.payload
        assert len(body) == size
        return Content(method, header.payload[12:], bytes(body))

    def quiet(self, seconds=0.2):
        """Whether nothing comes for so long."""
        if self.waiting:
            return False
        try:
            self.waiting.append(self.next_frame(seconds))
            return False
        except Late:
            return True

    # --- the usual beginnings ---

    def handshake(self, frame_max=None, channel_max=None, heartbeat=0, capabilities=None):
        address = self.address
        self.send(PROTOCOL_HEADER)
        start = self.next_method(Connection.Start, 0)
        self.server_properties = start.server_properties
        properties = {"product": "wire", "capabilities": capabilities if capabilities is not None else {
            "authentication_failure_close": True, "consumer_cancel_notify": True, "connection.blocked": True,
            "publisher_confirms": True, "basic.nack": True}}
        self.send_method(0, Connection.StartOk(
            client_properties=properties, mechanism="PLAIN",
            response=f"\x00{address.user}\x00{address.password}", locale="en_US"))
        tune = self.next_method(Connection.Tune, 0)
        self.tune = tune
        self.frame_max = frame_max if frame_max is not None else tune.frame_max
        self.send_method(0, Connection.TuneOk(
            channel_max=tune.channel_max if channel_max is None else channel_max, frame_max=self.frame_max,
            heartbeat=heartbeat))
        self.send_method(0, Connection.Open(virtual_host=address.vhost))
        self.next_method(Connection.OpenOk, 0)
        return self

    def open_channel(self, number=1, confirms=False):
        self.rpc(number, Channel.Open(), Channel.OpenOk)
        if confirms:
            self.rpc(number, Confirm.Select(), Confirm.SelectOk)
        return number

    def publish(self, channel, exchange, key, body, properties=b"\x00\x00", mandatory=False):
        self.send(publish_frames(channel, exchange, key, body, properties, mandatory, self.frame_max))

    def close(self):
        self.send_method(0, Connection.Close(reply_code=200, reply_text="bye", class_id=0, method_id=0))
        while True:
            got = self.next_frame()
            if got.type == METHOD and got.channel == 0 and isinstance(got.method(), Connection.CloseOk):
                break
        self.drop()

    # --- what the peer does to us ---

    def expect_channel_close(self, channel, code, text=None):
        close = self.find_close(Channel.Close, channel)
        check_close(close, code, text)
        self.send_method(channel, Channel.CloseOk())
        return close

    def expect_connection_close(self, code, text=None):
        close = self.find_close(Connection.Close, 0)
        check_close(close, code, text)
        self.send_method(0, Connection.CloseOk())
        self.expect_end()
        return close

    def find_close(self, kind, channel):
        while True:
            got = self.next_frame()
            if got.type == METHOD and got.channel == channel:
                method = got.method()
                if isinstance(method, kind):
                    return method
                assert not isinstance(method, (Channel.Close, Connection.Close)), describe(method)

    def expect_refusal(self, codes):
        """The connection ends, with connection.close if the peer says anything at all."""
        try:
            close = self.find_close(Connection.Close, 0)
            assert close.reply_code in codes, describe(close)
            self.send_method(0, Connection.CloseOk())
        except Closed:
            return
        self.expect_end()

    def expect_end(self, seconds=None):
        """The peer closes the socket; what comes before is thrown away."""
        self.waiting.clear()
        deadline = time.monotonic() + (seconds if seconds is not None else self.seconds)
        try:
            while True:
                self.received.clear()
                self.read_more(deadline)
        except Closed:
            pass
        except (BrokenPipeError, ConnectionAbortedError):
            pass


def check_close(close, code, text):
    assert close.reply_code == code, f"{code} was expected, {describe(close)} came"
    if text is not None:
        assert close.reply_text == text, f"{text!r} was expected, {close.reply_text!r} came"


def describe(method):
    fields = {name: getattr(method, name, None) for name in getattr(method, "__slots__", [])}
    return f"{method.name} {fields}"


def connected(address, channel=True, confirms=False, **options):
    """A Wire whose connection, and channel 1, are open."""
    wire = Wire(address)
    try:
        wire.handshake(**options)
        if channel:
            wire.open_channel(1, confirms)
    except BaseException:
        wire.drop()
        raise
    return wire
