"""MQTT with real clients, paho-mqtt and Mosquitto's: messages each way, and what they carry."""

import itertools
import resource
import subprocess
import time

import pika
import pytest

from harness import mqtt_wire as m
from harness.certificates import Certificates
from harness.management import Management
from harness.mqtt_client import MqttClient
from harness.mqtt_wire import MqttWire
from harness.waiting import wait_until

VERSIONS = [4, 5]


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


@pytest.fixture
def channel(weir):
    address = weir.address
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    if connection.is_open:
        connection.close()


# --- QoS ---

@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("subscribed", [0, 1, 2])
def test_a_message_comes_by_the_lower_of_both_qos(mqtts, name, version, published, subscribed):
    topic = name("qos") + "/x"
    reader, writer = mqtts(version, client_id=name("r")), mqtts(version, client_id=name("w"))
    assert reader.subscribe(topic, subscribed) == subscribed
    for number in range(20):
        writer.publish(topic, str(number), published)
    assert reader.got(20) == [str(number).encode() for number in range(20)]
    assert {message.qos for message in reader.messages} == {min(published, subscribed)}
    assert not any(message.dup or message.retain for message in reader.messages)
    reader.answered()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_many_messages_keep_their_order_and_none_is_lost(mqtts, name, qos):
    topic = name("order")
    reader, writer = mqtts(), mqtts(4)
    reader.subscribe(topic, qos)
    writer.done([writer.publish(topic, str(number), qos, safe=False) for number in range(3000)])
    assert reader.got(3000, 30) == [str(number).encode() for number in range(3000)]


def test_a_client_of_one_version_reads_what_one_of_another_writes(mqtts, name):
    topic = name("versions")
    readers = [mqtts(version, client_id=name(f"r{version}")) for version in (3, 4, 5)]
    for reader in readers:
        reader.subscribe(topic, 2)
    for version in (3, 4, 5):
        mqtts(version, client_id=name(f"w{version}")).publish(topic, str(version), 2)
    for reader in readers:
        assert reader.got(3) == [b"3", b"4", b"5"]


def test_overlapping_subscriptions_bring_a_message_once(mqtts, name):
    topic = name("overlap")
    reader = mqtts()
    reader.subscribe(f"{topic}/#", 0, SubscriptionIdentifier=1)
    reader.subscribe(f"{topic}/+", 2, SubscriptionIdentifier=268435455)
    mqtts().publish(f"{topic}/x", b"x", 2)
    assert reader.got(1) == [b"x"] and reader.messages[0].qos == 2
    assert sorted(reader.messages[0].properties.SubscriptionIdentifier) == [1, 268435455]
    reader.answered()


def test_what_is_unsubscribed_comes_no_longer(mqtts, name):
    topic = name("unsubscribed")
    reader, writer = mqtts(), mqtts()
    reader.subscribe(topic, 1)
    reader.subscribe(f"{topic}/more", 1)
    writer.publish(topic, b"1")
    reader.got(1)
    reader.unsubscribe(topic)
    writer.publish(topic, b"2")
    writer.publish(f"{topic}/more", b"3")
    assert reader.got(2) == [b"1", b"3"]


# --- what a message carries ---

def test_all_properties_of_a_message_are_kept(mqtts, name):
    topic = name("properties")
    reader, old = mqtts(), mqtts(4)
    reader.subscribe(topic, 1)
    old.subscribe(topic, 1)
    user = [("a", "1"), ("a", "2"), ("", ""), ("grün", "€" * 100)]
    mqtts().publish(topic, "gr\u00fc\u00dfe", PayloadFormatIndicator=1, MessageExpiryInterval=1000, ContentType="text/plain",
                    ResponseTopic="answers/here", CorrelationData=bytes(range(256)), UserProperty=user)
    reader.got(1)
    came = reader.messages[0].properties
    assert came.UserProperty == user and came.CorrelationData == bytes(range(256))
    assert (came.PayloadFormatIndicator, came.ContentType, came.ResponseTopic) == (1, "text/plain", "answers/here")
    assert 990 <= came.MessageExpiryInterval <= 1000
    assert old.got(1) == ["gr\u00fc\u00dfe".encode()]


