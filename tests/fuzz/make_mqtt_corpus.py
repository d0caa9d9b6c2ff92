#!/usr/bin/python3
"""Writes tests/fuzz/corpus/mqtt_packet and mqtt_topic: one input for each packet in the versions that know it."""

import pathlib

CORPUS = pathlib.Path(__file__).parent / "corpus"
VERSIONS = {"v31": b"\x00", "v311": b"\x01", "v5": b"\x02"}


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return len(data).to_bytes(2, "big") + data


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def packet(first, body=b""):
    return bytes([first]) + varint(len(body)) + body


def listed(*properties):
    return varint(len(b"".join(properties))) + b"".join(properties)


USER = b"\x26" + text("name") + text("value")
REASON = b"\x1f" + text("why")
MESSAGE = listed(b"\x01\x01", b"\x02\x00\x00\x00\x3c", b"\x03" + text("text/plain"), b"\x08" + text("r/1"),
                 b"\x09" + text(b"\x00\xff"), b"\x23\x00\x05", USER, USER)
WILL = listed(b"\x18\x00\x00\x00\x05", b"\x01\x01", USER)
CONNECT = listed(b"\x11\x00\x00\x00\x3c", b"\x21\x00\x0a", b"\x27\x00\x01\x00\x00", b"\x22\x00\x05", b"\x19\x01",
                 b"\x17\x00", b"\x15" + text("SCRAM-SHA-1"), b"\x16" + text("data"), USER)
CONNACK = listed(b"\x11\x00\x00\x00\x3c", b"\x21\x00\x0a", b"\x24\x01", b"\x25\x01", b"\x27\x00\x01\x00\x00",
                 b"\x12" + text("id"), b"\x22\x00\x05", REASON, USER, b"\x28\x01", b"\x29\x01", b"\x2a\x00",
                 b"\x13\x00\x1e", b"\x1a" + text("i/"), b"\x1c" + text("other"), b"\x15" + text("m"),
                 b"\x16" + text("d"))

PACKETS = {
    "v31": {
        "connect": packet(0x10, text("MQIsdp") + b"\x03\xce\x00\x0a" + text("client") + text("w") + text("gone") +
                          text("user") + text("secret")),
        "resent": packet(0x8a, b"\x00\x01" + text("a/#") + b"\x01") + packet(0x6a, b"\x00\x02"),
    },
    "v311": {
        "connect": packet(0x10, text("MQTT") + b"\x04\x02\x00\x3c" + text("client")),
        "publish": packet(0x30, text("a/b") + b"payload") + packet(0x3d, text("a/b") + b"\x00\x07" + b"p" * 200),
        "acks": b"".join(packet(first, b"\x00\x07") for first in (0x40, 0x50, 0x62, 0x70, 0xb0)),
        "subscribe": packet(0x82, b"\x00\x01" + text("a/+/c") + b"\x02" + text("#") + b"\x00"),
        "unsubscribe": packet(0xa2, b"\x00\x01" + text("a/+/c") + text("#")),
        "answers": packet(0x20, b"\x01\x00") + packet(0x90, b"\x00\x01\x00\x01\x02\x80") + packet(0xd0),
        "pings": packet(0xc0) * 3 + packet(0xe0),
    },
    "v5": {
        "connect": packet(0x10, text("MQTT") + b"\x05\xee\x00\x3c" + CONNECT + text("client") + WILL + text("w") +
                          text("gone") + text("user") + text("secret")),
        "connack": packet(0x20, b"\x01\x00" + CONNACK),
        "publish": packet(0x3b, text("a/b") + b"\x00\x07" + MESSAGE + b"payload") +
                   packet(0x30, text("") + listed(b"\x23\x00\x05") + b"p" * 300),
        "from_server": packet(0x30, text("a/b") + listed(b"\x0b\x01", b"\x0b\xff\xff\xff\x7f") + b"x"),
        "acks": b"".join(packet(first, b"\x00\x07" + code + listed(REASON, USER))
                         for first, code in ((0x40, b"\x10"), (0x50, b"\x97"), (0x62, b"\x92"), (0x70, b"\x92"))),
        "subscribe": packet(0x82, b"\x00\x01" + listed(b"\x0b\x80\x01", USER) + text("a/+/c") + b"\x2e" +
                            text("$share/g/#") + b"\x09"),
        "unsubscribe": packet(0xa2, b"\x00\x01" + listed(USER) + text("a/+/c") + text("$share/g/#")),
        "answers": packet(0x90, b"\x00\x01" + listed(REASON) + b"\x00\x8f\x9e") + packet(0xb0, b"\x00\x01\x00\x11"),
        "disconnect": packet(0xe0, b"\x04" + listed(b"\x11\x00\x00\x00\x00", REASON, USER)),
        "server_moved": packet(0xe0, b"\x9d" + listed(b"\x1c" + text("other"))),
        "auth": packet(0xf0, b"\x18" + listed(b"\x15" + text("m"), b"\x16" + text("d"), REASON)),
        "twice": packet(0x30, text("t") + listed(b"\x01\x01", b"\x01\x01")),
        "huge": b"\x30\xff\xff\xff\x7f",
        "endless": b"\x30\xff\xff\xff\xff\x7f",
    },
}

TOPICS = {
    "hash": "sport/#\nsport", "plus": "+/tennis/+\nsport/tennis/player", "dollar": "#\n$SYS/uptime",
    "shared": "$share/group/a/+/#\na/b", "empty_levels": "/+//#\n/a//b", "dots": "a.b/+/c\na.b/x/c",
    "wrong": "a/#/b\na+", "text": "stra\u00dfe/+/\U0001f430\nstra\u00dfe/\u20ac/\U0001f430",
}


def write(folder, name, data):
    path = CORPUS / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


for version, packets in PACKETS.items():
    for name, data in packets.items():
        write("mqtt_packet", f"{version}_{name}", VERSIONS[version] + data)
for name, value in TOPICS.items():
    write("mqtt_topic", name, value.encode())
