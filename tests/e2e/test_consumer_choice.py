"""Which consumer gets a message: one active one, those of higher priority; and fair queues."""

import pika
import pytest

from harness.fixtures import close_quietly
from harness.waiting import wait_until


def connection_to(address):
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


class Taker:
    def __init__(self, address, queue, prefetch=0, **options):
        self.connection = connection_to(address)
        self.channel = self.connection.channel()
        if prefetch:
            self.channel.basic_qos(prefetch_count=prefetch)
        self.got = []
        self.channel.basic_consume(queue, lambda channel, method, properties, body: self.got.append(body), **options)

    def has(self, *bodies):
        def there():
            self.connection.process_data_events(0.01)
            return self.got == list(bodies)
        wait_until(there, f"{bodies} have come")


def publish(connection, queue, *bodies):
    channel = connection.channel()
    channel.confirm_delivery()
    for body in bodies:
        channel.basic_publish("", queue, body, pika.BasicProperties(headers={"tenant": body[:1].decode()}))
    channel.close()


def test_one_consumer_is_active_and_the_next_one_follows_it(broker, name):
    connection = connection_to(broker.address)
    queue = name()
    connection.channel().queue_declare(queue, durable=True, arguments={"x-single-active-consumer": True})
    first, second, third = [Taker(broker.address, queue) for _ in range(3)]
    publish(connection, queue, b"1", b"2", b"3")
    first.has(b"1", b"2", b"3")
    second.has()
    first.connection.close()
    second.has(b"1", b"2", b"3")
    publish(connection, queue, b"4")
    second.has(b"1", b"2", b"3", b"4")
    third.has()
    second.channel.basic_ack(0, multiple=True)
    second.channel.basic_cancel(second.channel.consumer_tags[0])
    publish(connection, queue, b"5")
    third.has(b"5")
    connection.channel().queue_delete(queue)
    for one in (second, third):
        close_quietly(one.connection)
    close_quietly(connection)


def test_consumers_of_higher_priority_come_first_while_they_can_take(broker, name):
    connection = connection_to(broker.address)
    queue = name()
    connection.channel().queue_declare(queue, durable=True)
    low = Taker(broker.address, queue, arguments={"x-priority": -1})
    high = Taker(broker.address, queue, prefetch=2, arguments={"x-priority": 10})
    publish(connection, queue, b"1", b"2", b"3", b"4")
    high.has(b"1", b"2")
    low.has(b"3", b"4")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        connection.channel().basic_consume(queue, lambda *_: None, arguments={"x-priority": "high"})
    assert closed.value.reply_code == 406
    assert closed.value.reply_text == (
        f"PRECONDITION_FAILED - invalid arg 'x-priority' for queue '{queue}' in vhost '{broker.address.vhost}': "
        '"expected integer, got longstr"')
    connection.channel().queue_delete(queue)
    for one in (low, high):
        close_quietly(one.connection)
    close_quietly(connection)


def test_tenants_take_turns(start_weir):
    server = start_weir()
    connection = connection_to(server.address)
    connection.channel().queue_declare("q", durable=True, arguments={"x-fair-by": "tenant"})
    publish(connection, "q", b"a1", b"a2", b"a3", b"b1", b"c1", b"b2")
    taker = Taker(server.address, "q")
    taker.has(b"a1", b"b1", b"c1", b"a2", b"b2", b"a3")
    close_quietly(taker.connection)
    close_quietly(connection)
