"""kombu, as Celery and others use it."""

import socket

import pytest
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.common import Broadcast
from kombu.mixins import ConsumerMixin
from kombu.pools import connections, producers
from kombu.simple import SimpleQueue

from harness.waiting import wait_until


@pytest.fixture
def connection(broker):
    address = broker.address
    with Connection(f"amqp://{address.user}:{address.password}@{address.host}:{address.port}//") as connection:
        yield connection


def drain(connection, condition, what):
    def done():
        try:
            connection.drain_events(timeout=0.05)
        except socket.timeout:
            pass
        return condition()

    wait_until(done, what)


def test_a_simple_queue(connection, name):
    queue = SimpleQueue(connection, name())
    for number in range(5):
        queue.put({"number": number}, serializer="json", compression="zlib")
    wait_until(lambda: queue.qsize() == 5, "all are in the queue")
    for number in range(5):
        message = queue.get(timeout=5)
        assert message.payload == {"number": number}
        message.ack()
    with pytest.raises(queue.Empty):
        queue.get_nowait()
    queue.close()
    queue.queue(connection.channel()).delete()


def test_producers_and_consumers_with_topics(connection, name):
    exchange = Exchange(name("media"), "topic", durable=True)
    queues = [Queue(name("video"), exchange, "*.video"), Queue(name("all"), exchange, "#")]
    got = []

    def take(body, message):
        got.append((message.delivery_info["routing_key"], body, message.headers.get("source")))
        message.ack()

    producer = Producer(connection, exchange)
    with Consumer(connection, queues, callbacks=[take], accept=["json", "pickle"], prefetch_count=10):
        for key in ("de.video", "de.audio"):
            producer.publish({"key": key}, routing_key=key, declare=queues, headers={"source": "ü"}, priority=3,
                             expiration=60)
        drain(connection, lambda: len(got) == 3, "three deliveries")
    assert sorted(got, key=str) == [("de.audio", {"key": "de.audio"}, "ü")] + [("de.video", {"key": "de.video"}, "ü")] * 2
    channel = connection.channel()
    for queue in queues:
        queue(channel).delete()
    exchange(channel).delete()


def test_messages_may_be_requeued_and_rejected(connection, name):
    queue = Queue(name(), durable=False)
    queue(connection.channel()).declare()
    Producer(connection).publish("again", routing_key=name())
    seen = []

    def take(body, message):
        seen.append(message.delivery_info["redelivered"])
        if len(seen) < 3:
            message.requeue()
        else:
            message.reject()

    with Consumer(connection, [queue], callbacks=[take]):
        drain(connection, lambda: len(seen) == 3, "three deliveries")
    assert seen == [False, True, True]
    assert queue(connection.channel()).get() is None
    queue(connection.channel()).delete()


def test_a_broadcast_reaches_everybody(connection, name):
    got = []
    connections_ = [connection.clone() for _ in range(3)]
    consumers = []
    for number, each in enumerate(connections_):
        queue = Broadcast(name("all"), unique=True, auto_delete=True)
        consumer = Consumer(each, [queue], no_ack=True, accept=["json"],
                            callbacks=[lambda body, message, number=number: got.append((number, body))])
        consumer.consume()
        consumers.append(consumer)
    Producer(connection, Exchange(name("all"), "fanout")).publish({"to": "all"})
    for number, each in enumerate(connections_):
        drain(each, lambda number=number: (number, {"to": "all"}) in got, f"consumer {number} has it")
    for each in connections_:
        each.close()


def test_a_worker_of_the_consumer_mixin(connection, name):
    queue = Queue(name(), Exchange(name("x"), "direct"), "task")

    class Worker(ConsumerMixin):
        def __init__(self, connection):
            self.connection = connection
            self.done = []

        def get_consumers(self, consumer_class, channel):
            return [consumer_class([queue], callbacks=[self.on_task], accept=["json"], prefetch_count=1)]

        def on_task(self, body, message):
            self.done.append(body["n"])
            message.ack()
            if len(self.done) == 20:
                self.should_stop = True

    with producers[connection].acquire(block=True) as producer:
        for number in range(20):
            producer.publish({"n": number}, exchange=queue.exchange, routing_key="task", declare=[queue])
    worker = Worker(connection.clone())
    worker.run()
    worker.connection.close()
    assert worker.done == list(range(20))
    queue(connection.channel()).delete()
    queue.exchange(connection.channel()).delete()
    connections[connection].force_close_all()


def test_confirms_and_heartbeats_of_kombu(broker, name):
    address = broker.address
    url = f"amqp://{address.user}:{address.password}@{address.host}:{address.port}//"
    with Connection(url, transport_options={"confirm_publish": True}, heartbeat=2) as connection:
        connection.ensure_connection(max_retries=1)
        assert connection.get_heartbeat_interval() == 2
        queue = Queue(name(), durable=True)
        producer = Producer(connection)
        for number in range(50):
            producer.publish(number, routing_key=name(), declare=[queue], delivery_mode=2)
        connection.heartbeat_check()
        assert queue(connection.channel()).queue_declare(passive=True).message_count == 50
        queue(connection.channel()).delete()
