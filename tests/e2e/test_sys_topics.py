"""The topics of $SYS: what the broker tells of itself to clients of MQTT that have subscribed to them."""

import queue

import paho.mqtt.client as paho
import pika
import pytest

from harness.waiting import wait_until

TOPICS = {"version", "uptime", "clients/connected", "messages/received", "messages/sent", "retained messages/count"}


class Client(paho.Client):
    def __init__(self, address):
        super().__init__(protocol=paho.MQTTv311)
        self.username_pw_set(address.user, address.password)
        self.arrived, self.granted = queue.Queue(), queue.Queue()
        self.on_message = lambda _client, _data, message: self.arrived.put(message)
        self.on_subscribe = lambda *_arguments: self.granted.put(True)
        self.connect(address.host, address.port)
        self.loop_start()
        wait_until(self.is_connected, "the connection")

    def subscribe_to(self, topic):
        self.subscribe(topic, 1)
        self.granted.get(timeout=10)

    def next(self):
        return self.arrived.get(timeout=10)

    def leave(self):
        self.disconnect()
        self.loop_stop()


@pytest.fixture
def broker_of(start_weir):
    """A broker that tells of itself every second, and its clients."""
    clients = []

    def start(*settings):
        server = start_weir("mqtt.sys_interval_s=1", *settings)

        def client():
            clients.append(Client(server.mqtt))
            return clients[-1]

        return server, client

    yield start
    for client in clients:
        client.leave()


def value(client, topic):
    """The next one of the topic."""
    while True:
        message = client.next()
        if message.topic == "$SYS/broker/" + topic:
            return message.payload.decode()


def test_who_subscribes_gets_the_topics_at_once_as_retained_ones_and_again_later(broker_of):
    _server, client = broker_of()
    for watcher in (client(), client()):
        watcher.subscribe_to("$SYS/#")
        first = [watcher.next() for _ in TOPICS]
        assert {message.topic for message in first} == {"$SYS/broker/" + topic for topic in TOPICS}
        assert all(message.retain and message.qos == 0 for message in first)
        again = [watcher.next() for _ in TOPICS]
        assert {message.topic for message in again} == {message.topic for message in first}
        assert not any(message.retain for message in again)


def test_the_numbers_are_those_of_the_clients_of_mqtt(broker_of):
    _server, client = broker_of()
    watcher, other = client(), client()
    for number in range(3):
        other.publish("lamp", str(number).encode(), qos=1, retain=True).wait_for_publish(10)
    watcher.subscribe_to("$SYS/broker/+/#")
    wait_until(lambda: value(watcher, "clients/connected") == "2", "two clients")
    wait_until(lambda: value(watcher, "messages/received") == "3", "three messages")
    wait_until(lambda: value(watcher, "retained messages/count") == "1", "one that is retained")
    other.leave()
    wait_until(lambda: value(watcher, "clients/connected") == "1", "one client")
    assert value(watcher, "version").startswith("Weir ")
    assert value(watcher, "uptime").endswith(" seconds")


def test_a_wildcard_in_front_does_not_match_them_and_no_other_protocol_gets_them(broker_of):
    server, client = broker_of()
    watcher, everything = client(), client()
    everything.subscribe_to("#")
    everything.subscribe_to("+/broker/#")
    address = server.address
    connection = pika.BlockingConnection(pika.ConnectionParameters(address.host, address.port))
    channel = connection.channel()
    bound = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(bound, "amq.topic", "#")
    watcher.subscribe_to("$SYS/broker/uptime")
    assert watcher.next().topic == watcher.next().topic == "$SYS/broker/uptime"
    watcher.publish("end", b"", qos=1).wait_for_publish(10)
    assert everything.next().topic == "end"
    wait_until(lambda: channel.queue_declare(bound, passive=True).method.message_count == 1, "the last message")
    connection.close()


def test_who_has_unsubscribed_gets_no_more(broker_of):
    _server, client = broker_of()
    watcher, other = client(), client()
    for one in (watcher, other):
        one.subscribe_to("$SYS/broker/uptime")
        one.next()
    done = queue.Queue()
    watcher.on_unsubscribe = lambda *_arguments: done.put(True)
    watcher.unsubscribe("$SYS/broker/uptime")
    done.get(timeout=10)
    while not watcher.arrived.empty():
        watcher.arrived.get_nowait()
    for _ in range(2):
        other.next()
    assert watcher.arrived.empty()


def test_there_are_none_where_the_interval_is_0(broker_of):
    _server, client = broker_of("mqtt.sys_interval_s=0")
    watcher = client()
    watcher.subscribe_to("$SYS/#")
    watcher.subscribe_to("mark")
    watcher.publish("mark", b"", qos=1).wait_for_publish(10)
    assert watcher.next().topic == "mark"
