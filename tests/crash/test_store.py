"""`weir store`: damage in each kind of file is found without changing anything, repaired without deleting anything, and
what must still be there is served."""

import json
import subprocess

import pika
import pytest

from harness.server import binary
from harness.waiting import wait_until
from journal_files import BATCH_HEADER_BYTES, ENQUEUE, RECORD_HEADER_BYTES, all_batches, flip

PERSISTENT = pika.BasicProperties(delivery_mode=2)
KEPT = 4  # one message of so many is not taken
COUNT = 2400
SETTINGS = ("shards=1", "journal.file_bytes_max=8MiB", "journal.checkpoint_bytes=8MiB", "journal.cleaner=false")


def store(command, server, *flags):
    result = subprocess.run([str(binary()), "store", command, str(server.data_dir), *flags], capture_output=True,
                            text=True, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


def verify(server, *flags):
    code, out, err = store("verify", server, "--json", *flags)
    assert out, err
    report = json.loads(out)
    assert code == (0 if report["whole"] else 1)
    return report


def findings(report):
    return [one for shard in report["shards"] for one in shard["findings"]]


def contents(server):
    return {path: path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file() and path.name != "node.lock"}


def connect(server):
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.ports["amqp"], heartbeat=0))


def body(number):
    return b"%d " % number + bytes([97 + number % 26]) * 16_000


@pytest.fixture
def filled(start_weir):
    """A stopped broker with segments, a checkpoint and a log behind it: 39 MB of messages, of which one in four is left."""
    server = start_weir(*SETTINGS)
    connection = connect(server)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("orders", durable=True)
    for number in range(COUNT):
        channel.basic_publish("", "orders", body(number), PERSISTENT)
    channel.basic_qos(prefetch_count=COUNT)
    taken = 0
    for method, _, got in channel.consume("orders", inactivity_timeout=10):
        number = int(got.split()[0])
        if number % KEPT:
            channel.basic_ack(method.delivery_tag)
        taken += 1
        if taken == COUNT:
            break
    channel.cancel()
    connection.close()
    shard = server.data_dir / "shard-00"
    wait_until(lambda: (shard / "checkpoint.B").exists() and list(shard.glob("i-*.idx")), "a checkpoint")
    server.stop()
    return server


LEFT = [number for number in range(COUNT) if number % KEPT == 0]


def read_back(server):
    connection = connect(server)
    channel = connection.channel()
    found = []
    while True:
        method, _, got = channel.basic_get("orders", auto_ack=False)
        if method is None:
            break
        number = int(got.split()[0])
        assert got == body(number), "a message that changed"
        found.append(number)
    connection.close()
    return found