def test_requests_are_answered(mqtts, name):
    asks, answers = mqtts(), mqtts()
    where = name("answers")
    asks.subscribe(where, 1)
    answers.subscribe(name("questions") + "/+", 1)
    asks.publish(name("questions") + "/time", b"?", ResponseTopic=where, CorrelationData=b"\x00\x01")
    answers.got(1)
    question = answers.messages[0].properties
    answers.publish(question.ResponseTopic, b"noon", CorrelationData=question.CorrelationData)
    assert asks.got(1) == [b"noon"] and asks.messages[0].properties.CorrelationData == b"\x00\x01"


def test_a_message_that_has_expired_does_not_come_and_others_say_how_long_they_last(mqtts, name):
    topic, client_id = name("expiry"), name("c")
    mqtts(client_id=client_id, expiry=1000, subscriptions=[(topic, 1)]).close()
    writer = mqtts()
    writer.publish(topic, b"short", MessageExpiryInterval=1)
    writer.publish(topic, b"long", MessageExpiryInterval=100)
    writer.publish(topic, b"forever")
    watch = mqtts()  # expiry is by the clock of the broker
    watch.subscribe(f"{topic}/retained")
    writer.publish(f"{topic}/retained", b"short", retain=True, MessageExpiryInterval=1)
    watch.got(1)
    wait_until(lambda: not retained_is_there(mqtts, f"{topic}/retained"), "the retained one has expired", poll_seconds=0.3)
    reader = mqtts(client_id=client_id, clean=False, expiry=1000)
    assert reader.got(2) == [b"long", b"forever"]
    assert 90 <= reader.messages[0].properties.MessageExpiryInterval <= 99
    assert not hasattr(reader.messages[1].properties, "MessageExpiryInterval")


def retained_is_there(mqtts, topic):
    client = mqtts()
    client.subscribe(topic)
    client.answered()
    return bool(client.messages)


def test_aliases_of_the_client_stand_for_topics(weir, name, mqtts):
    first, second = name("alias/a"), name("alias/b")
    reader = mqtts()
    reader.subscribe(first, 1)
    reader.subscribe(second, 1)
    wire = MqttWire(weir.mqtt)
    wire.connect()
    for number, (topic, alias) in enumerate([(first, 1), ("", 1), (second, 16), ("", 16), ("", 1), (second, 1), ("", 1)], 1):
        wire.publish(topic, b"%d" % number, qos=1, packet_id=number, props=[(m.TOPIC_ALIAS, alias)])
        assert wire.receive(m.PUBACK).code == 0
    reader.got(7)
    assert [one.topic for one in reader.messages] == [first, first, second, second, first, second, second]
    wire.close()


def test_aliases_of_the_server_are_as_many_as_the_client_takes(weir, name):
    topic = name("out")
    wire = MqttWire(weir.mqtt)
    wire.connect(props=[(m.TOPIC_ALIAS_MAXIMUM, 2)])
    wire.subscribe(topic + "/#")
    for _ in range(2):
        for end in "abc":
            wire.publish(f"{topic}/{end}", end.encode())
    came = [wire.receive(m.PUBLISH) for _ in range(6)]
    assert [one.props.get(m.TOPIC_ALIAS) for one in came] == [1, 2, None, 1, 2, None]
    assert [one.topic for one in came] == [f"{topic}/a", f"{topic}/b", f"{topic}/c", "", "", f"{topic}/c"]
    wire.close()


@pytest.mark.seconds(120)
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 255 << 10, (256 << 10) + 1, 1 << 20, 10 << 20])
def test_large_payloads_come_whole(mqtts, name, qos, size):
    topic = name("large")
    reader, writer = mqtts(), mqtts(4)
    reader.subscribe(topic, qos)
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    for _ in range(2):
        writer.publish(topic, body, qos)
    writer.publish(topic, b"behind", qos)
    assert reader.got(3, 60) == [body, body, b"behind"]


def test_a_large_message_by_qos_2_that_is_sent_twice_counts_once(weir, name, mqtts):
    topic, body = name("twice"), b"x" * (1 << 20)
    reader = mqtts()
    reader.subscribe(topic, 2)
    wire = MqttWire(weir.mqtt)
    wire.connect()
    for dup in (False, True):
        wire.publish(topic, body, qos=2, packet_id=9, dup=dup)
        assert wire.receive(m.PUBREC).packet_id == 9
    wire.ack(m.PUBREL, 9)
    assert wire.receive(m.PUBCOMP).code == 0
    wire.publish(topic, b"behind", qos=2, packet_id=9)
    wire.receive(m.PUBREC)
    assert [len(payload) for payload in reader.got(2)] == [1 << 20, 6]
    wire.close()


