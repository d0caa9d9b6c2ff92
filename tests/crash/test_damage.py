"""A data directory that was damaged outside of the broker: what a torn write leaves is cut off, what had been confirmed and
is damaged is reported, and the rest is there."""

import os
import shutil

import pytest
from pamqp.commands import Queue

from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected
from journal_files import BATCH_HEADER_BYTES, BLOCK, ENQUEUE, RECORD_HEADER_BYTES, all_batches, batches_of, flip, overwrite
from ledger import Ledger, ready_count, settled_ready_count


def definitions_are_safe(shard):
    """The log can do without any of its parts but the last few MiB."""
    ends = [int(path.stem.removeprefix("j-"), 16) + batch.end for path in shard.glob("j-*.log")
            for batch in batches_of(path)]
    copies = [shard / "snapshot.A", shard / "snapshot.B"]
    return all(copy.exists() and int.from_bytes(copy.read_bytes()[8:16], "little") + (4 << 20) > max(ends)
               for copy in copies)


@pytest.fixture
def filled(start_weir, tmp_path):
    """filled(): a broker that was killed at work, and its books."""
    ledgers = []

    def fill(count=3000, body_bytes_max=2048, settle_down=False, definitions_safe=False):
        server = start_weir()
        with connected(server.address) as wire:
            wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        ledger = Ledger("q", tmp_path)
        ledgers.append(ledger)
        ledger.publisher(server.ports["amqp"], 1, count=count, body_bytes_max=body_bytes_max)
        ledger.collect()
        assert ledger.confirmed == count
        if settle_down:
            batches = len(all_batches(server.data_dir))
            wait_until(lambda: len(all_batches(server.data_dir)) > batches, "a mark vouches for the last batch")
        if definitions_safe:
            wait_until(lambda: definitions_are_safe(server.data_dir / "shard-00"), "a snapshot near the log's end")
        server.kill()
        return server, ledger

    yield fill
    for ledger in ledgers:
        ledger.end()


def drain(server, ledger, ack=False):
    with connected(server.address) as wire:
        return ledger.drain(server.ports["amqp"], settled_ready_count(wire, "q"), ack)


def take(server, ledger):
    """Without the check that all is there."""
    ledger.sent[1].settled = True
    return drain(server, ledger)


def half_a_batch(batches):
    last = batches[-1]
    whole = last.path.read_bytes()[last.offset:last.end]
    return whole[:BATCH_HEADER_BYTES + 200]


@pytest.mark.parametrize("garbage", [
    lambda batches: os.urandom(3 * BLOCK),
    lambda batches: b"\xff" * BLOCK,
    lambda batches: b"WJB1" + os.urandom(2 * BLOCK),
    half_a_batch,
], ids=["noise", "ones", "a magic number", "half a batch of earlier"])
def test_garbage_behind_the_end_is_cut_off(filled, garbage):
    server, ledger = filled()
    batches = all_batches(server.data_dir)
    last = batches[-1]
    overwrite(last.path, last.end, garbage(batches))
    server.start()
    assert len(drain(server, ledger)) == 3000
    server.kill()
    server.start()  # and once more on what that left
    assert len(drain(server, ledger, ack=True)) == 3000


def test_a_torn_last_batch_takes_nothing_before_it_along(filled):
    """Nothing on the disk vouches for the very last batch of a process that was killed: it may be cut off."""
    server, ledger = filled()
    batches = all_batches(server.data_dir)
    last = batches[-1]
    inside = sum(record.kind == ENQUEUE for record in last.records)
    overwrite(last.path, last.offset + last.bytes - BLOCK, os.urandom(BLOCK))
    flip(last.path, last.offset + BATCH_HEADER_BYTES + 30)
    server.start()
    found = take(server, ledger)
    assert len(found) >= 3000 - inside
    assert [one.seq for one in found] == list(range(len(found)))
    with connected(server.address, confirms=True) as wire:  # it goes on behind it
        wire.publish(1, "", "q", b"x" * 12, PERSISTENT)
        wire.next_frame()
    server.kill()
    server.start()
    with connected(server.address) as wire:
        assert ready_count(wire, "q").message_count == len(found) + 1


def test_a_damaged_message_is_reported_and_the_others_are_there(filled):
    server, ledger = filled(settle_down=True)
    batches = all_batches(server.data_dir)
    batch = batches[len(batches) // 2]
    record = next(record for record in batch.records if record.kind == ENQUEUE)
    flip(batch.path, record.offset + RECORD_HEADER_BYTES + record.length // 2)
    server.start()
    found = take(server, ledger)
    assert len(found) == 2999
    assert [one.seq for one in found] == sorted(one.seq for one in found)
    warnings = [line for line in server.log().splitlines() if " warning " in line or " error " in line]
    assert any("damage" in line for line in warnings), "the damage is not reported"


def test_a_damaged_superblock_is_replaced_by_its_twin(filled):
    server, ledger = filled()
    for shard in server.data_dir.glob("shard-*"):
        flip(shard / "super.A", 40)
    server.start()
    assert len(drain(server, ledger)) == 3000
    server.kill()
    for shard in server.data_dir.glob("shard-*"):
        flip(shard / "super.B", 40)
    server.start()
    assert len(drain(server, ledger)) == 3000


def test_without_a_superblock_the_broker_does_not_start_and_changes_nothing(filled):
    server, ledger = filled()
    kept = server.directory / "kept"
    shutil.copytree(server.data_dir, kept)
    for shard in server.data_dir.glob("shard-*"):
        for name in ("super.A", "super.B"):
            flip(shard / name, 40)
    server.spawn()
    assert server.process.wait(10) == 65
    for path in server.data_dir.rglob("j-*.log"):
        assert path.read_bytes() == (kept / path.relative_to(server.data_dir)).read_bytes()
    shutil.rmtree(server.data_dir)
    shutil.copytree(kept, server.data_dir)
    server.start()
    assert len(drain(server, ledger)) == 3000


def test_a_missing_journal_file_takes_only_its_own_messages_along(filled):
    server, ledger = filled(count=12_000, body_bytes_max=128 << 10, definitions_safe=True)
    batches = all_batches(server.data_dir)
    paths = sorted({batch.path for batch in batches})
    assert len(paths) > 2, "the log has to have a file in the middle"
    inside = sum(record.kind == ENQUEUE for batch in batches if batch.path == paths[1] for record in batch.records)
    paths[1].rename(server.directory / "away")
    server.start()
    found = take(server, ledger)
    assert len(found) == 12_000 - inside
    assert [one.seq for one in found] == sorted(one.seq for one in found)
    assert any(" error " in line and "damage" in line for line in server.log().splitlines())


def test_a_stranger_in_the_directory_does_no_harm(filled):
    server, ledger = filled()
    for shard in server.data_dir.glob("shard-*"):
        (shard / "notes.txt").write_text("mine")
        (shard / "j-ffff.log").write_bytes(os.urandom(100))
        (shard / "snapshot.tmp").write_bytes(os.urandom(100))
    server.start()
    assert len(drain(server, ledger)) == 3000
    assert all((shard / "notes.txt").exists() for shard in server.data_dir.glob("shard-*"))
