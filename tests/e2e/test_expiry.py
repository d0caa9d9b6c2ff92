"""Messages and queues that end by themselves, and queues that hold so many messages and no more."""

import time

import pika
import pytest

from harness.fixtures import close_quietly
from harness.waiting import wait_until

PERSISTENT = 2


@pytest.fixture
def open_channel():
    """open_channel(address): a pika channel in confirm mode."""
    connections = []

    def open_one(address):
        connection = pika.BlockingConnection(pika.ConnectionParameters(
            address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
        connections.append(connection)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    yield open_one
    for connection in connections:
        close_quietly(connection)


def publish(channel, queue, body, **properties):
    channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=PERSISTENT, **properties))


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def bodies(channel, queue):
    taken = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return taken
        taken.append(body)


def exists(connection, queue):
    """To look is to use: a queue with x-expires begins anew."""
    try:
        connection.channel().queue_declare(queue, passive=True)
        return True
    except pika.exceptions.ChannelClosedByBroker:
        return False


def test_messages_expire_by_their_own_time_and_by_the_queue_s(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 1_000})
    publish(channel, queue, b"short", expiration="100")
    publish(channel, queue, b"long", expiration="60000")
    publish(channel, queue, b"queue's")
    wait_until(lambda: count(channel, queue) == 2, "the short one has gone")
    wait_until(lambda: count(channel, queue) == 0, "the others have gone")


def test_a_message_expires_behind_one_that_stays(weir, open_channel, name):
    channel = open_channel(weir.address)
    queue = name()
    channel.queue_declare(queue, durable=True)
    publish(channel, queue, b"stays")
    publish(channel, queue, b"goes", expiration="100")
    wait_until(lambda: count(channel, queue) == 1, "it has gone")
    assert bodies(channel, queue) == [b"stays"]


def test_a_time_of_nothing_is_for_a_consumer_that_waits(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True)
    publish(channel, queue, b"nobody", expiration="0")
    wait_until(lambda: count(channel, queue) == 0, "nobody got it")
    taken = []
    channel.basic_consume(queue, lambda _c, _m, _p, body: taken.append(body), auto_ack=True)
    publish(channel, queue, b"somebody", expiration="0")
    channel.connection.process_data_events(1)
    assert taken == [b"somebody"]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_deadlines_survive_and_pass_while_the_broker_is_down(start_weir, open_channel, how):
    server = start_weir()
    channel = open_channel(server.address)
    channel.queue_declare("q", durable=True)
    publish(channel, "q", b"soon", expiration="400")
    publish(channel, "q", b"later", expiration="4000")
    publish(channel, "q", b"never")
    begun = time.monotonic()
    getattr(server, how)()
    wait_until(lambda: time.monotonic() > begun + 0.5, "the first deadline has passed")
    server.start()
    channel = open_channel(server.address)
    assert count(channel, "q") == 2
    wait_until(lambda: count(channel, "q") == 1, "the second deadline has passed")
    assert time.monotonic() - begun > 3.5
    assert bodies(channel, "q") == [b"never"]


def test_an_unused_queue_goes(broker, open_channel, name):
    channel = open_channel(broker.address)
    used, unused, declared = name("used"), name("unused"), name("declared")
    for queue in (used, unused, declared):
        channel.queue_declare(queue, durable=True, arguments={"x-expires": 1_000})
    tag = channel.basic_consume(used, lambda *_: None)
    for _ in range(5):
        channel.connection.sleep(0.3)
        channel.queue_declare(declared, passive=True)
    assert not exists(channel.connection, unused)
    assert exists(channel.connection, used) and exists(channel.connection, declared)
    channel.basic_cancel(tag)
    channel.connection.sleep(1.6)
    assert not exists(channel.connection, used) and not exists(channel.connection, declared)


def test_the_oldest_messages_make_room(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 3})
    for number in range(10):
        publish(channel, queue, b"%d" % number)
    assert bodies(channel, queue) == [b"7", b"8", b"9"]


def test_bytes_are_those_of_bodies(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True, arguments={"x-max-length-bytes": 100})
    for number in range(10):
        publish(channel, queue, b"%d" % number * 30)
    assert bodies(channel, queue) == [b"7" * 30, b"8" * 30, b"9" * 30]


def test_a_full_queue_refuses_what_comes_and_tells_the_publisher(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, other, exchange = name(), name("other"), name("x")
    channel.exchange_declare(exchange, "fanout")
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    channel.queue_declare(other, durable=True)
    for bound in (queue, other):
        channel.queue_bind(bound, exchange)
    for number in range(2):
        publish(channel, queue, b"%d" % number)
    with pytest.raises(pika.exceptions.NackError):
        publish(channel, queue, b"too much")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish(exchange, "", b"for both")
    assert bodies(channel, queue) == [b"0", b"1"]
    assert bodies(channel, other) == [b"for both"]
    publish(channel, queue, b"room again")


def test_limits_survive_a_crash(start_weir, open_channel):
    server = start_weir()
    channel = open_channel(server.address)
    channel.queue_declare("q", durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    channel.queue_declare("head", durable=True, arguments={"x-max-length": 2})
    for number in range(4):
        publish(channel, "head", b"%d" % number)
    publish(channel, "q", b"0")
    server.kill()
    server.start()
    channel = open_channel(server.address)
    publish(channel, "q", b"1")
    with pytest.raises(pika.exceptions.NackError):
        publish(channel, "q", b"2")
    assert bodies(channel, "q") == [b"0", b"1"]
    assert bodies(channel, "head")[-2:] == [b"2", b"3"]


def test_a_declaration_with_other_arguments_is_refused(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 1_000})
    channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 1_000})
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
        channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 2_000})
    assert refused.value.reply_code == 406