def test_large_payloads_of_several_clients_do_not_mix(mqtts, name):
    topic = name("mixed")
    reader = mqtts()
    reader.subscribe(topic + "/#", 1)
    writers = [mqtts() for _ in range(4)]
    bodies = [bytes([65 + number]) * (700_000 + number) for number in range(4)]
    infos = [(writer, writer.publish(f"{topic}/{qos}", body, qos, safe=False))
             for qos in (0, 1) for writer, body in zip(writers, bodies)]
    for writer, info in infos:
        writer.done([info])
    assert sorted(reader.got(8, 30)) == sorted(bodies * 2)


# --- options of subscriptions ---

def test_no_local_keeps_ones_own_messages_away(mqtts, name):
    topic = name("local")
    client, other = mqtts(client_id=name("c")), mqtts()
    client.subscribe(topic, 1, {"noLocal": True})
    other.subscribe(topic, 1)
    client.publish(topic, b"mine")
    other.publish(topic, b"yours")
    assert other.got(2) == [b"mine", b"yours"]
    assert client.got(1) == [b"yours"]


def test_a_shared_subscription_gives_each_message_to_one(mqtts, name):
    topic, group = name("shared"), name("g").replace(".", "-")
    members = [mqtts() for _ in range(3)]
    for member in members:
        assert member.subscribe(f"$share/{group}/{topic}/#", 1) == 1
    alone = mqtts()
    alone.subscribe(f"$share/{group}-other/{topic}/#", 1)
    writer = mqtts()
    for number in range(90):
        writer.publish(f"{topic}/{number % 7}", str(number), 1)
    alone.got(90)
    wait_until(lambda: sum(len(member.messages) for member in members) >= 90, "90 messages")
    for member in members:
        member.answered()
    assert sorted(int(one.payload) for member in members for one in member.messages) == list(range(90))
    assert all(len(member.messages) >= 10 for member in members), "one member gets nearly all of them"


def test_what_a_member_has_not_acknowledged_goes_to_another_when_it_leaves(weir, mqtts, admin, name):
    topic = name("shared")
    stays = mqtts()
    wire = MqttWire(weir.mqtt)
    wire.connect(props=[(m.RECEIVE_MAXIMUM, 10)])
    wire.subscribe((f"$share/g/{topic}", 1))
    writer = mqtts()
    for number in range(10):
        writer.publish(topic, str(number))
    for _ in range(10):
        wire.receive(m.PUBLISH)
    stays.subscribe(f"$share/g/{topic}", 1)
    stays.answered()
    assert not stays.messages
    wire.close()
    assert sorted(stays.got(10), key=int) == [str(number).encode() for number in range(10)]
    stays.unsubscribe(f"$share/g/{topic}")
    # One of a session that has ended without a word is kept a little longer.
    wait_until(lambda: not any(topic in one["name"] for one in admin.get("/queues/%2F")), "the shared queue is gone", 30)
    writer.publish(topic, b"nobody")
    again = mqtts()
    again.subscribe(f"$share/g/{topic}", 1)
    writer.publish(topic, b"again")
    assert again.got(1) == [b"again"]


def test_a_queue_of_the_broker_is_consumed_by_its_name(mqtts, channel, name):
    queue = name()
    channel.queue_declare(queue, durable=True)
    for number in range(5):
        channel.basic_publish("", queue, str(number).encode(), pika.BasicProperties(delivery_mode=2))
    reader = mqtts()
    assert reader.subscribe(f"$queue/{queue}", 1) == 1
    assert reader.got(5) == [b"0", b"1", b"2", b"3", b"4"]
    assert {message.topic for message in reader.messages} == {f"$queue/{queue}"}
    reader.unsubscribe(f"$queue/{queue}")
    channel.basic_publish("", queue, b"left")
    assert channel.queue_declare(queue, passive=True).method.message_count == 1
    channel.queue_delete(queue)


