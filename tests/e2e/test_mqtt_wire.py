"""MQTT packet by packet, in each version: what is malformed or out of order, and what is said of it."""

import time

import pytest

from harness import mqtt_wire as m
from harness.mqtt_wire import MqttWire, ack_packet, connect_packet, packet, properties, publish_packet, subscribe_packet, \
    text, unsubscribe_packet

VERSIONS = [3, 4, 5]
MALFORMED, PROTOCOL_ERROR, UNSUPPORTED_VERSION, BAD_CLIENT_ID, BAD_LOGIN, NOT_AUTHORIZED = 0x81, 0x82, 0x84, 0x85, 0x86, 0x87
BAD_AUTH_METHOD, KEEP_ALIVE, TAKEN_OVER, BAD_FILTER, BAD_TOPIC = 0x8C, 0x8D, 0x8E, 0x8F, 0x90
ID_NOT_FOUND, TOO_MANY, BAD_ALIAS, TOO_LARGE = 0x92, 0x93, 0x94, 0x95


@pytest.fixture
def wires(weir):
    """wires(version, **options of connect): one more client; options=None: it has not sent CONNECT."""
    opened = []

    def connect(version=5, address=None, connected=True, **options):
        wire = MqttWire(address or weir.mqtt, version)
        opened.append(wire)
        if connected:
            wire.connack = wire.connect(**{**({"client_id": "wire"} if version == 3 else {}), **options})
        return wire

    yield connect
    for wire in opened:
        wire.close()


# --- CONNECT ---

def body_of(**options):
    """Of a CONNECT that is right."""
    return connect_packet(**options)[2:]


CONNECTS = [
    # What is wrong, the bytes, and the code of the CONNACK: None where there is none.
    ("reserved flag, 3.1.1", connect_packet(4, flags=0xC3), None),
    ("reserved flag", connect_packet(5, flags=0xC3), MALFORMED),
    ("will QoS 3, 3.1.1", connect_packet(4, "x", will=("t", b"", 3, False, ())), None),
    ("will QoS 3", connect_packet(5, "x", will=("t", b"", 3, False, ())), MALFORMED),
    ("will QoS without will, 3.1.1", connect_packet(4, "x", flags=0xCA), None),
    ("will QoS without will", connect_packet(5, "x", flags=0xCA), MALFORMED),
    ("will retain without will", connect_packet(5, "x", flags=0xE2), MALFORMED),
    ("password without user name, 3.1.1", connect_packet(4, "x", user=None), None),
    ("will topic with wildcards", connect_packet(5, "x", will=("a/#", b"", 0, False, ())), BAD_TOPIC),
    ("will topic with wildcards, 3.1.1", connect_packet(4, "x", will=("a/#", b"", 0, False, ())), None),
    ("will topic that is too long", connect_packet(5, "x", will=("t" * 256, b"", 0, False, ())), BAD_TOPIC),
    ("will topic that is not UTF-8", connect_packet(5, "x", will=(b"\xff", b"", 0, False, ())), MALFORMED),
    ("client id that is not UTF-8, 3.1.1", connect_packet(4, b"\xc0\x80"), None),
    ("client id that is not UTF-8", connect_packet(5, b"\xc0\x80"), MALFORMED),
    ("client id with a null character", connect_packet(5, "a\0b"), MALFORMED),
    ("client id with a surrogate", connect_packet(5, b"\xed\xa0\x80"), MALFORMED),
    ("client id that is too long", connect_packet(5, "c" * 231), BAD_CLIENT_ID),
    ("client id that is too long, 3.1.1", connect_packet(4, "c" * 231), 2),
    ("no client id, 3.1", connect_packet(3, ""), 2),
    ("no client id and not clean, 3.1.1", connect_packet(4, "", clean=False), 2),
    ("user name that is not UTF-8", connect_packet(5, "x", user=b"\xff"), MALFORMED),
    ("it ends too early, 3.1.1", packet(m.CONNECT, 0, body_of(version=4)[:-1]), None),
    ("it ends too early", packet(m.CONNECT, 0, body_of(version=5)[:-1]), MALFORMED),
    ("something follows, 3.1.1", packet(m.CONNECT, 0, body_of(version=4) + b"x"), None),
    ("something follows", packet(m.CONNECT, 0, body_of(version=5) + b"x"), MALFORMED),
    ("level 3 by the new name", connect_packet(4, level=3), 1),
    ("level 2 by the new name", connect_packet(4, level=2), 1),
    ("level 4 by the old name", connect_packet(3, "x", level=4), 1),
    ("level 6", connect_packet(5, level=6), UNSUPPORTED_VERSION),
    ("another protocol's name", connect_packet(4, name="AMQP"), None),
    ("wrong password, 3.1", connect_packet(3, "x", password="no"), 4),
    ("wrong password, 3.1.1", connect_packet(4, "x", password="no"), 4),
    ("wrong password", connect_packet(5, "x", password="no"), BAD_LOGIN),
    ("unknown user, 3.1.1", connect_packet(4, "x", user="nobody"), 4),
    ("unknown user", connect_packet(5, "x", user="nobody"), BAD_LOGIN),
    ("a method of authentication", connect_packet(5, props=[(m.AUTH_METHOD, "SCRAM-SHA-1")]), BAD_AUTH_METHOD),
    ("authentication data alone", connect_packet(5, props=[(m.AUTH_DATA, b"x")]), PROTOCOL_ERROR),
    ("receive maximum of 0", connect_packet(5, props=[(m.RECEIVE_MAXIMUM, 0)]), PROTOCOL_ERROR),
    ("maximum packet size of 0", connect_packet(5, props=[(m.MAXIMUM_PACKET_SIZE, 0)]), PROTOCOL_ERROR),
    ("problem information of 2", connect_packet(5, props=[(m.WANTS_PROBLEM_INFORMATION, 2)]), PROTOCOL_ERROR),
    ("response information of 2", connect_packet(5, props=[(m.WANTS_RESPONSE_INFORMATION, 2)]), PROTOCOL_ERROR),
    ("session expiry twice", connect_packet(5, props=[(m.SESSION_EXPIRY, 1)] * 2), PROTOCOL_ERROR),
    ("a property of PUBLISH", connect_packet(5, props=[(m.TOPIC_ALIAS, 1)]), MALFORMED),
    ("an unknown property", connect_packet(5, props=b"\x7f\x00"), MALFORMED),
    ("a property that ends too early", connect_packet(5, props=b"\x11\x00\x00"), MALFORMED),
    ("will delay in the CONNECT's own", connect_packet(5, props=[(m.WILL_DELAY, 1)]), MALFORMED),
    ("payload format of a will of 2", connect_packet(5, will=("t", b"", 0, False, [(m.PAYLOAD_FORMAT, 2)])), PROTOCOL_ERROR),
    ("an alias of a will", connect_packet(5, will=("t", b"", 0, False, [(m.TOPIC_ALIAS, 1)])), MALFORMED),
    ("flags of its fixed header", packet(m.CONNECT, 1, body_of(version=4)), None),
]


