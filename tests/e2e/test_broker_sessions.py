"""What the broker does by sessions of its own (retained messages of MQTT, wills that wait) is no connection of anybody."""

import queue
import socket

import paho.mqtt.client as paho
import pika
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harness.management import Management
from harness.waiting import wait_until


class Client(paho.Client):
    """One of MQTT 5.0, connected."""

    def __init__(self, address, name, will=None):
        super().__init__(name, protocol=paho.MQTTv5)
        self.username_pw_set(address.user, address.password)
        self.arrived = queue.Queue()
        self.granted = queue.Queue()
        self.on_message = lambda _client, _data, message: self.arrived.put(message)
        self.on_subscribe = lambda *_arguments: self.granted.put(True)
        lasting, delayed = Properties(PacketTypes.CONNECT), Properties(PacketTypes.WILLMESSAGE)
        lasting.SessionExpiryInterval = 60
        delayed.WillDelayInterval = 1
        if will is not None:
            self.will_set(will, b"gone", qos=1, properties=delayed)
        self.connect(address.host, address.port, properties=lasting)
        self.loop_start()
        wait_until(self.is_connected, "the connection")

    def subscribe_to(self, topic):
        self.subscribe(topic, 1)
        self.granted.get(timeout=10)

    def leave(self):
        self.disconnect()
        self.loop_stop()

    def vanish(self):
        """Without DISCONNECT, and for good."""
        self.on_disconnect = lambda *_arguments: self.loop_stop()
        self.socket().shutdown(socket.SHUT_RDWR)


@pytest.fixture
def alone(start_weir):
    """A broker that nobody else uses."""
    return start_weir()


def connections(broker):
    """How many are listed, and counted."""
    admin = Management(broker.ports["admin"])
    return len(admin.get("/connections")), admin.get("/overview")["object_totals"]["connections"]


def test_retained_messages_are_kept_by_no_connection(alone):
    client = Client(alone.mqtt, "keeper")
    client.publish("lamp", b"on", qos=1, retain=True).wait_for_publish(10)
    assert connections(alone) == (1, 1)
    client.leave()
    wait_until(lambda: connections(alone) == (0, 0), "no connection is left")
    reader = Client(alone.mqtt, "reader")
    reader.subscribe_to("lamp")
    assert reader.arrived.get(timeout=10).payload == b"on"
    assert connections(alone) == (1, 1)
    reader.leave()


def test_a_will_that_has_waited_opens_no_connection(alone):
    address = alone.address
    watcher = pika.BlockingConnection(pika.ConnectionParameters(address.host, address.port))
    channel = watcher.channel()
    events = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(events, "amq.rabbitmq.event", "connection.*")
    reader = Client(alone.mqtt, "reader")
    reader.subscribe_to("wills")
    Client(alone.mqtt, "mortal", will="wills").vanish()
    assert reader.arrived.get(timeout=10).payload == b"gone"
    assert connections(alone) == (2, 2)
    reader.leave()
    seen = []

    def next_event():
        method, _properties, _body = channel.basic_get(events, auto_ack=True)
        if method:
            seen.append(method.routing_key)
        return seen.count("connection.closed") == 2

    wait_until(next_event, "both have left")
    assert sorted(seen) == ["connection.closed"] * 2 + ["connection.created"] * 2
    watcher.close()
