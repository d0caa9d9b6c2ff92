"""Those who take slower than others give, and the other way round: memory stays bounded, and nobody else waits."""

import socket
import threading

import pytest
from pamqp.commands import Basic, Queue

from harness.server import memory_counts
from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected, publish_frames

BODY_BYTES = 64 << 10
DEEP = 5000  # messages: 312 MiB


def declared(wire, queue, **options):
    return wire.rpc(1, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


def ready(wire, queue):
    return declared(wire, queue, passive=True).message_count


def body(number):
    return b"%08d" % number + bytes(BODY_BYTES - 8)


def fill(server, queue, count):
    """Persistent messages, confirmed."""
    with connected(server.address, confirms=True) as wire:
        declared(wire, queue, durable=True)
        confirmed = 0
        for begin in range(0, count, 50):
            end = min(begin + 50, count)
            wire.send(b"".join(publish_frames(1, "", queue, body(number), PERSISTENT) for number in range(begin, end)))
            while confirmed < end - 50:
                ack = wire.next_method(Basic.Ack)
                confirmed = ack.delivery_tag if ack.multiple else confirmed + 1
        wait_until(lambda: ready_of(server, queue) == count, "all are in the queue")


def ready_of(server, queue):
    with connected(server.address) as wire:
        return ready(wire, queue)


def works_for_others(server):
    with connected(server.address, confirms=True) as wire:
        queue = wire.rpc(1, Queue.Declare(exclusive=True), Queue.DeclareOk).queue
        wire.rpc(1, Basic.Consume(queue=queue, consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        wire.publish(1, "", queue, b"quick", PERSISTENT)
        got = {type(wire.next_frame().method()) for _ in range(1)}
        assert got <= {Basic.Ack, Basic.Deliver}


def test_a_consumer_that_reads_nothing_from_a_deep_queue_costs_little(start_weir):
    server = start_weir()
    fill(server, "deep", DEEP)
    before = server.rss_mib()
    with connected(server.address) as stuck, connected(server.address) as other:
        stuck.rpc(1, Basic.Consume(queue="deep", consumer_tag="stuck"), Basic.ConsumeOk)
        wait_until(lambda: ready(other, "deep") < DEEP, "deliveries began")
        works_for_others(server)
        # Somebody who reads gets the rest meanwhile.
        other.rpc(1, Basic.Qos(prefetch_count=100), Basic.QosOk)
        other.rpc(1, Basic.Consume(queue="deep", consumer_tag="c"), Basic.ConsumeOk)
        numbers = []
        for _ in range(1000):
            got = other.next_content()
            numbers.append(int(got.body[:8]))
            other.send_method(1, Basic.Ack(delivery_tag=got.method.delivery_tag))
        assert numbers == sorted(numbers)
        print(f"RSS before {before:.0f} MiB, peak {server.peak_rss_mib():.0f} MiB")
        server.check_growth(before, 100)
        # And it is served when it reads at last.
        first = [stuck.next_content() for _ in range(5)]
        assert [int(one.body[:8]) for one in first] == [0, 1, 2, 3, 4]
    wait_until(lambda: ready_of(server, "deep") == DEEP - 1000, "what was not acknowledged is back", 20)


def test_a_deep_queue_does_not_stay_in_memory(start_weir):
    server = start_weir()
    before = server.rss_mib()
    fill(server, "deep", DEEP)
    print(f"RSS {before:.0f} MiB before, {server.rss_mib():.0f} MiB with {DEEP * BODY_BYTES >> 20} MiB in the queue")
    server.check_growth(before, 160)  # a journal's cache and buffers for each shard


def test_transient_messages_that_nobody_takes_block_their_publisher(start_weir):
    if not memory_counts():
        pytest.skip("a sanitizer keeps freed memory, so that publishers would never go on")
    server = start_weir("memory.high_watermark=192MiB")
    with connected(server.address) as publisher, connected(server.address) as consumer:
        declared(publisher, "q")
        publisher.socket.settimeout(1)
        numbers, rest = 0, bytearray()
        while numbers < 20_000 and not publisher.blocked:  # 1.2 GiB
            rest = rest or bytearray(publish_frames(1, "", "q", body(numbers)))
            try:
                while rest:
                    del rest[:publisher.socket.send(rest)]
                numbers += 1
            except socket.timeout:
                publisher.quiet(0.05)  # reads connection.blocked, if that is why
                publisher.socket.settimeout(1)
        assert numbers < 20_000, "nothing stops the publisher"
        print(f"stopped after {numbers * BODY_BYTES >> 20} MiB, RSS {server.rss_mib():.0f} MiB, "
              f"peak {server.peak_rss_mib():.0f} MiB, {publisher.blocked}")
        server.check_growth(0, 192 + 128)
        # Whoever does not publish is not disturbed; taking messages lets the publisher go on.
        consumer.rpc(1, Basic.Consume(queue="q", consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        finishing = threading.Thread(target=finish, args=(publisher, bytes(rest), numbers + 1))
        finishing.start()
        for number in range(numbers + 201):
            assert int(consumer.next_content().body[:8]) == number
        finishing.join(20)
        assert not finishing.is_alive()
        wait_until(lambda: publisher.quiet(0.05) and publisher.blocked is None, "connection.unblocked")


def finish(publisher, rest, begin):
    """What was cut off by the timeout, and 200 more."""
    publisher.socket.settimeout(20)
    publisher.send(rest)
    for number in range(begin, begin + 200):
        publisher.send(publish_frames(1, "", "q", body(number)))


def test_persistent_messages_do_not_fill_the_memory_at_any_speed(start_weir):
    """Several publishers without confirms, faster than the disk."""
    server = start_weir()
    before = server.rss_mib()
    count = 1200

    def publish(queue):
        with connected(server.address) as wire:
            wire.socket.settimeout(30)
            declared(wire, queue, durable=True)
            for number in range(count):
                wire.send(publish_frames(1, "", queue, body(number), PERSISTENT))
            wire.close()

    publishers = [threading.Thread(target=publish, args=(f"q{number}",)) for number in range(4)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join(40)
        assert not publisher.is_alive()
    print(f"RSS before {before:.0f} MiB, peak {server.peak_rss_mib():.0f} MiB")
    server.check_growth(before, 250)
    for number in range(4):
        wait_until(lambda queue=f"q{number}": ready_of(server, queue) == count, "all have arrived")


@pytest.mark.parametrize("prefetch", [0, 1000])
def test_a_slow_consumer_does_not_keep_a_fast_one_from_working(start_weir, prefetch):
    server = start_weir()
    fill(server, "shared", 1000)
    with connected(server.address) as slow, connected(server.address) as fast:
        for wire in (slow, fast):
            if prefetch:
                wire.rpc(1, Basic.Qos(prefetch_count=prefetch), Basic.QosOk)
        slow.rpc(1, Basic.Consume(queue="shared", consumer_tag="slow"), Basic.ConsumeOk)
        fast.rpc(1, Basic.Consume(queue="shared", consumer_tag="fast"), Basic.ConsumeOk)
        taken = 0
        while ready(fast, "shared") > 0 or fast.waiting:
            got = fast.next_content()
            taken += 1
            fast.send_method(1, Basic.Ack(delivery_tag=got.method.delivery_tag))
        assert taken > 800, "the one that reads nothing was given too much"