@pytest.mark.parametrize("data, code", [one[1:] for one in CONNECTS], ids=[one[0] for one in CONNECTS])
def test_a_connect_that_is_wrong_is_refused(wires, data, code):
    five = code is not None and code >= 0x80
    wire = wires(5 if five else 4, connected=False)
    wire.send(data)
    packets = wire.receive_until_end()
    assert [(one.kind, one.code) for one in packets] == ([] if code is None else [(m.CONNACK, code)])
    assert not packets or not packets[0].session_present


NOT_CONNECTS = [
    packet(m.PINGREQ, 0), packet(m.DISCONNECT, 0), packet(m.AUTH, 0), packet(0, 0), publish_packet(4, "t", b"x"),
    subscribe_packet(4, [("a", 0)]), ack_packet(m.PUBACK, 1), packet(m.CONNACK, 0, b"\0\0"),
]


@pytest.mark.parametrize("data", NOT_CONNECTS, ids=lambda data: f"type {data[0] >> 4}")
def test_what_comes_before_connect_ends_the_connection_without_a_word(wires, data):
    wire = wires(connected=False)
    wire.send(data)
    assert not wire.receive_until_end()


@pytest.mark.parametrize("data", [
    b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x00\x09\x01", b"\xff" * 70_000, b"\x10\xff\xff\xff\x7f" + b"x" * 9,
    b"\x10\x80\x80\x80\x80\x01", b"STOMP\n\n\0",
])
def test_garbage_costs_only_its_own_connection(wires, data):
    wire = wires(connected=False)
    wire.send(data)
    assert not wire.receive_until_end()
    wires(4).answered()


@pytest.mark.parametrize("version", VERSIONS)
def test_connack_says_what_its_version_has(wires, version):
    first = wires(version, client_id=f"connack-{version}").connack
    assert not first.session_present
    if version < 5:
        assert first.body == b"\0\0"
    else:
        assert first.props[m.RECEIVE_MAXIMUM] == 1000 and first.props[m.TOPIC_ALIAS_MAXIMUM] == 16
        assert m.MAXIMUM_QOS not in first.props and m.RETAIN_AVAILABLE not in first.props
        assert first.props[m.MAXIMUM_PACKET_SIZE] > 16 << 20 and m.ASSIGNED_CLIENT_ID not in first.props


def test_a_client_without_an_id_is_given_one(wires):
    first, second = (wires(5).connack.props[m.ASSIGNED_CLIENT_ID] for _ in range(2))
    assert first and first != second
    assert wires(4).connack.body == b"\0\0"


def test_a_password_without_a_user_name_is_allowed_in_5(start_weir):
    server = start_weir("mqtt.anonymous_user=guest")
    wire = MqttWire(server.mqtt)
    wire.connect(user=None, password="whatever")
    wire.close()


