"""What it is: publishes very many delayed messages, as bytes that are made once: a client library takes 50 us for each."""

import random
import socket
import struct

import pika
from pika import frame, spec

BATCH = 2_000
WINDOW = 50_000  # published and not confirmed
EXCHANGE, QUEUE, KEY = "bench-later", "bench-due", "due"


def declare(channel):
    channel.exchange_declare(EXCHANGE, "x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"})
    channel.queue_declare(QUEUE, durable=True)
    channel.queue_bind(QUEUE, EXCHANGE, KEY)


class FastPublisher:
    """One connection with one channel in confirm mode; messages of one size that differ in their delay."""

    def __init__(self, port, body_bytes):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.received = b""
        self.confirmed = self.published = 0
        self.socket.sendall(frame.ProtocolHeader().marshal())
        self._expect(spec.Connection.Start)
        self._send(0, spec.Connection.StartOk({}, "PLAIN", "\0guest\0guest", "en_US"))
        tune = self._expect(spec.Connection.Tune)
        self._send(0, spec.Connection.TuneOk(tune.channel_max, tune.frame_max, 0))
        self._send(0, spec.Connection.Open("/"))
        self._expect(spec.Connection.OpenOk)
        self._send(1, spec.Channel.Open())
        self._expect(spec.Channel.OpenOk)
        self._send(1, spec.Confirm.Select())
        self._expect(spec.Confirm.SelectOk)
        self.message = self._message(body_bytes)

    def _send(self, channel, method):
        self.socket.sendall(frame.Method(channel, method).marshal())

    def _frames(self):
        self.received += self.socket.recv(1 << 16)
        frames, at = [], 0
        while True:
            taken, decoded = frame.decode_frame(self.received[at:at + (1 << 17)])
            if not taken:
                break
            at += taken
            frames.append(decoded)
        self.received = self.received[at:]
        return frames

    def _expect(self, method):
        while True:
            for decoded in self._frames():
                assert isinstance(decoded.method, method), decoded
                return decoded.method

    def _message(self, body_bytes):
        """The bytes before the delay, and those after it."""
        mark = 0x5EED5EED
        properties = pika.BasicProperties(delivery_mode=2, headers={"x-delay": mark << 16})
        whole = (frame.Method(1, spec.Basic.Publish(exchange=EXCHANGE, routing_key=KEY)).marshal() +
                 frame.Header(1, body_bytes, properties).marshal() + frame.Body(1, b"x" * body_bytes).marshal())
        before, after = whole.split(struct.pack(">q", mark << 16))
        return before, after

    def publish(self, delays_ms):
        before, after = self.message
        self.socket.sendall(b"".join(before + struct.pack(">q", delay) + after for delay in delays_ms))
        self.published += len(delays_ms)
        while self.published - self.confirmed > WINDOW:
            self._take_confirms()

    def _take_confirms(self):
        for decoded in self._frames():
            assert isinstance(decoded.method, spec.Basic.Ack), decoded
            self.confirmed = max(self.confirmed, decoded.method.delivery_tag)

    def finish(self):
        while self.confirmed < self.published:
            self._take_confirms()
        self.socket.close()


def fill(port, messages, body_bytes, first_ms, last_ms):
    """All of them wait for some time between the two."""
    publisher = FastPublisher(port, body_bytes)
    randomly = random.Random(1)
    for begin in range(0, messages, BATCH):
        count = min(BATCH, messages - begin)
        publisher.publish([randomly.randrange(first_ms, last_ms) for _ in range(count)])
    publisher.finish()
