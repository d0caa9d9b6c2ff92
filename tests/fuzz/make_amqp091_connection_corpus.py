#!/usr/bin/env python3
"""Writes the seeds of the amqp091_connection fuzz target to tests/fuzz/corpus/amqp091_connection: a byte of options, a
byte for the size of reads (0: any), then what a client sends."""
import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus/amqp091_connection"
HANDSHAKE, CONSUMER, SLOW, UNCONFIRMED, READS_NOTHING, SLOW_PASSWORD, ALARM = 1, 2, 4, 8, 16, 32, 64
READY = HANDSHAKE | CONSUMER


def short(text):
    return bytes([len(text)]) + text.encode()


def long(value):
    return struct.pack(">I", len(value)) + value


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel, class_id, method_id, arguments=b""):
    return frame(1, channel, struct.pack(">HH", class_id, method_id) + arguments)


def publish(channel, key, body, properties=b"\0\0", frames=1, exchange="", flags=0):
    size = max(1, -(-len(body) // frames))
    bodies = b"".join(frame(3, channel, body[i:i + size]) for i in range(0, len(body), size))
    header = frame(2, channel, struct.pack(">HHQ", 60, 0, len(body)) + properties)
    return method(channel, 60, 40, b"\0\0" + short(exchange) + short(key) + bytes([flags])) + header + bodies


def ack(tag, multiple=0, method_id=80):
    return method(1, 60, method_id, struct.pack(">QB", tag, multiple))


def declare(queue, flags=0):
    return method(1, 50, 10, b"\0\0" + short(queue) + bytes([flags]) + long(b""))


def handshake():
    login = b"\0guest\0guest"
    return (b"AMQP\0\0\x09\1" + method(0, 10, 11, long(b"") + short("PLAIN") + long(login) + short("en_US"))
            + method(0, 10, 31, struct.pack(">HIH", 100, 8192, 10)) + method(0, 10, 40, short("/") + b"\0\0"))


def seeds():
    open_close = method(1, 20, 10, b"\0") + method(1, 20, 40, struct.pack(">H", 200) + b"\0" + b"\0" * 4)
    work = (declare("q") + method(1, 50, 20, b"\0\0" + short("q") + short("amq.topic") + short("a.#") + b"\0" + long(b""))
            + publish(1, "a.b", b"one", exchange="amq.topic") + publish(1, "q", b"x" * 300, frames=7)
            + publish(1, "none", b"back", flags=1) + method(1, 60, 70, b"\0\0" + short("q") + b"\1"))
    settle = ack(1) + ack(3, 1) + ack(4, 2, 120) + method(1, 60, 90, struct.pack(">QB", 5, 1)) + ack(0, 1)
    control = (method(1, 60, 10, b"\0" * 4 + b"\0\5\0") + method(1, 60, 110, b"\1") + method(1, 60, 30, short("c") + b"\0")
               + method(1, 60, 20, b"\0\0" + short("q") + short("d") + b"\0" + long(b"")) + method(1, 20, 20, b"\1")
               + method(1, 30, 10, short("/") + b"\x1f") + method(1, 50, 30, b"\0\0" + short("q") + b"\0")
               + method(1, 50, 40, b"\0\0" + short("q") + b"\0"))
    errors = publish(1, "k", b"lost", exchange="none") + method(1, 20, 41) + method(1, 20, 10, b"\0") + ack(9)
    close = method(0, 10, 50, struct.pack(">H", 200) + b"\0" + b"\0" * 4)
    woven = (publish(1, "q", b"a" * 10)[:60] + method(2, 20, 10, b"\0") + frame(8, 0, b"") + publish(2, "q", b"b"))
    gets = method(1, 60, 70, b"\0\0" + short("q") + b"\1") * 20
    return {
        "handshake": (0, 0, handshake()), "handshake_slow_password": (SLOW_PASSWORD, 1, handshake() + open_close),
        "open_close": (HANDSHAKE, 0, open_close + close), "work": (READY, 0, work), "work_in_bytes": (READY, 1, work),
        "work_slow": (READY | SLOW | UNCONFIRMED, 5, work), "settle": (READY, 0, settle), "control": (READY, 3, control),
        "errors": (READY, 0, errors), "woven": (READY, 7, woven), "close": (READY | SLOW, 0, work + close + work),
        "alarm": (READY | ALARM, 0, work + settle), "reads_nothing": (READY | READS_NOTHING, 0, gets),
        "not_amqp": (0, 0, b"GET / HTTP/1.1\r\n\r\n"), "too_large": (HANDSHAKE, 2, b"\3\0\1\xff\xff\xff\xff"),
    }


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, (options, reads, data) in seeds().items():
        (CORPUS / name).write_bytes(bytes([options, reads]) + data)


if __name__ == "__main__":
    main()