def test_who_has_no_name_is_the_anonymous_user_or_nobody(start_weir):
    server = start_weir("mqtt.anonymous_user=")
    for version, code in ((4, 4), (5, BAD_LOGIN)):
        wire = MqttWire(server.mqtt, version)
        assert wire.try_connect(user=None, password=None).code == code
        assert not wire.receive_until_end()


def test_what_follows_connect_at_once_is_handled_after_it(wires):
    wire = wires(5, connected=False)
    wire.send(connect_packet(5) + subscribe_packet(5, [("at/once", 0)]) + publish_packet(5, "at/once", b"here"))
    assert [wire.receive().kind for _ in range(2)] == [m.CONNACK, m.SUBACK]
    assert wire.receive(m.PUBLISH).payload == b"here"


# --- after CONNECT ---

def after_connect(v):
    """[(what is wrong, bytes, the code of the DISCONNECT of 5.0)]"""
    none = properties() if v == 5 else b""
    cases = [
        ("a second CONNECT", connect_packet(v, "second"), PROTOCOL_ERROR),
        ("CONNACK from a client", packet(m.CONNACK, 0, b"\0\0" + none), PROTOCOL_ERROR),
        ("SUBACK from a client", packet(m.SUBACK, 0, b"\0\1" + none + b"\0"), PROTOCOL_ERROR),
        ("UNSUBACK from a client", packet(m.UNSUBACK, 0, b"\0\1" + none), PROTOCOL_ERROR),
        ("PINGRESP from a client", packet(m.PINGRESP, 0), PROTOCOL_ERROR),
        ("type 0", packet(0, 0), MALFORMED),
        ("a remaining length of five bytes", b"\x30\xff\xff\xff\xff\x01", MALFORMED),
        ("PINGREQ with a body", packet(m.PINGREQ, 0, b"x"), MALFORMED),
        ("PUBLISH with QoS 3", publish_packet(v, "t", b"", 3), MALFORMED),
        ("PUBLISH with DUP and QoS 0", publish_packet(v, "t", b"", 0, dup=True), MALFORMED),
        ("PUBLISH with packet id 0", publish_packet(v, "t", b"", 1, packet_id=0), PROTOCOL_ERROR),
        ("PUBLISH with # in its topic", publish_packet(v, "a/#"), BAD_TOPIC),
        ("PUBLISH with + in its topic", publish_packet(v, "a/+/b"), BAD_TOPIC),
        ("PUBLISH with a topic that is not UTF-8", publish_packet(v, b"\xff\xfe"), MALFORMED),
        ("PUBLISH with a null character", publish_packet(v, "a\0b"), MALFORMED),
        ("PUBLISH with a surrogate", publish_packet(v, b"\xed\xa0\x80"), MALFORMED),
        ("PUBLISH with an overlong character", publish_packet(v, b"\xc1\xbf"), MALFORMED),
        ("PUBLISH that ends in its topic", packet(m.PUBLISH, 0, b"\0\x05abc"), MALFORMED),
        ("PUBLISH without room for its id", packet(m.PUBLISH, 2, b"\0\1a\0"), MALFORMED),
        ("PUBLISH to a topic that is too long, QoS 0", publish_packet(v, "t" * 256), BAD_TOPIC),
        ("PUBLISH to $SYS, QoS 0", publish_packet(v, "$SYS/x"), NOT_AUTHORIZED),
        ("PUBACK with packet id 0", ack_packet(m.PUBACK, 0), PROTOCOL_ERROR),
        ("PUBACK that ends too early", packet(m.PUBACK, 0, b"\0"), MALFORMED),
        ("SUBSCRIBE with packet id 0", subscribe_packet(v, [("a", 0)], 0), PROTOCOL_ERROR),
        ("SUBSCRIBE without filters", subscribe_packet(v, []), PROTOCOL_ERROR),
        ("SUBSCRIBE to nothing", subscribe_packet(v, [("", 0)]), BAD_FILTER),
        ("SUBSCRIBE with # not at the end", subscribe_packet(v, [("a/#/b", 0)]), BAD_FILTER),
        ("SUBSCRIBE with # beside text", subscribe_packet(v, [("a#", 0)]), BAD_FILTER),
        ("SUBSCRIBE with + beside text", subscribe_packet(v, [("a+/b", 0)]), BAD_FILTER),
        ("SUBSCRIBE shared without a name", subscribe_packet(v, [("$share//a", 0)]), BAD_FILTER),
        ("SUBSCRIBE shared without a filter", subscribe_packet(v, [("$share/g", 0)]), BAD_FILTER),
        ("SUBSCRIBE shared with an empty filter", subscribe_packet(v, [("$share/g/", 0)]), BAD_FILTER),
        ("SUBSCRIBE shared, wildcards in its name", subscribe_packet(v, [("$share/g+/a", 0)]), BAD_FILTER),
        ("SUBSCRIBE with a filter that is not UTF-8", subscribe_packet(v, [(b"\xff", 0)]), MALFORMED),
        ("SUBSCRIBE that ends before its options", packet(m.SUBSCRIBE, 2, b"\0\1" + none + text("a")), MALFORMED),
        ("SUBSCRIBE with QoS 3", subscribe_packet(v, [("a", 3)]), PROTOCOL_ERROR),
        ("UNSUBSCRIBE with packet id 0", unsubscribe_packet(v, ["a"], 0), PROTOCOL_ERROR),
        ("UNSUBSCRIBE without filters", unsubscribe_packet(v, []), PROTOCOL_ERROR),
        ("UNSUBSCRIBE from what is no filter", unsubscribe_packet(v, ["a#"]), BAD_FILTER),
        ("UNSUBSCRIBE that ends too early", packet(m.UNSUBSCRIBE, 2, b"\0\1" + none + b"\0\5a"), MALFORMED),
    ]
    if v > 3:
        cases += [
            ("flags of PUBREL", ack_packet(m.PUBREL, 1, flags=0), MALFORMED),
            ("flags of PUBACK", ack_packet(m.PUBACK, 1, flags=2), MALFORMED),
            ("flags of SUBSCRIBE", subscribe_packet(v, [("a", 0)], flags=0), MALFORMED),
            ("flags of UNSUBSCRIBE", unsubscribe_packet(v, ["a"], flags=0), MALFORMED),
            ("flags of PINGREQ", packet(m.PINGREQ, 1), MALFORMED),
            ("flags of DISCONNECT", packet(m.DISCONNECT, 1), MALFORMED),
        ]
    if v < 5:
        return cases + [
            ("AUTH", packet(m.AUTH, 0), None),
            ("an empty topic", publish_packet(v, ""), None),
            ("DISCONNECT with a body", packet(m.DISCONNECT, 0, b"\0"), None),
            ("options of 5.0", subscribe_packet(v, [("a", 4)]), None),
            ("PUBLISH to a topic that is too long, QoS 1", publish_packet(v, "t" * 256, b"", 1), None),
            ("PUBLISH to $SYS, QoS 2", publish_packet(v, "$SYS/x", b"", 2), None),
        ]
    return cases + [
        ("AUTH without a method", packet(m.AUTH, 0), PROTOCOL_ERROR),
        ("AUTH that CONNECT has not begun", packet(m.AUTH, 0, b"\x19" + properties([(m.AUTH_METHOD, "X")])), PROTOCOL_ERROR),
        ("a remaining length that is longer than needed", b"\xc0\x80\x00", MALFORMED),
        ("neither topic nor alias", publish_packet(5, ""), PROTOCOL_ERROR),
        ("an alias of 0", publish_packet(5, "t", props=[(m.TOPIC_ALIAS, 0)]), BAD_ALIAS),
        ("an alias above the maximum", publish_packet(5, "t", props=[(m.TOPIC_ALIAS, 17)]), BAD_ALIAS),
        ("an alias that was not set", publish_packet(5, "", props=[(m.TOPIC_ALIAS, 3)]), PROTOCOL_ERROR),
        ("an alias twice", publish_packet(5, "t", props=[(m.TOPIC_ALIAS, 1)] * 2), PROTOCOL_ERROR),
        ("a subscription id in PUBLISH", publish_packet(5, "t", props=[(m.SUBSCRIPTION_ID, 1)]), PROTOCOL_ERROR),
        ("payload format of 2", publish_packet(5, "t", props=[(m.PAYLOAD_FORMAT, 2)]), PROTOCOL_ERROR),
        ("expiry twice", publish_packet(5, "t", props=[(m.MESSAGE_EXPIRY, 1)] * 2), PROTOCOL_ERROR),
        ("content type twice", publish_packet(5, "t", props=[(m.CONTENT_TYPE, "a")] * 2), PROTOCOL_ERROR),
        ("correlation data twice", publish_packet(5, "t", props=[(m.CORRELATION_DATA, b"a")] * 2), PROTOCOL_ERROR),
        ("response topic twice", publish_packet(5, "t", props=[(m.RESPONSE_TOPIC, "a")] * 2), PROTOCOL_ERROR),
        ("response topic with wildcards", publish_packet(5, "t", props=[(m.RESPONSE_TOPIC, "a/+")]), PROTOCOL_ERROR),
        ("content type that is not UTF-8", publish_packet(5, "t", props=[(m.CONTENT_TYPE, b"\xff")]), MALFORMED),
        ("a user property that is not UTF-8", publish_packet(5, "t", props=[(m.USER_PROPERTY, ("a", b"\xff"))]), MALFORMED),
        ("properties longer than the packet", packet(m.PUBLISH, 0, text("t") + b"\x7f"), MALFORMED),
        ("a length of properties that is no number", packet(m.PUBLISH, 0, text("t") + b"\xff\xff\xff\xff\x01"), MALFORMED),
        ("a property of CONNECT in PUBLISH", publish_packet(5, "t", props=[(m.RECEIVE_MAXIMUM, 9)]), MALFORMED),
        ("an unknown code of PUBACK", ack_packet(m.PUBACK, 1, 0x55), PROTOCOL_ERROR),
        ("a code of PUBACK in PUBREL", ack_packet(m.PUBREL, 1, 0x87), PROTOCOL_ERROR),
        ("a reason string twice", ack_packet(m.PUBACK, 1, 0, props=[(m.REASON_STRING, "a")] * 2), PROTOCOL_ERROR),
        ("reserved options", subscribe_packet(5, [("a", 0x40)]), MALFORMED),
        ("retain handling of 3", subscribe_packet(5, [("a", 0x30)]), PROTOCOL_ERROR),
        ("no-local and shared", subscribe_packet(5, [("$share/g/a", 4)]), PROTOCOL_ERROR),
        ("a subscription id of 0", subscribe_packet(5, [("a", 0)], props=[(m.SUBSCRIPTION_ID, 0)]), PROTOCOL_ERROR),
        ("two subscription ids", subscribe_packet(5, [("a", 0)], props=[(m.SUBSCRIPTION_ID, 1)] * 2), PROTOCOL_ERROR),
        ("a code of DISCONNECT that only a server has", packet(m.DISCONNECT, 0, b"\x8e"), PROTOCOL_ERROR),
        ("a session that is to last after all",
         packet(m.DISCONNECT, 0, b"\0" + properties([(m.SESSION_EXPIRY, 9)])), PROTOCOL_ERROR),
    ]