def ruin(path):
    size = path.stat().st_size
    for offset in (9, size // 2, size - 6):
        flip(path, offset)


def test_a_whole_directory_is_whole(filled):
    before = contents(filled)
    report = verify(filled, "--deep")
    assert report["whole"], findings(report)
    queue, = report["shards"][0]["queues"]
    assert (queue["name"], queue["vhost"], queue["messages"], queue["lost"]) == ("orders", "/", len(LEFT), 0)
    code, out, _ = store("repair", filled)
    assert (code, "nothing to repair" in out) == (0, True)
    assert contents(filled) == before


def test_not_while_a_server_runs_and_not_elsewhere(filled, tmp_path):
    filled.start()
    for command in ("verify", "repair"):
        code, _, err = store(command, filled)
        assert code == 3 and "another server" in err
    code = subprocess.run([str(binary()), "store", "verify", str(tmp_path)], capture_output=True, check=False).returncode
    assert code == 2
    assert not (tmp_path / "node.lock").exists()


@pytest.mark.parametrize("damage", [
    ["super.A", "super.B"],
    ["checkpoint.A", "checkpoint.B"],
    ["snapshot.A", "snapshot.B"],
    ["super.A", "super.B", "checkpoint.A", "checkpoint.B"],
    ["../node.id"],
], ids=" ".join)
def test_what_a_start_refuses_is_repaired(filled, damage):
    shard = filled.data_dir / "shard-00"
    for name in damage:
        ruin(shard / name)
    filled.spawn()
    assert filled.process.wait(20) == 65
    assert "weir store repair" in filled.log()
    before = contents(filled)
    report = verify(filled)
    assert not report["whole"]
    if damage != ["../node.id"]:
        assert any(one["severity"] == "refuses to start" for one in findings(report))
    code, out, _ = store("repair", filled, "--yes")
    assert code == 0, out
    after = contents(filled)
    for path, data in before.items():
        kept = [one for one in after.values() if one == data]
        assert kept or path.name.startswith("super."), f"{path.name} is nowhere any more"
    assert verify(filled)["identity_damage"] == ""
    filled.start()
    if "snapshot.A" in damage:
        return  # names are what was lost: the messages are looked at below
    found = read_back(filled)
    assert set(LEFT) <= set(found)
    assert "checkpoint.A" in damage or found == LEFT


def test_messages_whose_queue_is_forgotten_are_in_a_queue_of_their_own(filled):
    shard = filled.data_dir / "shard-00"
    for copy in ("snapshot.A", "snapshot.B"):
        ruin(shard / copy)
    for path in sorted(shard.glob("j-*.log"))[:1]:
        batch = next(batch for batch in all_batches(filled.data_dir) if batch.path == path)
        meta = [record for one in all_batches(filled.data_dir) if one.path == path for record in one.records
                if record.kind == 4]
        assert batch and meta, "the definitions are in the first file"
        for record in meta:
            flip(path, record.offset + RECORD_HEADER_BYTES + 2)
    filled.spawn()
    assert filled.process.wait(20) == 65
    code, out, _ = store("repair", filled, "--yes")
    assert code == 0, out
    names = [queue["name"] for queue in verify(filled)["shards"][0]["queues"]]
    assert len(names) == 1 and names[0].startswith("recovered-")
    filled.start()
    connection = connect(filled)
    channel = connection.channel()
    assert channel.queue_declare(names[0], passive=True).method.message_count == len(LEFT)
    connection.close()


def test_damaged_messages_and_listings_are_told_of_and_the_rest_is_served(filled):
    shard = filled.data_dir / "shard-00"
    segments = [path for path in sorted(shard.glob("j-*.log")) if (shard / path.name.replace("j-", "i-").replace(
        ".log", ".idx")).exists()]
    lost = None
    for batch in all_batches(filled.data_dir):
        for record in batch.records:
            if batch.path != segments[0] or record.kind != ENQUEUE or lost is not None:
                continue
            with open(batch.path, "rb") as file:
                file.seek(record.offset)
                data = file.read(record.length)
            number = next((one for one in LEFT if b"%d " % one + bytes([97 + one % 26]) * 100 in data), None)
            if number is not None and number > 0:
                lost = number
                flip(batch.path, record.offset + RECORD_HEADER_BYTES + record.length // 2)
    assert lost is not None and BATCH_HEADER_BYTES == 64
    flip(sorted(shard.glob("i-*.idx"))[1], 50)
    flip(shard / "super.A", 50)
    report = verify(filled)
    assert len(findings(report)) == 3
    concerned = [message for one in findings(report) for message in one["messages"]]
    assert [(one["name"], one["count"]) for one in concerned] == [("orders", 1)]
    assert store("repair", filled, "--yes")[0] == 0
    assert sorted(one["severity"] for one in findings(verify(filled))) == ["harmless", "loss"]
    filled.start()
    assert read_back(filled) == [number for number in LEFT if number != lost]
    wait_until(lambda: len(list(shard.glob("i-*.idx"))) >= len(segments), "the server writes the listing anew")


def test_a_missing_segment_is_told_of_by_queue_and_the_rest_is_served(filled):
    shard = filled.data_dir / "shard-00"
    listing = sorted(shard.glob("i-*.idx"))[0]
    (shard / listing.name.replace("i-", "j-").replace(".idx", ".log")).unlink()
    report = verify(filled)
    queue, = report["shards"][0]["queues"]
    assert queue["lost"] > 0 and queue["messages"] + queue["lost"] == len(LEFT)
    filled.start()
    assert any(" error " in line and f"{queue['lost']} messages of queue 'orders'" in line
               for line in filled.log().splitlines())
    found = read_back(filled)
    assert len(found) == queue["messages"] and set(found) <= set(LEFT)