@pytest.mark.seconds(120)
def test_many_subscriptions_of_one_client(weir, name, mqtts):
    topic = name("many")
    wire = MqttWire(weir.mqtt, 4, timeout=60)
    wire.connect()
    for begin in range(0, 2000, 100):
        assert wire.subscribe(*[(f"{topic}/{number}", 0) for number in range(begin, begin + 100)]) == [0] * 100
    writer = mqtts()
    for number in (0, 777, 1999):
        writer.publish(f"{topic}/{number}", str(number))
    assert [wire.receive(m.PUBLISH).payload for _ in range(3)] == [b"0", b"777", b"1999"]
    wire.unsubscribe(*[f"{topic}/{number}" for number in range(1000)])
    writer.publish(f"{topic}/777", b"gone")
    writer.publish(f"{topic}/1500", b"here")
    assert wire.receive(m.PUBLISH).payload == b"here"
    wire.close()


# --- who may do what ---

@pytest.fixture
def user(admin, name):
    """user(**permissions): the name of a user, whose password is "secret"."""

    numbers = itertools.count()

    def make(topic=None, **permissions):
        who = f"{name('user').replace('.', '-')}-{next(numbers)}"
        admin.done("PUT", f"/users/{who}", {"password": "secret", "tags": ""})
        if permissions:
            admin.done("PUT", f"/permissions/%2F/{who}", permissions)
        if topic:
            admin.done("PUT", f"/topic-permissions/%2F/{who}", {"exchange": "amq.topic", **topic})
        return who

    return make


def test_a_user_without_permissions_in_the_virtual_host_is_not_let_in(mqtts, user):
    who = user()
    for version, code in ((4, 5), (5, 0x87)):
        assert mqtts(version, user=who, password="secret").code == code


def test_writing_needs_write_on_the_exchange_and_reading_read(mqtts, user, name):
    topic = name("rights")
    reads = user(configure="^mqtt-", write="^mqtt-", read=".*")
    writes = user(configure="^mqtt-", write=".*", read="^mqtt-")
    reader, writer = mqtts(user=reads, password="secret"), mqtts(user=writes, password="secret")
    assert reader.subscribe(topic, 1) == 1
    assert writer.subscribe(topic, 1) == 0x87
    writer.publish(topic, b"allowed")
    reader.publish(topic, b"not allowed")  # PUBACK says so
    assert reader.got(1) == [b"allowed"]
    reader.publish(topic, b"not allowed", 0, safe=False)
    assert reader.ended() == 0x87
    old = mqtts(4, user=writes, password="secret")
    assert old.subscribe(topic, 1) == 0x80


def test_topic_permissions_hold_with_the_client_id_in_them(mqtts, user, name):
    root = name("tp").replace(".", "-")
    who = user({"write": f"^{root}\\.{{client_id}}\\.", "read": f"^{root}\\.(open|{{client_id}})\\."},
               configure=".*", write=".*", read=".*")
    client = mqtts(user=who, password="secret", client_id="me")
    guest = mqtts()
    guest.subscribe(f"{root}/#", 1)
    assert client.subscribe(f"{root}/open/#", 1) == 1
    assert client.subscribe(f"{root}/me/x", 1) == 1
    assert client.subscribe(f"{root}/you/x", 1) == 0x87
    assert client.subscribe("#", 1) == 0x87
    client.publish(f"{root}/me/x", b"mine")
    client.publish(f"{root}/you/x", b"not mine")
    guest.publish(f"{root}/open/a", b"open")
    assert guest.got(2) == [b"mine", b"open"]
    assert client.got(2) == [b"mine", b"open"]