AFTER = [(v, *case) for v in VERSIONS for case in after_connect(v)]


@pytest.mark.parametrize("version, data, code", [(v, data, code) for v, _, data, code in AFTER],
                         ids=[f"{v}-{what}" for v, what, _, _ in AFTER])
def test_a_packet_that_is_wrong_ends_the_connection_with_the_reason(wires, version, data, code):
    wire = wires(version, client_id=f"wrong-{version}")
    wire.send(data + packet(m.PINGREQ, 0))
    assert wire.end_code() == (code if version == 5 else None)


def test_the_reason_is_told_in_words_to_who_wants_them(wires):
    for wants, has in (((), True), ([(m.WANTS_PROBLEM_INFORMATION, 0)], False)):
        wire = wires(5, props=wants)
        wire.send(packet(m.PINGRESP, 0))
        assert (m.REASON_STRING in wire.receive(m.DISCONNECT).props) == has


@pytest.mark.parametrize("qos, kind", [(1, m.PUBACK), (2, m.PUBREC)])
def test_a_publish_that_may_not_be_is_answered_in_5(wires, qos, kind):
    wire = wires(5)
    for number, (topic, code) in enumerate([("t" * 256, BAD_TOPIC), ("$SYS/x", NOT_AUTHORIZED), ("nobody/there", 0x10)], 1):
        wire.publish(topic, b"x", qos=qos, packet_id=number)
        answer = wire.receive(kind)
        assert (answer.packet_id, answer.code) == (number, code)
    wire.answered()


