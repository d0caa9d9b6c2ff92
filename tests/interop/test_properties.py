"""Properties that protocols have not in common: what becomes of them, and that they harm nobody."""

import pytest

from parties import Message

OTHERS = ["mqtt311", "mqtt5", "stomp"]


@pytest.fixture
def send(meet, name):
    """send("amqp091", "stomp", message): what the receiver gets."""

    def through(publisher, consumer, message):
        key = name("to")
        one, other = meet(publisher), meet(consumer)
        other.subscribe(key)
        one.publish(key, message)
        return other.next()

    return through


TYPED = {"number": 42, "negative": -7, "large": 2**40, "yes": True, "no": False, "text": "red",
         "table": {"inner": {"deep": 1}}, "list": [1, "two"], "nothing": None}


@pytest.mark.parametrize("consumer", ["mqtt5", "stomp"])
def test_numbers_and_truths_become_texts_and_tables_and_lists_are_left_out(send, consumer):
    got = send("amqp091", consumer, Message(b"x", headers=TYPED)).headers
    assert got == {"number": "42", "negative": "-7", "large": str(2**40), "yes": "true", "no": "false",
                   "text": "red"}


def test_headers_of_amqp_keep_their_types_among_clients_of_amqp(send):
    assert send("amqp091", "amqp091", Message(b"x", headers=TYPED)).headers == TYPED


@pytest.mark.parametrize("publisher", ["mqtt5", "stomp"])
def test_headers_come_to_amqp_as_texts(send, publisher):
    got = send(publisher, "amqp091", Message(b"x", headers={"number": 42, "yes": "true"})).headers
    assert got == {"number": "42", "yes": "true"}


@pytest.mark.parametrize("consumer", OTHERS)
@pytest.mark.parametrize("value", [b"\xff\xfe", "nul\x00"], ids=["no-utf8", "nul"])
def test_headers_that_are_no_plain_text_are_left_out_for_those_who_have_texts_alone(send, consumer, value):
    got = send("amqp091", consumer, Message(b"x", headers={"raw": value, "good": "yes"}))
    assert got.headers == ({} if consumer == "mqtt311" else {"good": "yes"})


def test_a_user_property_that_comes_twice_is_one_header_with_the_first_value(send):
    pairs = [("colour", "red"), ("colour", "blue"), ("size", "5")]
    for consumer in ("amqp091", "stomp"):
        got = send("mqtt5", consumer, Message(b"x", more={"UserProperty": pairs}))
        assert got.headers == {"colour": "red", "size": "5"}
    assert send("mqtt5", "mqtt5", Message(b"x", more={"UserProperty": pairs})).more["pairs"] == pairs


def test_a_header_with_a_name_that_is_too_long_for_amqp_has_it_cut(send):
    got = send("mqtt5", "amqp091", Message(b"x", headers={"n" * 300: "value"})).headers
    assert got == {"n" * 255: "value"}


@pytest.mark.parametrize("correlation", [b"\xff\x00\xfe", b"c" * 300], ids=["binary", "long"])
def test_correlation_data_that_no_property_of_amqp_takes_is_a_header_and_comes_back(meet, name, correlation):
    asker, service = meet("mqtt5"), meet("amqp091")
    there, back = name("there"), name("back")
    asker.subscribe(back)
    service.subscribe(there)
    asker.publish(there, Message(b"?", correlation_id=correlation, reply_to=back, headers={"a": "b"}))
    request = service.next()
    assert request.correlation_id is None
    assert as_bytes(request.headers["x-correlation-id"]) == correlation
    service.publish(request.reply_to, Message(b"!", headers={"x-correlation-id": request.headers["x-correlation-id"]}))
    reply = asker.next()
    assert (reply.correlation_id, reply.headers) == (correlation, {})


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode()


def test_correlation_data_that_is_no_text_does_not_reach_stomp(send):
    got = send("mqtt5", "stomp", Message(b"x", correlation_id=b"\xff\x00", headers={"a": "b"}))
    assert (got.correlation_id, got.headers) == (None, {"a": "b"})
    assert send("mqtt5", "stomp", Message(b"x", correlation_id="c" * 300)).correlation_id == "c" * 300


