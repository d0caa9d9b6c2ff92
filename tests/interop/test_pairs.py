"""What one protocol publishes and another one receives: bodies, order, keys, properties, for every pair of them."""

import pytest

from parties import PARTIES, Message

BINARY = bytes(range(256)) + b"\x00\x00\xff\xfe\n\r\n\x00"


@pytest.fixture
def pair(meet, name, publisher, consumer):
    """A publisher, a consumer that is subscribed, and their routing key."""
    key = name("colour.red")
    one, other = meet(publisher), meet(consumer)
    other.subscribe(key)
    return one, other, key


def both_carry(pair, what):
    one, other, _key = pair
    return what in one.carries and what in other.carries


def through(pair, message):
    one, other, key = pair
    one.publish(key, message)
    return other.next()


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("body", [b"text", b"", BINARY, b"\xc3\x28 is no UTF-8", b"\x00"],
                         ids=["text", "empty", "binary", "no-utf8", "nul"])
def test_a_body_comes_byte_for_byte(pair, body):
    assert through(pair, Message(body)).body == body


@pytest.mark.parametrize("persistent", [True, False], ids=["persistent", "transient"])
def test_a_large_body_comes_byte_for_byte(pair, persistent):
    body = BINARY * (2**20 // len(BINARY)) + b"end"
    got = through(pair, Message(body, persistent=persistent))
    assert len(got.body) == len(body)
    assert got.body == body
    assert got.persistent == persistent


def test_whether_it_is_persistent_is_known_to_the_receiver(pair):
    assert through(pair, Message(b"1", persistent=True)).persistent
    assert not through(pair, Message(b"2", persistent=False)).persistent


def test_messages_of_one_publisher_come_in_their_order(pair):
    one, other, key = pair
    one.publish_quickly(key, [Message(str(number).encode(), persistent=number % 3 == 0) for number in range(100)])
    assert [int(other.next().body) for _ in range(100)] == list(range(100))


@pytest.mark.parametrize("key", ["plain", "a.b.c", "with/slash.and.dots", ".led", "trails.", "ümlaut.ß",
                                 "per%cent.25"])
def test_a_routing_key_comes_as_it_was(meet, name, publisher, consumer, key):
    whole = name("k") + "." + key
    other = meet(consumer)
    other.subscribe(whole)
    meet(publisher).publish(whole, Message(b"x"))
    assert other.next().key == whole


def test_wildcards_of_each_protocol_match_levels_of_the_other(meet, name, publisher, consumer):
    root = name("w").replace(".", "-")
    one, other = meet(publisher), meet(consumer)
    wild = {"mqtt311": "+", "mqtt5": "+"}.get(consumer, "*")
    other.subscribe(f"{root}.{wild}.end")
    for key in ("a.b.end", "a.other", "a.end", "b.end"):
        one.publish(f"{root}.{key}", Message(key.encode()))
    assert [other.next().body, other.next().body] == [b"a.end", b"b.end"]
    assert other.nothing_waits()


def test_a_content_type_comes_where_both_have_one(pair):
    got = through(pair, Message(b"{}", content_type="application/json")).content_type
    assert got == ("application/json" if both_carry(pair, "content_type") else None)


def test_a_correlation_id_comes_where_both_have_one(pair):
    got = through(pair, Message(b"?", correlation_id="request-7")).correlation_id
    assert as_text(got) == ("request-7" if both_carry(pair, "correlation_id") else None)


def test_a_time_to_live_comes_where_both_have_one(pair):
    got = through(pair, Message(b"soon", ttl_ms=600_000)).ttl_ms
    assert got == (600_000 if both_carry(pair, "ttl_ms") else None)


def test_who_asks_gets_its_reply_where_both_can_say_where_to(meet, name, publisher, consumer):
    asker, service = meet(publisher), meet(consumer)
    requests, replies = name("requests.all"), name("replies.mine/1")
    asker.subscribe(replies)
    service.subscribe(requests)
    asker.publish(requests, Message(b"?", reply_to=replies, correlation_id="c-1"))
    request = service.next()
    if not both_carry((asker, service, requests), "reply_to"):
        assert request.reply_to is None
        return
    service.reply(request, Message(b"!", correlation_id=request.correlation_id))
    reply = asker.next()
    assert (reply.body, as_text(reply.correlation_id)) == (b"!", "c-1")


def test_headers_that_are_texts_come_where_both_have_some(pair):
    headers = {"colour": "red", "näme": "wörth: a\\b\nc"}
    got = through(pair, Message(b"x", headers=headers)).headers
    assert got == (headers if both_carry(pair, "headers") else {})


@pytest.mark.parametrize("publisher", [name for name, party in PARTIES.items() if "headers" in party.carries])
def test_headers_that_route_are_those_of_any_protocol(meet, name, publisher):
    """A headers exchange behind amq.topic."""
    one, other = meet(publisher), meet("amqp091")
    key, exchange = name("routed"), name("headers")
    other.subscribe(None)
    other.channel.exchange_declare(exchange, "headers", auto_delete=True)
    other.channel.exchange_bind(exchange, "amq.topic", key)
    other.channel.queue_bind(other.queue, exchange, "", {"x-match": "all", "colour": "red"})
    one.publish(key, Message(b"blue", headers={"colour": "blue"}))
    one.publish(key, Message(b"red", headers={"colour": "red"}))
    assert other.next().body == b"red"