def test_flags_of_other_packets_were_not_fixed_in_3_1(wires):
    wire = wires(3, client_id="flags")
    wire.send(subscribe_packet(3, [("flags/a", 0)], flags=8 | 2))
    assert wire.receive(m.SUBACK).codes == [0]
    wire.send(packet(m.PINGREQ, 0))
    assert wire.receive().kind == m.PINGRESP


# --- acknowledgements ---

@pytest.mark.parametrize("version", VERSIONS)
def test_acknowledgements_of_nothing_do_no_harm(wires, version):
    wire = wires(version, client_id=f"acks-{version}")
    wire.ack(m.PUBACK, 7)
    wire.ack(m.PUBCOMP, 8)
    wire.ack(m.PUBREL, 9)
    assert (answer := wire.receive(m.PUBCOMP)).packet_id == 9 and answer.code == (ID_NOT_FOUND if version == 5 else 0)
    wire.ack(m.PUBREC, 10)
    assert (answer := wire.receive(m.PUBREL)).packet_id == 10 and answer.flags == 2
    assert answer.code == (ID_NOT_FOUND if version == 5 else 0)
    wire.answered()


@pytest.mark.parametrize("version", VERSIONS)
def test_qos_2_from_the_client_counts_once(wires, version):
    reader, wire = wires(version, client_id=f"once-reader-{version}"), wires(version, client_id=f"once-{version}")
    topic = f"once/{version}"
    reader.subscribe((topic, 0))
    wire.publish(topic, b"one", qos=2, packet_id=5)
    assert wire.receive(m.PUBREC).packet_id == 5
    wire.publish(topic, b"one", qos=2, packet_id=5, dup=True)
    assert wire.receive(m.PUBREC).packet_id == 5
    for _ in range(2):
        wire.ack(m.PUBREL, 5)
        assert wire.receive(m.PUBCOMP).packet_id == 5
    wire.publish(topic, b"two", qos=2, packet_id=5)
    assert wire.receive(m.PUBREC).packet_id == 5
    assert [reader.receive(m.PUBLISH).payload for _ in range(2)] == [b"one", b"two"]
    reader.answered()