def test_what_only_amqp_has_are_user_properties_of_mqtt(send):
    only = {"message_id": "m-1", "app_id": "shop", "type": "order", "timestamp": 1_700_000_000, "priority": 7,
            "content_encoding": "gzip", "user_id": "guest", "cluster_id": "c"}
    got = send("amqp091", "mqtt5", Message(b"x", more=only))
    assert got.headers == {name: str(value) for name, value in only.items()}


def test_what_stomp_has_beside_is_that_of_amqp(send):
    got = send("stomp", "amqp091", Message(b"x", more={
        "amqp-message-id": "m-1", "app-id": "shop", "type": "order", "timestamp": 1_700_000_000, "priority": 7,
        "content-encoding": "gzip"}))
    assert got.headers == {}
    assert {name: got.more[name] for name in ("message_id", "app_id", "type", "timestamp", "priority",
                                              "content_encoding")} == {
        "message_id": "m-1", "app_id": "shop", "type": "order", "timestamp": 1_700_000_000, "priority": 7,
        "content_encoding": "gzip"}
    back = send("amqp091", "stomp", Message(b"x", more={"message_id": "m-2", "priority": 3, "timestamp": 5}))
    assert back.headers == {"amqp-message-id": "m-2", "priority": "3", "timestamp": "5"}


def test_headers_that_would_pass_for_the_frames_own_do_not_reach_stomp(send):
    forged = {"destination": "/queue/other", "message-id": "x", "subscription": "9", "content-length": "1",
              "persistent": "true", "good": "yes"}
    for publisher in ("amqp091", "mqtt5"):
        got = send(publisher, "stomp", Message(b"whole", headers=forged, persistent=False))
        assert (got.body, got.headers, got.persistent) == (b"whole", {"good": "yes"}, False)


def test_a_response_topic_is_a_destination_of_stomp(send):
    assert send("mqtt5", "stomp", Message(b"?", reply_to="replies.a/b")).reply_to == "/topic/replies.a%2Fb"


def test_a_destination_that_is_a_topic_is_a_response_topic(send):
    assert send("stomp", "mqtt5", Message(b"?", reply_to="replies.a/b")).reply_to == "replies.a/b"


def test_the_reply_to_of_stomp_is_its_destination_for_amqp_and_that_of_amqp_comes_as_it_is(send):
    assert send("stomp", "amqp091", Message(b"?", reply_to="replies.a")).reply_to == "/topic/replies.a"
    assert send("amqp091", "stomp", Message(b"?", reply_to="replies.a")).reply_to == "replies.a"
    assert send("mqtt5", "amqp091", Message(b"?", reply_to="replies.a")).reply_to == "replies.a"


@pytest.mark.parametrize("reply_to", ["with+plus", "all.#"])
def test_a_reply_to_that_no_topic_can_be_is_a_user_property(send, reply_to):
    got = send("amqp091", "mqtt5", Message(b"?", reply_to=reply_to))
    assert (got.reply_to, got.headers) == (None, {"reply_to": reply_to})


@pytest.mark.parametrize("consumer", ["mqtt311", "mqtt5"])
@pytest.mark.parametrize("key", ["with+plus", "with#hash", "nul\x00"], ids=["plus", "hash", "nul"])
def test_a_routing_key_that_no_topic_can_be_does_not_reach_mqtt(meet, name, consumer, key):
    root = name("bad").replace(".", "-")
    one, other = meet("amqp091"), meet(consumer)
    other.subscribe(f"{root}.+")
    one.publish(f"{root}.{key}", Message(b"bad"))
    one.publish(f"{root}.good", Message(b"good"))
    assert other.next().body == b"good"
    assert other.client.is_connected()


@pytest.mark.parametrize("consumer", ["mqtt5", "stomp", "amqp091"])
def test_what_has_expired_comes_to_nobody(meet, name, consumer):
    """Of a subscription that waits for its client."""
    subscription, key = name(f"late-{consumer}").replace(".", "-"), name("late")
    sleeper = meet(consumer, subscription)
    sleeper.subscribe(key)
    sleeper.close()
    publisher = meet("stomp")
    publisher.publish(key, Message(b"gone", ttl_ms=1))
    publisher.publish(key, Message(b"stays", ttl_ms=60_000))
    awake = meet(consumer, subscription)
    awake.subscribe(key)
    got = awake.next()
    assert got.body == b"stays"
    assert 0 < got.ttl_ms <= 60_000
