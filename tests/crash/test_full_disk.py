"""The disk runs full: publishes are refused or wait, what frees room goes on, and nothing that was confirmed is lost."""

import os
import shutil
import subprocess

import pytest
from pamqp.commands import Basic, Queue

from harness.server import Server
from harness.fixtures import watch
from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected
from ledger import Delivery, Ledger, Messages, ready_count, settled_ready_count

DISK_MIB = 160


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(DISK_MIB << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], stdin=subprocess.DEVNULL, check=False,
                          stderr=subprocess.DEVNULL).returncode == 0
    mounted = made and subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False,
                                      stderr=subprocess.DEVNULL).returncode == 0
    if not mounted:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)], check=False,
                                 stderr=subprocess.DEVNULL).returncode == 0
    if not mounted:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def on_small_disk(small_disk, tmp_path):
    servers = []

    def start(*settings):
        server = Server(tmp_path / "weir", settings)
        server.data_dir = small_disk / "data"
        watch(server)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.end()


def free_mib(folder):
    return shutil.disk_usage(folder).free / 2**20


def fill(folder, leave_mib):
    """Takes the room away with a file, which is returned."""
    ballast = folder / "ballast"
    size = int((free_mib(folder) - leave_mib) * 2**20)
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    return ballast


def test_publishers_wait_while_there_is_less_room_than_set(on_small_disk, small_disk):
    server = on_small_disk("disk.free_min=64MiB")
    with connected(server.address, confirms=True) as wire, connected(server.address) as consumer:
        wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        for number in range(10):
            wire.publish(1, "", "q", b"%d" % number, PERSISTENT)
        wait_until(lambda: ready_count(wire, "q").message_count == 10, "all are there")
        wire.waiting.clear()
        ballast = fill(small_disk, 32)
        wire.publish(1, "", "q", b"before", PERSISTENT)

        def told_blocked():
            wire.quiet(0.05)
            wire.waiting.clear()  # the confirm
            return wire.blocked is not None

        wait_until(told_blocked, "connection.blocked")
        wire.publish(1, "", "q", b"waits", PERSISTENT)
        assert wire.quiet(0.3), "a publish went through on a full disk"
        # Another connection consumes and acknowledges meanwhile.
        consumer.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
        for number in range(10):
            assert consumer.next_content().body == b"%d" % number
        consumer.send_method(1, Basic.Ack(delivery_tag=10, multiple=True))
        ballast.unlink()
        assert wire.next_method(Basic.Ack, seconds=10)
        assert wire.blocked is None
        bodies = [consumer.next_content().body for _ in range(2)]
        assert bodies == [b"before", b"waits"]


@pytest.mark.seconds(120)
def test_a_disk_without_any_room_refuses_publishes_and_loses_nothing(on_small_disk, small_disk, tmp_path):
    server = on_small_disk("disk.free_min=1")
    port = server.ports["amqp"]
    ledger = Ledger("q", tmp_path)
    try:
        with connected(server.address) as wire:
            wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        ledger.publisher(port, 1, count=500)
        ledger.collect()
        fill(small_disk, 12)
        clients = [ledger.publisher(port, number, body_bytes_max=64 << 10, count=20_000) for number in (2, 3)]

        def refused_or_waiting():
            with connected(server.address) as wire:
                before = ready_count(wire, "q").message_count
                wire.quiet(0.5)
                return ready_count(wire, "q").message_count == before

        wait_until(refused_or_waiting, "no more messages come in", 30)
        assert server.running(), "a full disk ended the broker"
        # What is there can be taken and settled.
        with connected(server.address) as wire:
            wire.rpc(1, Basic.Qos(prefetch_count=100), Basic.QosOk)
            wire.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
            for number in range(200):
                got = wire.next_content()
                ledger.note([Delivery(1, number, 0, 1, 1)])
                wire.send_method(1, Basic.Ack(delivery_tag=got.method.delivery_tag))
            wire.rpc(1, Basic.Cancel(consumer_tag="c"), Basic.CancelOk)
            wire.close()
        (small_disk / "ballast").unlink()
        for client in clients:
            client.stop()
            client.process.wait(30)
        ledger.collect()
        states = b"".join(messages.states for messages in ledger.sent.values())
        print(f"{states.count(b'c')} confirmed, {states.count(b'n')} refused, {states.count(b'?')} open")
        with connected(server.address, confirms=True) as wire:
            wire.publish(1, "", "q", b"\x09\0\0\0\0\0\0\0\x0c\0\0\0", PERSISTENT)
            assert isinstance(wire.next_method(Basic.Ack), Basic.Ack)
        ledger.sent[9] = Messages(b"c")
        with connected(server.address) as wire:
            ledger.drain(port, settled_ready_count(wire, "q"), ack=False)
        server.kill()
        server.start()
        with connected(server.address) as wire:
            ledger.drain(server.ports["amqp"], settled_ready_count(wire, "q"), ack=True)
    finally:
        ledger.end()


def test_a_start_on_a_full_disk_fails_with_a_word_or_works(on_small_disk, small_disk):
    server = on_small_disk("disk.free_min=1")
    with connected(server.address, confirms=True) as wire:
        wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        wire.publish(1, "", "q", b"kept", PERSISTENT)
        wire.next_method(Basic.Ack)
    server.kill()
    ballast = fill(small_disk, 0.01)
    server.spawn()
    wait_until(lambda: server.ports_file.exists() or server.process.poll() is not None, "it starts or gives up", 10)
    if server.process.poll() is not None:
        assert server.process.returncode in (73, 74) and "space" in server.log().lower()
    else:
        server.kill()
    ballast.unlink()
    server.start()
    with connected(server.address) as wire:
        assert ready_count(wire, "q").message_count == 1