@pytest.mark.parametrize("version", VERSIONS)
def test_qos_2_to_the_client_goes_its_four_steps(wires, version):
    wire = wires(version, client_id=f"steps-{version}")
    topic = f"steps/{version}"
    assert wire.subscribe((topic, 2)) == [2]
    other = wires(version, client_id=f"steps-other-{version}")
    other.publish(topic, b"x", qos=2, packet_id=1)
    other.receive(m.PUBREC)
    other.ack(m.PUBREL, 1)
    other.receive(m.PUBCOMP)
    came = wire.receive(m.PUBLISH)
    assert (came.qos, came.dup, came.payload) == (2, False, b"x") and came.packet_id != 0
    for _ in range(2):
        wire.ack(m.PUBREC, came.packet_id)
        release = wire.receive(m.PUBREL)
        assert (release.packet_id, release.code) == (came.packet_id, 0)
    wire.ack(m.PUBCOMP, came.packet_id)
    wire.ack(m.PUBREC, came.packet_id)
    assert wire.receive(m.PUBREL).code == (ID_NOT_FOUND if version == 5 else 0)


@pytest.mark.parametrize("kind, qos", [(m.PUBACK, 1), (m.PUBREC, 2)])
def test_a_message_that_the_client_refuses_is_done(wires, name, kind, qos):
    topic, client_id = name("refused"), name("client")
    wire = wires(5, client_id=client_id, clean=False, props=[(m.SESSION_EXPIRY, 100)])
    wire.subscribe((topic, 2))
    wires(5).publish(topic, b"x", qos=qos)
    wire.ack(kind, wire.receive(m.PUBLISH).packet_id, 0x83)
    wire.answered()
    wire.disconnect()
    again = wires(5, client_id=client_id, clean=False)
    assert again.connack.session_present
    again.answered()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_acknowledged_comes_again_marked_with_the_same_number(wires, name, version):
    topic, client_id = name("again"), name("client")
    options = {"client_id": client_id, "clean": False, **({"props": [(m.SESSION_EXPIRY, 100)]} if version == 5 else {})}
    wire = wires(version, **options)
    wire.subscribe((topic, 2))
    other = wires(version, client_id=name("other"))
    for number in range(1, 5):
        other.publish(topic, b"%d" % number, qos=1 + number % 2, packet_id=number)
        other.receive()
    before = [wire.receive(m.PUBLISH) for _ in range(4)]
    wire.close()
    again = wires(version, **options)
    assert again.connack.session_present or version == 3
    after = [again.receive(m.PUBLISH) for _ in range(4)]
    assert [(one.packet_id, one.payload, one.qos) for one in before] == [(one.packet_id, one.payload, one.qos) for one in after]
    assert not any(one.dup for one in before) and all(one.dup for one in after)


def test_no_more_is_in_flight_to_the_client_than_it_takes(wires, name):
    topic = name("window")
    wire = wires(5, props=[(m.RECEIVE_MAXIMUM, 3)])
    wire.subscribe((topic, 2))
    other = wires(5)
    for number in range(1, 11):
        other.publish(topic, b"%d" % number, qos=1 + number % 2, packet_id=number)
    for done in range(10):
        if done == 0:
            came = [wire.receive(m.PUBLISH) for _ in range(3)]
        wire.answered()  # no fourth
        first = came.pop(0)
        if first.qos == 1:
            wire.ack(m.PUBACK, first.packet_id)
        else:
            wire.ack(m.PUBREC, first.packet_id)
            assert wire.receive().kind == m.PUBREL
            wire.answered()  # it counts until PUBCOMP
            wire.ack(m.PUBCOMP, first.packet_id)
        if done < 7:
            came.append(wire.receive(m.PUBLISH))
    assert not came


def test_more_in_flight_than_the_server_takes_ends_the_connection(start_weir):
    server = start_weir("mqtt.receive_maximum=10")
    wire = MqttWire(server.mqtt)
    assert wire.connect().props[m.RECEIVE_MAXIMUM] == 10
    for number in range(1, 11):
        wire.publish("window", b"x", qos=2, packet_id=number)
    assert [wire.receive(m.PUBREC).packet_id for _ in range(10)] == list(range(1, 11))
    wire.publish("window", b"x", qos=2, packet_id=3, dup=True)  # one of them
    assert wire.receive(m.PUBREC).packet_id == 3
    wire.publish("window", b"x", qos=0)  # does not count
    wire.ack(m.PUBREL, 1)
    wire.receive(m.PUBCOMP)
    wire.publish("window", b"x", qos=2, packet_id=11)
    wire.receive(m.PUBREC)
    wire.publish("window", b"x", qos=1, packet_id=12)
    assert wire.end_code() == TOO_MANY


@pytest.mark.parametrize("qos", [1, 2])
def test_as_many_in_flight_as_the_server_takes_go_at_once(start_weir, qos):
    server = start_weir("mqtt.receive_maximum=100")
    wire = MqttWire(server.mqtt)
    wire.connect()
    wire.subscribe("whole/window")
    wire.send(b"".join(publish_packet(5, "whole/window", b"x", qos, number) for number in range(1, 101)))
    came = [wire.receive() for _ in range(200)]
    acks = [one.packet_id for one in came if one.kind == (m.PUBACK if qos == 1 else m.PUBREC)]
    assert acks == list(range(1, 101))
    wire.close()


