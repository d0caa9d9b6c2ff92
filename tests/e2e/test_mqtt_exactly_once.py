"""QoS 2 is exactly once and QoS 1 at least once, also when the broker is killed while messages are on their way."""

import collections
import time

import paho.mqtt.client as paho
import pytest
from harness.waiting import wait_until

LIVES = 4
LIFE_SECONDS = 0.5
IN_FLIGHT_MAX = 100


class Client:
    """A client with a session that lasts; it comes back by itself."""

    def __init__(self, server, name, subscribes_to=None, qos=2):
        self.got = []
        self.published = set()
        self.acknowledged = set()
        self.qos = qos
        self.client = paho.Client(name, clean_session=False)
        self.client.username_pw_set("guest", "guest")
        self.client.max_inflight_messages_set(IN_FLIGHT_MAX)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.subscribed = subscribes_to is None
        self.client.on_message = lambda client, _, message: self.got.append(int(message.payload))
        self.client.on_publish = lambda client, _, mid: self.acknowledged.add(mid)
        self.client.on_subscribe = self._on_subscribe
        if subscribes_to:
            self.client.on_connect = lambda client, *_: client.subscribe(subscribes_to, qos)
        self.client.connect("127.0.0.1", server.mqtt.port)
        self.client.loop_start()

    def _on_subscribe(self, *_):
        self.subscribed = True

    def publish(self, topic, number):
        self.published.add(self.client.publish(topic, str(number), self.qos).mid)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("shards", [1, 3])
def test_a_killed_broker_loses_nothing_and_doubles_nothing_by_qos_2(start_weir, qos, shards):
    server = start_weir(f"shards={shards}")
    same_port = [f"listeners.mqtt=127.0.0.1:{server.mqtt.port}"]
    reader = Client(server, "reader", "x/#", qos)
    other = Client(server, "other", "+/1", qos)
    same_port = [f"listeners.mqtt=127.0.0.1:{server.mqtt.port}"]
    writer = Client(server, "writer", qos=qos)
    wait_until(lambda: reader.subscribed and other.subscribed, "they have subscribed")
    count = 0
    for _ in range(LIVES):
        ends = time.monotonic() + LIFE_SECONDS
        while time.monotonic() < ends:
            for _ in range(50):
                writer.publish(f"x/{count % 2}", count)
                count += 1
            time.sleep(0.01)
        server.kill()
        server.start(same_port)
    wait_until(lambda: len(writer.acknowledged) == count, "all is acknowledged", 60)
    expected = set(range(count))
    wait_until(lambda: set(reader.got) >= expected and set(other.got) >= {n for n in expected if n % 2},
               "all has come", 60)
    if qos == 2:
        doubled = [n for n, times in collections.Counter(reader.got).items() if times > 1]
        assert not doubled
        assert sorted(other.got) == [n for n in range(count) if n % 2]
    for client in (reader, other, writer):
        client.end()
