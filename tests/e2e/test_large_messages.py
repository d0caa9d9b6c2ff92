"""Large persistent messages: whole, in order, once, wherever they go, and never in the broker's memory as a whole."""

import hashlib
import random
import threading

import pika
import pytest
from pamqp.commands import Basic

from harness.server import memory_counts
from harness.waiting import wait_until
from harness.wire import connected

MIB = 1 << 20
PERSISTENT = pika.BasicProperties(delivery_mode=2)


def connection(server, **options):
    options = {"heartbeat": 0, "blocked_connection_timeout": 120, **options}
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.address.port, **options))


def channel_of(server, confirms=True):
    channel = connection(server).channel()
    if confirms:
        channel.confirm_delivery()
    return channel


def body_of(number, size):
    return random.Random(number).randbytes(size)


def digest(body):
    return hashlib.blake2b(body).digest()


def taken(channel, queue, count, acks=True):
    """The next so many bodies, as digests with their sizes."""
    got = []
    for method, _properties, body in channel.consume(queue, auto_ack=not acks, inactivity_timeout=60):
        assert method is not None, f"{len(got)} of {count} came"
        got.append((len(body), digest(body)))
        if acks:
            channel.basic_ack(method.delivery_tag)
        if len(got) == count:
            break
    channel.cancel()
    return got


@pytest.mark.seconds(180)
@pytest.mark.parametrize("shards", [1, 2])
def test_many_of_all_sizes_come_back_whole_and_in_order(start_weir, shards):
    server = start_weir(f"shards={shards}")
    sizes = [random.Random(number).choice([MIB, 256 << 10, (256 << 10) + 1, 5 * MIB + 17, 16 * MIB])
             for number in range(60)]
    channel = channel_of(server)
    queues = [f"large-{number}" for number in range(3)]
    for queue in queues:
        channel.queue_declare(queue, durable=True)
    for number, size in enumerate(sizes):
        channel.basic_publish("", queues[number % 3], body_of(number, size), PERSISTENT)
        if number % 10 == 0:
            channel.basic_publish("", queues[number % 3], b"small", PERSISTENT)
    for at, queue in enumerate(queues):
        expected = []
        for number in range(at, len(sizes), 3):
            expected.append((sizes[number], digest(body_of(number, sizes[number]))))
            if number % 10 == 0:
                expected.append((5, digest(b"small")))
        channel.basic_qos(prefetch_count=2)
        assert taken(channel, queue, len(expected)) == expected


def test_one_message_for_several_queues_and_a_get(start_weir):
    server = start_weir("shards=2")
    channel = channel_of(server)
    channel.exchange_declare("all", "fanout", durable=True)
    queues = [f"q{number}" for number in range(4)]
    for queue in queues:
        channel.queue_declare(queue, durable=queue != "q3")
        channel.queue_bind(queue, "all")
    body = body_of(1, 7 * MIB + 3)
    channel.basic_publish("all", "", body, PERSISTENT)
    for queue in queues:
        method, _properties, got = channel.basic_get(queue)
        assert digest(got) == digest(body)
        channel.basic_nack(method.delivery_tag)
        method, _properties, got = channel.basic_get(queue, auto_ack=True)
        assert method.redelivered and digest(got) == digest(body)
    assert channel.basic_get("q0") == (None, None, None)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_dead_letter_takes_its_body_along(start_weir, shards):
    server = start_weir(f"shards={shards}")
    channel = channel_of(server)
    channel.exchange_declare("dead", "fanout", durable=True)
    for number in range(4):
        channel.queue_declare(f"dead-{number}", durable=True)
        channel.queue_bind(f"dead-{number}", "dead")
    channel.queue_declare("source", durable=True, arguments={"x-dead-letter-exchange": "dead"})
    bodies = [body_of(number, 3 * MIB + number) for number in range(3)]
    for body in bodies:
        channel.basic_publish("", "source", body, PERSISTENT)
    for body in bodies:
        method, _properties, got = channel.basic_get("source")
        assert digest(got) == digest(body)
        channel.basic_reject(method.delivery_tag, requeue=False)
    for number in range(4):
        assert taken(channel, f"dead-{number}", 3) == [(len(body), digest(body)) for body in bodies]