def test_a_virtual_host_goes_before_the_user_name(mqtts, admin, name):
    vhost = name("vhost").replace(".", "-")
    admin.done("PUT", f"/vhosts/{vhost}")
    admin.done("PUT", f"/permissions/{vhost}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    inside, outside = mqtts(user=f"{vhost}:guest"), mqtts()
    inside.subscribe("where", 1)
    outside.subscribe("where", 1)
    mqtts(4, user=f"{vhost}:guest").publish("where", b"inside")
    assert inside.got(1) == [b"inside"]
    outside.answered()
    assert not outside.messages
    assert mqtts(user="no-such:guest").code == 0x86


# --- TLS, and clients of others ---

def test_a_certificate_is_a_login(start_weir, tmp_path):
    made = Certificates(tmp_path)
    server = start_weir("listeners.mqtts=127.0.0.1:0", *made.server_settings()[1:], f"tls.ca_file={made.path('ca.pem')}",
                        "tls.login_from=common_name")
    admin = Management(server.ports["admin"])
    admin.done("PUT", "/users/client", {"password": "unused", "tags": ""})
    admin.done("PUT", "/permissions/%2F/client", {"configure": ".*", "write": ".*", "read": ".*"})
    address = server.mqtt.but(port=server.ports["mqtts"], host="localhost")
    client = MqttClient(address, tls=made.client_context(True), user=None)
    assert client.code == 0
    assert [one["user"] for one in admin.get("/connections")] == ["client"]
    client.subscribe("tls", 2)
    client.publish("tls", b"x" * 1_000_000, 2)
    assert client.got(1) == [b"x" * 1_000_000]
    client.close()


def mosquitto(server, program, *arguments):
    return ["stdbuf", "-oL", f"mosquitto_{program}", "-h", "127.0.0.1", "-p", str(server.mqtt.port), "-u", "guest", "-P", "guest",
            *map(str, arguments)]


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_mosquittos_clients_send_and_receive(weir, name, version, qos):
    topic = name("mosquitto")
    reads = subprocess.Popen(mosquitto(weir, "sub", "-V", version, "-t", topic, "-q", qos, "-C", 101, "-i", name("r"), "-d"),
                             stdout=subprocess.PIPE, text=True)
    line = ""
    while not line.startswith("Subscribed"):
        line = reads.stdout.readline()
        assert line, "mosquitto_sub ended"
    lines = "".join(f"line {number}\n" for number in range(100))
    subprocess.run(mosquitto(weir, "pub", "-V", version, "-t", topic, "-q", qos, "-l", "-i", name("w")), input=lines, text=True,
                   check=True, timeout=30)
    subprocess.run(mosquitto(weir, "pub", "-V", version, "-t", topic, "-q", qos, "-m", "end"), check=True, timeout=30)
    out = reads.communicate(timeout=30)[0].splitlines()
    assert [one for one in out if one.startswith("line ")] == [f"line {number}" for number in range(100)]
    assert reads.returncode == 0


def test_mosquittos_client_asks_and_is_answered(weir, name, mqtts):
    topic = name("rr")
    answers = mqtts()
    answers.paho.on_message = lambda client, _u, message: client.publish(message.properties.ResponseTopic,
                                                                        message.payload + b"!")
    answers.subscribe(topic, 1)
    done = subprocess.run(mosquitto(weir, "rr", "-V", "mqttv5", "-t", topic, "-e", f"{topic}/answer", "-m", "hello"),
                          stdout=subprocess.PIPE, check=True, timeout=30)
    assert done.stdout == b"hello!\n"


# --- load and floods ---

def test_who_publishes_waits_while_the_disk_is_full_and_others_do_not(start_weir):
    server = start_weir("disk.free_min=1000TiB")
    writer, other = MqttWire(server.mqtt), MqttWire(server.mqtt)
    writer.connect(keep_alive=1)
    other.connect()
    writer.publish("alarm", b"first")
    for _ in range(20):  # for longer than the writer's keep alive, which does not count while nobody listens to it
        writer.send(m.packet(m.PINGREQ, 0))
        assert other.subscribe("alarm") == [0]
        time.sleep(0.1)
    writer.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        writer.receive()
    other.answered()
    writer.close()
    other.close()


def test_connections_that_come_in_floods_leave_nothing(start_weir):
    server = start_weir()
    before = server.open_files()
    wires = []
    for number in range(600):
        wire = MqttWire(server.mqtt, 4 + number % 2)
        if number % 3:
            wire.send(m.connect_packet(wire.version))
        wires.append(wire)
        if number % 5 == 0:
            wires.pop(0).close()
    for wire in wires:
        wire.close()
    wait_until(lambda: server.open_files() <= before + 5, "the connections are gone")
    wire = MqttWire(server.mqtt)
    wire.connect()
    wire.answered()
    wire.close()


@pytest.mark.seconds(180)
def test_five_thousand_clients_are_served(start_weir):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        server = start_weir()
        wires = [MqttWire(server.mqtt, 4, timeout=60) for _ in range(5000)]
        for begin in range(0, 5000, 250):
            for number in range(begin, begin + 250):
                wires[number].send(m.connect_packet(4, f"c{number}", keep_alive=600))
            for wire in wires[begin:begin + 250]:
                assert wire.receive(m.CONNACK).code == 0
        some = wires[::50]
        for wire in some:
            assert wire.subscribe("all") == [0]
        wires[7].publish("all", b"x", qos=1)
        wires[7].receive(m.PUBACK)
        for wire in some:
            assert wire.receive(m.PUBLISH).payload == b"x"
        for wire in wires:
            wire.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