# --- sizes ---

def test_a_packet_that_is_too_large_is_refused_by_its_length_alone(start_weir):
    server = start_weir("limits.message_bytes_max=1MiB")
    for version, code in ((4, None), (5, TOO_LARGE)):
        wire = MqttWire(server.mqtt, version)
        most = wire.connect().props.get(m.MAXIMUM_PACKET_SIZE, (1 << 20) + (256 << 10))
        assert most == (1 << 20) + (256 << 10)
        wire.send(b"\x30" + m.varint(most))
        assert wire.end_code() == code
    wire = MqttWire(server.mqtt)
    wire.connect()
    wire.publish("t", b"x" * ((1 << 20) + 1), qos=1)
    assert wire.end_code() == TOO_LARGE
    wire = MqttWire(server.mqtt)
    wire.connect()
    wire.subscribe("t")
    wire.publish("t", b"x" * (1 << 20))
    assert wire.receive(m.PUBLISH).payload == b"x" * (1 << 20)
    wire.close()


def test_what_is_larger_than_the_client_takes_is_not_sent_to_it(wires, name):
    topic = name("small")
    wire = wires(5, props=[(m.MAXIMUM_PACKET_SIZE, 200)])
    wire.subscribe((topic, 1))
    other = wires(5)
    for number, size in enumerate((300, 100, 300_000, 10), 1):
        other.publish(topic, b"x" * size, qos=1, packet_id=number)
    for size in (100, 10):
        came = wire.receive(m.PUBLISH)
        assert len(came.payload) == size
        wire.ack(m.PUBACK, came.packet_id)
    wire.answered()


@pytest.mark.parametrize("version", VERSIONS)
def test_packets_come_in_any_pieces(wires, name, version):
    topic = name("pieces")
    wire = wires(version, client_id=name("client"), connected=False)
    wire.socket.setsockopt(m.socket.IPPROTO_TCP, m.socket.TCP_NODELAY, 1)
    data = connect_packet(version, name("client")) + subscribe_packet(version, [(topic, 1)])
    data += b"".join(publish_packet(version, topic, b"y" * size, 1, number) for number, size in enumerate((0, 1, 126, 127, 128), 1))
    for at in range(len(data)):
        wire.send(data[at:at + 1])
    kinds = [wire.receive() for _ in range(12)]
    assert [len(one.payload) for one in kinds if one.kind == m.PUBLISH] == [0, 1, 126, 127, 128]
    assert [one.packet_id for one in kinds if one.kind == m.PUBACK] == [1, 2, 3, 4, 5]


# --- keep alive ---

@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_silent_for_one_and_a_half_keep_alives_is_let_go(wires, version):
    wire = wires(version, client_id=f"silent-{version}", keep_alive=1)
    seconds, code = wire.ends_after()
    assert 1.45 <= seconds < 2.5 and code == (KEEP_ALIVE if version == 5 else None)


def test_pings_keep_a_connection(wires):
    wire = wires(5, keep_alive=1)
    began = time.monotonic()
    while time.monotonic() - began < 2.5:
        wire.answered()
        time.sleep(0.5)
    seconds, code = wire.ends_after()
    assert 0.9 <= seconds < 2 and code == KEEP_ALIVE


def test_a_keep_alive_of_0_is_none(wires):
    wire, other = wires(5, keep_alive=0), wires(5, keep_alive=1)
    assert other.end_code() == KEEP_ALIVE
    wire.answered()


def test_who_never_sends_connect_is_let_go(start_weir):
    server = start_weir("amqp.handshake_timeout_ms=500ms")
    wire = MqttWire(server.mqtt)
    seconds, code = wire.ends_after()
    assert 0.4 < seconds < 3 and code is None


# --- client ids ---

@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_comes_again_takes_its_id_over(wires, name, version):
    client_id = name("over")
    first = wires(version, client_id=client_id)
    second = wires(version, client_id=client_id)
    assert first.end_code() == (TAKEN_OVER if version == 5 else None)
    second.answered()


