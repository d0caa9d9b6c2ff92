#!/usr/bin/env python3
"""Writes the seeds of the amqp091 fuzz targets to tests/fuzz/corpus/amqp091_*."""
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/fuzz/corpus"
UNIT = ROOT / "tests/unit/amqp091_codec"


def entry(name, letter, value=b""):
    return bytes([len(name)]) + name.encode() + letter.encode() + value


def sized(value):
    return struct.pack(">I", len(value)) + value


def tables():
    inner = entry("k", "t", b"\1")
    every = b"".join(
        [
            entry("t", "t", b"\1"), entry("b", "b", b"\xff"), entry("B", "B", b"\xff"),
            entry("s", "s", b"\xff\xfe"), entry("u", "u", b"\xff\xfe"),
            entry("I", "I", struct.pack(">i", -3)), entry("i", "i", struct.pack(">I", 3)),
            entry("l", "l", struct.pack(">q", -4)), entry("L", "L", struct.pack(">Q", 2**64 - 1)),
            entry("f", "f", struct.pack(">f", 1.5)), entry("d", "d", struct.pack(">d", float("nan"))),
            entry("D", "D", b"\2\0\0\x30\x39"), entry("T", "T", struct.pack(">Q", 1700000000)),
            entry("V", "V"), entry("S", "S", sized(b"text")), entry("x", "x", sized(b"\0\xff")),
            entry("A", "A", sized(b"t\1V" + b"F" + sized(inner))), entry("F", "F", sized(inner)),
        ]
    )
    death = entry("x-death", "A", sized(b"F" + sized(
        entry("count", "l", struct.pack(">q", 1)) + entry("reason", "S", sized(b"expired"))
        + entry("queue", "S", sized(b"orders")) + entry("time", "T", struct.pack(">Q", 1700000000))
        + entry("routing-keys", "A", sized(b"S" + sized(b"orders.eu"))))))
    deep = b""
    for _ in range(33):
        deep = entry("d", "F", sized(deep))
    return {
        "empty": b"", "every_type": every, "death": death, "deep": deep, "deepest": deep[7:],
        "same_name_twice": inner + inner, "no_such_type": entry("a", "z"),
        "voids": entry("a", "A", sized(b"V" * 300)),
    }


def methods():
    text = (UNIT / "method_layouts.h").read_text()
    rows = re.findall(r'\{"([a-z.-]+)",\s*"[a-z ]*",\s*"([0-9a-f]+)"\}', text)
    picked = {name.replace(".", "_"): bytes.fromhex(payload) for name, payload in rows if len(payload) > 8}
    return picked


def streams():
    text = (UNIT / "client_streams.h").read_text()
    found = {}
    for name, body in re.findall(r"string_view (\w+)_stream_hex =(.*?);", text, re.S):
        found[name] = bytes.fromhex("".join(re.findall(r'"([0-9a-f]*)"', body)))
    return found


def contents():
    header = struct.pack(">HHQ", 60, 0, 4096)
    table = tables()["every_type"]
    texts = [b"\4text"] * 14
    values = texts[:]
    values[2], values[3], values[4], values[9] = sized(table), b"\2", b"\x09", struct.pack(">Q", 1700000000)
    found = {
        "none": header + b"\0\0", "all": header + b"\xff\xfc" + b"".join(values),
        "persistent": header + b"\x10\0\2", "weight": struct.pack(">HHQ", 60, 1, 0) + b"\0\0",
        "more_flags": header + b"\0\1\0\0",
    }
    for index, value in enumerate(values):
        found[f"only_{index}"] = header + struct.pack(">H", 0x8000 >> index) + value
    return found


def write(target, seeds):
    folder = CORPUS / f"amqp091_{target}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds.items():
        (folder / name).write_bytes(seed)


def main():
    write("field_table", tables())
    write("method", methods())
    write("content", contents())
    frames = {"protocol_header": b"AMQP\0\0\x09\1", "heartbeat": b"\xff\x08\0\0\0\0\0\0\xce",
              "too_large": b"\1\3\0\1\0\0\0\x20", "no_end": b"\xff\3\0\1\0\0\0\1a\0"}
    for name, stream in streams().items():
        frames[name] = b"\xff" + (stream[8:] if stream.startswith(b"AMQP") else stream)
    write("frame", frames)


if __name__ == "__main__":
    main()
