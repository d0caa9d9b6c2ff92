"""What it is: just enough of docs/formats/journal.md to find the batches and records that a test wants to damage."""

import struct
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
BATCH_HEADER = struct.Struct("<IHHQQII")  # magic, version, flags, lsn, durable_lsn, bytes, records
BATCH_HEADER_BYTES = 64
MAGIC = int.from_bytes(b"WJB1", "little")
RECORD_HEADER_BYTES = 24
ENQUEUE = 1


@dataclass(frozen=True)
class Record:
    offset: int  # in the file
    length: int
    kind: int


@dataclass(frozen=True)
class Batch:
    path: Path
    offset: int
    bytes: int
    records: tuple

    @property
    def end(self):
        return self.offset + self.bytes


def batches_of(path):
    """Those that belong to the log: from the file's beginning as long as one follows the other."""
    start = int(path.stem.removeprefix("j-"), 16)
    data = path.read_bytes()
    found, at = [], 0
    while at + BATCH_HEADER_BYTES <= len(data):
        magic, _, _, lsn, _, size, records = BATCH_HEADER.unpack_from(data, at)
        if magic != MAGIC or lsn != start + at or size == 0:
            break
        offset, listed = at + BATCH_HEADER_BYTES, []
        for _ in range(records):
            _, length, kind = struct.unpack_from("<IIB", data, offset)
            listed.append(Record(offset, length, kind))
            offset += (length + 15) // 16 * 16
        found.append(Batch(path, at, size, tuple(listed)))
        at += size
    return found


def all_batches(data_dir):
    """Of the shard that has most of them, in order."""
    shards = []
    for shard in sorted(data_dir.glob("shard-*")):
        shards.append([batch for path in sorted(shard.glob("j-*.log")) for batch in batches_of(path)])
    return max(shards, key=lambda batches: sum(batch.bytes for batch in batches))


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def flip(path, offset, mask=0xFF):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