@pytest.mark.parametrize("mandatory", [False, True])
def test_what_reaches_no_queue_is_confirmed_and_comes_back_if_mandatory(start_weir, mandatory):
    server = start_weir()
    channel = channel_of(server)
    body = body_of(1, 4 * MIB)
    if not mandatory:
        return channel.basic_publish("", "nobody", body, PERSISTENT)
    with pytest.raises(pika.exceptions.UnroutableError) as refused:
        channel.basic_publish("", "nobody", body, PERSISTENT, mandatory=True)
    assert digest(refused.value.messages[0].body) == digest(body)


def test_up_to_the_limit_that_is_set(start_weir):
    server = start_weir("limits.message_bytes_max=64MiB")
    channel = channel_of(server)
    channel.queue_declare("q", durable=True)
    body = body_of(1, 64 * MIB)
    before = server.rss_mib()
    channel.basic_publish("", "q", body, PERSISTENT)
    assert taken(channel, "q", 1) == [(len(body), digest(body))]
    server.check_growth(before, 128)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
        channel.basic_publish("", "q", body + b"x", PERSISTENT)
    assert refused.value.reply_code == 406


def test_what_was_confirmed_is_whole_after_kill_and_what_was_begun_leaves_nothing(start_weir):
    server = start_weir("shards=2")
    channel = channel_of(server)
    for number in range(4):
        channel.queue_declare(f"q{number}", durable=True)
    confirmed = []

    def publish():
        try:
            other = channel_of(server)
            for number in range(1000):
                other.basic_publish("", f"q{number % 4}", body_of(number, MIB + 1000 * number), PERSISTENT)
                confirmed.append(number)
        except pika.exceptions.AMQPError:
            pass

    publisher = threading.Thread(target=publish)
    publisher.start()
    wait_until(lambda: len(confirmed) > 20, "some are confirmed", seconds=30)
    server.kill()
    publisher.join()
    server.start()
    channel = channel_of(server)
    left = {}
    for number in range(4):
        left[number] = channel.queue_declare(f"q{number}", durable=True, passive=True).method.message_count
        expected = [(MIB + 1000 * n, digest(body_of(n, MIB + 1000 * n))) for n in confirmed if n % 4 == number]
        got = taken(channel, f"q{number}", left[number])
        assert got[:len(expected)] == expected and len(got) <= len(expected) + 1
    assert "damaged" not in server.log()


def test_a_queue_that_goes_in_the_middle_of_a_delivery_does_not_take_it_along(start_weir):
    server = start_weir("shards=2")
    channel = channel_of(server)
    channel.queue_declare("q", durable=True)
    body = body_of(1, 16 * MIB)
    channel.basic_publish("", "q", body, PERSISTENT)
    with connected(server.address) as slow:
        slow.rpc(1, Basic.Consume(queue="q", consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        wait_until(lambda: channel.queue_declare("q", durable=True, passive=True).method.message_count == 0, "it is out")
        channel.queue_delete("q")  # its client has not read on: most of it is still on the disk
        assert digest(slow.next_content(seconds=30).body) == digest(body)


CONNECTIONS = 50


@pytest.mark.seconds(300)
def test_fifty_connections_with_messages_of_16_mib_cost_bounded_memory(start_weir):
    server = start_weir("shards=2")
    setup = channel_of(server)
    for number in range(CONNECTIONS):
        setup.queue_declare(f"q{number}", durable=True)
    body = body_of(7, 16 * MIB)
    wanted = digest(body)
    wrong = []

    def work(number):
        channel = channel_of(server)
        for _round in range(3):
            channel.basic_publish("", f"q{number}", body, PERSISTENT)
        if [got for _size, got in taken(channel, f"q{number}", 3)] != [wanted] * 3:
            wrong.append(number)
        channel.connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    print(f"peak: {server.peak_rss_mib():.0f} MiB")
    assert server.peak_rss_mib() < 400 or not memory_counts()


def test_slow_readers_of_large_messages_cost_bounded_memory(start_weir):
    server = start_weir("shards=2")
    setup = channel_of(server)
    setup.queue_declare("q", durable=True)
    body = body_of(7, 16 * MIB)
    for _number in range(20):
        setup.basic_publish("", "q", body, PERSISTENT)
    before = server.rss_mib()
    readers = []
    for _number in range(20):
        channel = connection(server).channel()
        channel.basic_consume("q", lambda *_: None)
        readers.append(channel)  # nobody reads on
    wait_until(lambda: setup.queue_declare("q", durable=True, passive=True).method.message_count == 0, "all are out")
    server.check_growth(before, 100)
    for channel in readers:
        channel.connection._impl._transport.abort()  # pylint: disable=protected-access
    setup.queue_purge("q")