def test_another_users_client_id_is_refused(wires, admin, name):
    user, client_id = name("user"), name("mine")
    admin.done("PUT", f"/users/{user}", {"password": "secret", "tags": ""})
    admin.done("PUT", f"/permissions/%2F/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    first = wires(5, client_id=client_id, clean=False, props=[(m.SESSION_EXPIRY, 100)])
    for version, code in ((4, 2), (5, BAD_CLIENT_ID)):
        other = wires(version, connected=False)
        assert other.try_connect(client_id=client_id, user=user, password="secret").code == code
        assert not other.receive_until_end()
    first.disconnect()
    other = wires(5, connected=False)  # nor the session that it has left behind
    assert other.try_connect(client_id=client_id, user=user, password="secret").code == BAD_CLIENT_ID
    assert wires(5, client_id=client_id, clean=False).connack.session_present


# --- subscribing ---

@pytest.mark.parametrize("version", VERSIONS)
def test_suback_has_a_code_for_each_filter(wires, version):
    wire = wires(version, client_id=f"codes-{version}")
    failure = (BAD_FILTER, BAD_FILTER) if version == 5 else (0x80, 0x80)
    codes = wire.subscribe(("a", 0), ("b/+", 1), ("c/#", 2), ("f" * 256, 0), ("$queue/not-there", 0), packet_id=77)
    assert codes == [0, 1, 2, *failure]
    assert wire.unsubscribe("a", "nothing", "c/#", packet_id=78) == ([0, 0x11, 0] if version == 5 else [])


FILTERS = [
    ("/#", ["", "/", "/a", "/a/b", "/a/", "//", "//b", "/a.b", "/*", "/grün", "/A"]),
    ("/+", ["/", "/a", "/a.b", "/*", "/grün", "/A"]), ("/+/b", ["/a/b", "//b"]), ("/a/+", ["/a/b", "/a/"]),
    ("/+/+", ["/a/b", "/a/", "//", "//b"]), ("/+/#", ["/", "/a", "/a/b", "/a/", "//", "//b", "/a.b", "/*", "/grün", "/A"]),
    ("/a/#", ["/a", "/a/b", "/a/"]), ("/a.b", ["/a.b"]), ("/a/b", ["/a/b"]), ("/*", ["/*"]), ("/grün", ["/grün"]), ("", [""]),
]


@pytest.mark.parametrize("pattern, found", FILTERS)
def test_filters_find_the_topics_that_they_should(wires, name, pattern, found):
    root = name("match")
    wire, other = wires(5), wires(5)
    assert wire.subscribe(root + pattern) == [0]
    for topic in FILTERS[0][1]:
        other.publish(root + topic, topic.encode())
    other.publish(root + found[0], b"last")
    came = []
    while not came or came[-1] != "last":
        came.append(wire.receive(m.PUBLISH).payload.decode())
    assert came == [*found, "last"]


@pytest.mark.parametrize("version", VERSIONS)
def test_wildcards_do_not_find_topics_that_begin_with_a_dollar(wires, name, version):
    topic = name("dollar")
    wire = wires(version, client_id=name("client"))
    wire.subscribe("#", f"+/{topic}", f"$hidden/{topic}")
    other = wires(version, client_id=name("other"))
    other.publish(f"$hidden/{topic}", b"1")
    other.publish(f"$other/{topic}", b"2")
    other.publish(f"open/{topic}", b"3")
    came = []
    while b"3" not in came:
        packet = wire.receive(m.PUBLISH)
        if topic in packet.topic:  # "#" gets what other tests publish, too
            came.append(packet.payload)
    assert came == [b"1", b"3"]


def test_an_alias_is_told_with_the_first_message_that_is_sent(wires, name):
    topic = name("alias")
    wire = wires(5, props=[(m.MAXIMUM_PACKET_SIZE, 200), (m.TOPIC_ALIAS_MAXIMUM, 5)])
    wire.subscribe((topic, 0))
    other = wires(5)
    for payload in (b"x" * 500, b"first", b"second"):  # the client does not take the large one
        other.publish(topic, payload)
    first, second = wire.receive(m.PUBLISH), wire.receive(m.PUBLISH)
    assert (first.payload, first.topic, first.props[m.TOPIC_ALIAS]) == (b"first", topic, 1)
    assert (second.payload, second.topic, second.props[m.TOPIC_ALIAS]) == (b"second", "", 1)


def test_a_subscription_is_replaced_by_one_to_the_same_filter(wires, name):
    topic = name("replaced")
    wire = wires(5)
    assert wire.subscribe((topic, 0), props=[(m.SUBSCRIPTION_ID, 1)]) == [0]
    assert wire.subscribe((topic, 1), props=[(m.SUBSCRIPTION_ID, 2)]) == [1]
    other = wires(5)
    other.publish(topic, b"x", qos=1)
    came = wire.receive(m.PUBLISH)
    assert (came.qos, came.props[m.SUBSCRIPTION_ID]) == (1, [2])
    wire.answered()


# --- the end ---

def test_a_broker_that_shuts_down_says_so(start_weir):
    server = start_weir()
    five, four = MqttWire(server.mqtt), MqttWire(server.mqtt, 4)
    five.connect()
    four.connect()
    assert server.stop() == 0
    assert five.end_code() == 0x8B and four.end_code() is None


def test_what_comes_after_disconnect_is_not_looked_at(wires, name):
    topic = name("after")
    wire, other = wires(5), wires(5)
    other.subscribe(topic)
    wire.send(packet(m.DISCONNECT, 0) + publish_packet(5, topic, b"late"))
    assert not wire.receive_until_end()
    wires(5).publish(topic, b"in time")
    assert other.receive(m.PUBLISH).payload == b"in time"
