"""MQTT with paho-mqtt: what outlives a message, a connection or the broker: retained messages, wills and sessions."""

import threading

import pytest

from harness import mqtt_wire as m
from harness.mqtt_client import MqttClient, properties
from harness.mqtt_wire import MqttWire
from harness.waiting import wait_until


@pytest.fixture
def mqtts(weir):
    """mqtts(version=5, **options): one more client of paho-mqtt."""
    clients = []

    def connect(version=5, address=None, **options):
        clients.append(MqttClient(address or weir.mqtt, version, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


# --- retained messages ---

def retained(mqtts, topic, **options):
    """What a new subscription is told: {topic: payload}."""
    client = mqtts(**options)
    client.subscribe(topic, 1)
    client.answered()
    assert all(message.retain for message in client.messages)
    found = {message.topic: message.payload for message in client.messages}
    assert len(found) == len(client.messages)
    return found


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_retained_message_is_kept_replaced_and_deleted(mqtts, name, version, qos):
    topic = name("retained")
    writer = mqtts(version)
    for payload in (b"first", b"second"):
        writer.publish(topic, payload, qos, retain=True)
        wait_until(lambda: retained(mqtts, topic) == {topic: payload}, "it is retained")
    writer.publish(topic, b"passes by", qos)
    wait_until(lambda: retained(mqtts, topic) == {topic: b"second"}, "it is still retained")
    writer.publish(topic, b"", qos, retain=True)
    wait_until(lambda: not retained(mqtts, topic), "it is gone")


def test_retained_messages_are_found_by_wildcards(mqtts, name):
    root = name("w")
    writer = mqtts()
    for topic in ("a", "a/b", "a/c", "a/b/c", "d"):
        writer.publish(f"{root}/{topic}", topic, retain=True)
    for pattern, found in (("#", "a a/b a/c a/b/c d"), ("+", "a d"), ("+/b", "a/b"), ("a/#", "a a/b a/c a/b/c"), ("a/+/c", "a/b/c"),
                           ("x/#", "")):
        wait_until(lambda: retained(mqtts, f"{root}/{pattern}") == {f"{root}/{one}": one.encode() for one in found.split()},
                   f"what {pattern} finds")


def test_a_live_message_is_marked_retained_only_for_who_asks(mqtts, name):
    topic = name("live")
    plain, published = mqtts(), mqtts()
    plain.subscribe(topic, 1)
    published.subscribe(topic, 1, {"retainAsPublished": True})
    mqtts().publish(topic, b"x", retain=True)
    plain.got(1)
    published.got(1)
    assert (plain.messages[0].retain, published.messages[0].retain) == (False, True)


def test_retain_handling_says_when_retained_messages_come(mqtts, name):
    topic = name("handling")
    mqtts().publish(topic, b"x", retain=True)
    wait_until(lambda: retained(mqtts, topic), "it is retained")
    for handling, counts in ((0, (1, 2)), (1, (1, 1)), (2, (0, 0))):
        client = mqtts()
        for count in counts:
            client.subscribe(topic, 1, {"retainHandling": handling})
            client.answered()
            assert len(client.messages) == count, handling


def test_a_shared_subscription_gets_no_retained_messages(mqtts, name):
    topic = name("shared")
    mqtts().publish(topic, b"x", retain=True)
    wait_until(lambda: retained(mqtts, topic), "it is retained")
    client = mqtts()
    client.subscribe(f"$share/g/{topic}", 1)
    client.answered()
    assert not client.messages


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_retained_messages_are_there_after_a_restart(start_weir, ends):
    server = start_weir()
    clients = []

    def mqtts(**options):
        clients.append(MqttClient(server.mqtt, **options))
        return clients[-1]

    writer = mqtts()
    large = bytes(range(256)) * 4096
    for number in range(50):
        writer.publish(f"kept/{number}", b"first", retain=True)
        writer.publish(f"kept/{number}", str(number), retain=True, UserProperty=[("number", str(number))])
    writer.publish("kept/large", large, retain=True)
    writer.publish("kept/7", b"", retain=True)
    for client in clients:
        client.close()
    getattr(server, ends)()
    server.start()
    expected = {f"kept/{number}": str(number).encode() for number in range(50) if number != 7}
    wait_until(lambda: retained(mqtts, "kept/#") == {**expected, "kept/large": large}, "all of them")
    for client in clients:
        client.close()


# --- wills ---

def will(topic, delay=None, **values):
    out = {"topic": topic, "payload": "gone", "qos": 1, **values}
    if delay is not None:
        out["properties"] = properties("WILLMESSAGE", WillDelayInterval=delay, ContentType="text/will",
                                       UserProperty=[("a", "b")])
    return out


@pytest.mark.parametrize("version", [4, 5])
def test_a_will_is_for_those_who_go_without_a_word(mqtts, name, version):
    topic = name("will")
    watches = mqtts()
    watches.subscribe(topic, 1)
    mqtts(version, will=will(topic)).close()
    watches.answered()
    assert not watches.messages
    mqtts(version, will=will(topic)).drop()
    assert watches.got(1) == [b"gone"] and watches.messages[0].qos == 1


def test_a_client_may_leave_its_will_with_a_word(mqtts, name):
    topic = name("will")
    watches = mqtts()
    watches.subscribe(topic, 1)
    mqtts(will=will(topic)).close(code=4)
    assert watches.got(1) == [b"gone"]


def test_who_breaks_the_rules_leaves_its_will(weir, mqtts, name):
    topic = name("will")
    watches = mqtts()
    watches.subscribe(topic, 2)
    wire = MqttWire(weir.mqtt)
    wire.connect(will=(topic, b"broken", 2, False, [(m.CONTENT_TYPE, "t"), (m.USER_PROPERTY, ("k", "v"))]))
    wire.send(m.packet(m.PINGRESP, 0))
    assert wire.end_code() == 0x82
    assert watches.got(1) == [b"broken"] and watches.messages[0].qos == 2
    assert watches.messages[0].properties.ContentType == "t" and watches.messages[0].properties.UserProperty == [("k", "v")]


def test_a_client_that_falls_silent_leaves_its_will(weir, mqtts, name):
    topic = name("will")
    watches = mqtts()
    watches.subscribe(topic, 1)
    wire = MqttWire(weir.mqtt)
    wire.connect(keep_alive=1, will=(topic, b"silent", 1, False, ()))
    assert watches.got(1) == [b"silent"]
    assert wire.end_code() == 0x8D


def test_a_will_may_be_retained_also_as_the_first_message_that_is(start_weir):
    server = start_weir()
    wire = MqttWire(server.mqtt)
    wire.connect(will=("first", b"stays", 1, True, ()))
    wire.close()
    clients = []

    def mqtts(**options):
        clients.append(MqttClient(server.mqtt, **options))
        return clients[-1]

    wait_until(lambda: retained(mqtts, "first") == {"first": b"stays"}, "the will is retained")
    for client in clients:
        client.close()


def test_a_delayed_will_comes_when_it_is_due_or_the_session_ends(mqtts, name):
    topic = name("will")
    watches = mqtts()
    watches.subscribe(f"{topic}/#", 1)
    mqtts(client_id=name("a"), expiry=100, will=will(f"{topic}/delay", 1)).drop()
    mqtts(client_id=name("b"), expiry=1, will=will(f"{topic}/session", 100)).drop()
    mqtts(client_id=name("c"), will=will(f"{topic}/none", 100)).drop()
    watches.got(3)
    assert watches.messages[0].topic == f"{topic}/none"
    assert {message.topic for message in watches.messages} == {f"{topic}/{end}" for end in ("delay", "session", "none")}
    assert watches.messages[1].properties.UserProperty == [("a", "b")]


def test_who_comes_back_in_time_takes_its_will_back(mqtts, name):
    topic, client_id = name("will"), name("c")
    watches = mqtts()
    watches.subscribe(f"{topic}/#", 1)
    mqtts(client_id=client_id, expiry=100, will=will(f"{topic}/back", 1)).drop()
    back = mqtts(client_id=client_id, expiry=100, clean=False)
    assert back.session_present
    mqtts(client_id=name("d"), expiry=100, will=will(f"{topic}/later", 2)).drop()
    assert watches.got(1) == [b"gone"] and watches.messages[0].topic == f"{topic}/later"


def test_who_comes_back_with_a_clean_start_has_ended_its_session_and_leaves_its_will(mqtts, name):
    topic, client_id = name("will"), name("c")
    watches = mqtts()
    watches.subscribe(topic, 1)
    mqtts(client_id=client_id, expiry=1000, will=will(topic, 1000)).drop()
    mqtts(client_id=client_id, clean=True)
    assert watches.got(1) == [b"gone"]


# --- sessions ---

@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_session_keeps_subscriptions_and_what_comes_meanwhile(mqtts, name, version):
    topic, client_id = name("session"), name("c")
    options = {"client_id": client_id, "clean": False, **({"expiry": 1000} if version == 5 else {})}
    first = mqtts(version, **options)
    assert not first.session_present
    first.subscribe(topic, 2)
    first.subscribe(f"{topic}/zero", 0)
    first.subscribe(f"{topic}/none", 1)
    first.unsubscribe(f"{topic}/none")
    first.close()
    writer = mqtts()
    for number in range(20):
        writer.publish(topic, str(number), number % 3)
    writer.publish(f"{topic}/none", b"no")
    again = mqtts(version, **options)
    assert again.session_present or version == 3
    again.got(20)
    for qos in range(3):  # paho-mqtt shows those of QoS 2 when they are released
        assert [one.payload for one in again.messages if one.qos == qos] == [b"%d" % number for number in range(qos, 20, 3)]
    writer.publish(f"{topic}/zero", b"live")
    assert again.got(21)[-1] == b"live"


@pytest.mark.parametrize("version", [4, 5])
def test_a_clean_start_drops_the_session(mqtts, name, version):
    topic, client_id = name("session"), name("c")
    lasting = {"expiry": 1000} if version == 5 else {}
    mqtts(version, client_id=client_id, clean=False, subscriptions=[(topic, 1)], **lasting).close()
    mqtts().publish(topic, b"old")
    fresh = mqtts(version, client_id=client_id, clean=True)
    assert not fresh.session_present
    fresh.close()
    again = mqtts(version, client_id=client_id, clean=False, **lasting)
    assert not again.session_present
    again.answered()
    assert not again.messages


def test_a_session_without_expiry_ends_with_its_connection(mqtts, name):
    topic, client_id = name("session"), name("c")
    mqtts(client_id=client_id, subscriptions=[(topic, 1)]).close()
    assert not mqtts(client_id=client_id, clean=False).session_present


def test_a_session_expires(mqtts, admin, name):
    client_id = name("c")
    mqtts(client_id=client_id, expiry=1, subscriptions=[(name("t"), 1)]).close()
    queues = lambda: [one["name"] for one in admin.get("/queues/%2F") if client_id in one["name"]]  # noqa: E731
    assert queues()
    wait_until(lambda: not queues(), "the session is gone")
    assert not mqtts(client_id=client_id, clean=False).session_present


def test_how_long_a_session_lasts_may_be_changed_when_leaving(mqtts, admin, name):
    client_id = name("c")
    queues = lambda: [one["name"] for one in admin.get("/queues/%2F") if client_id in one["name"]]  # noqa: E731
    mqtts(client_id=client_id, expiry=1000, subscriptions=[(name("t"), 1)]).close(SessionExpiryInterval=1)
    wait_until(lambda: not queues(), "the session is gone")
    mqtts(client_id=client_id, expiry=1, subscriptions=[(name("t"), 1)]).close(SessionExpiryInterval=1000)
    again = mqtts(client_id=client_id, clean=False, expiry=1000)
    assert again.session_present
    again.close(SessionExpiryInterval=0)
    wait_until(lambda: not queues(), "the session is gone at once")


def test_sessions_and_what_waits_for_them_survive_a_crash(start_weir):
    server = start_weir()
    for version in (4, 5):
        lasting = {"expiry": 1000} if version == 5 else {}
        MqttClient(server.mqtt, version, client_id=f"c{version}", clean=False, **lasting,
                   subscriptions=[("crash/#", 2), ("$share/g/shared", 1)]).close()
    writer = MqttClient(server.mqtt)
    for number in range(100):
        writer.publish(f"crash/{number}", str(number), 1 + number % 2)
        writer.publish("shared", str(number), 1)
    writer.publish("crash/large", b"x" * 1_000_000, 2)
    server.kill()
    server.start()
    found = []
    for version in (4, 5):
        lasting = {"expiry": 1000} if version == 5 else {}
        client = MqttClient(server.mqtt, version, client_id=f"c{version}", clean=False, **lasting)
        assert client.session_present
        own = lambda: [one for one in client.messages if one.topic.startswith("crash/")]  # noqa: E731
        wait_until(lambda: len(own()) == 101, "all that was for it", 20)  # pylint: disable=cell-var-from-loop
        for one in (1, 2):
            came = [int(message.payload) for message in own() if message.qos == one and len(message.payload) < 9]
            assert came == list(range(one - 1, 100, 2))
        assert [len(message.payload) for message in own()].count(1_000_000) == 1
        client.answered()
        found += [one.payload for one in client.messages if one.topic == "shared"]
        client.close()
    assert sorted(map(int, found)) == list(range(100))
    writer.drop()


@pytest.mark.seconds(120)
@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_acknowledged_before_a_crash_is_not_lost(start_weir, qos):
    server = start_weir()
    MqttClient(server.mqtt, client_id="reader", expiry=1000, subscriptions=[("flood/#", qos)]).close()
    acked, stop = [], threading.Event()

    def flood(number):
        wire = MqttWire(server.mqtt, 4)
        wire.connect(client_id=f"writer-{number}", clean=False)
        sent = 0
        try:
            while not stop.is_set():
                sent += 1
                packet_id = sent % 60_000 + 1
                wire.publish(f"flood/{number}", b"%d-%d" % (number, sent), qos=qos, packet_id=packet_id)
                answer = wire.receive()
                assert answer.packet_id == packet_id
                acked.append(b"%d-%d" % (number, sent))
                if qos == 2:
                    wire.ack(m.PUBREL, packet_id)
                    wire.receive(m.PUBCOMP)
        except (EOFError, ConnectionError):
            pass

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acked) > 400, "some are acknowledged", 30)
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    reader = MqttClient(server.mqtt, client_id="reader", expiry=1000, clean=False)
    wait_until(lambda: set(acked) <= {one.payload for one in reader.messages}, "all that were acknowledged", 30)
    assert len({one.payload for one in reader.messages}) == len(reader.messages)
    reader.close()
