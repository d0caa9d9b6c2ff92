"""Selectors of STOMP subscriptions: what matches comes, and what does not is done with, where it harms nobody."""

import pika
import pytest

from harness.stomp_wire import StompWire
from harness.waiting import holds_for, wait_until


@pytest.fixture
def wire(weir):
    """wire(): one more connected client."""
    open_ones = []

    def connect(**headers):
        open_ones.append(StompWire(weir.stomp))
        open_ones[-1].connect(**headers)
        return open_ones[-1]

    yield connect
    for one in open_ones:
        one.close()


@pytest.fixture
def channel(weir):
    connection = pika.BlockingConnection(pika.ConnectionParameters(weir.address.host, weir.address.port))
    yield connection.channel()
    connection.close()


def subscribe(client, destination, selector, number="1", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client.send("SUBSCRIBE", {"id": number, "destination": destination, "selector": selector, "receipt": "subscribed", **named})
    frame = client.receive()
    assert frame.command == "RECEIPT", (frame.headers, frame.body)


def send(client, destination, body, **headers):
    client.send("SEND", {"destination": destination, "content-length": len(body), **headers}, body)


def synced(client):
    """All that was sent before has been handled."""
    client.send("BEGIN", {"transaction": "t", "receipt": "begun"})
    client.send("ABORT", {"transaction": "t"})
    frame = client.receive()
    assert (frame.command, frame.headers.get("receipt-id")) == ("RECEIPT", "begun"), frame


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("ack", ["auto", "client", "client-individual"])
def test_a_subscription_gets_what_its_selector_matches_in_order(wire, name, version, ack):
    topic = "/topic/" + name("t").replace("-", ".")
    client, sender = wire(version=version), wire()
    subscribe(client, topic, "color = 'red' AND size > 9", ack=ack, prefetch_count="1")
    for number in range(40):
        send(sender, topic, b"%d" % number, color="red" if number % 4 == 0 else "blue", size=str(number))
    for number in range(12, 40, 4):
        message = client.receive()
        assert message.body == b"%d" % number
        if ack != "auto":
            key = "id" if version == "1.2" else "message-id"
            client.send("ACK", {key: message.headers["ack" if version == "1.2" else "message-id"], "subscription": "1"})
    synced(client)


def test_what_is_passed_over_is_done_with(wire, admin, name):
    topic = "/topic/" + name("t").replace("-", ".")
    client, sender = wire(), wire()
    subscribe(client, topic, "wanted", ack="client-individual", durable="true", auto_delete="false")
    for number in range(3_000):
        send(sender, topic, b"%d" % number, wanted=str(number == 2_999).lower(), persistent="true")
    assert client.receive().body == b"2999"
    queue = next(one["destination"] for one in admin.get("/bindings") if one["routing_key"] == topic[7:])
    wait_until(lambda: admin.get(f"/queues/%2F/{queue}").get("messages") == 1, "the one that is not acknowledged")
    client.send("UNSUBSCRIBE", {"id": "1", "durable": "true", "auto-delete": "false", "receipt": "gone"})
    assert client.receive().command == "RECEIPT"


def test_a_durable_subscription_chooses_among_what_waited_for_it(wire, name):
    topic = "/topic/" + name("t").replace("-", ".")
    headers = {"durable": "true", "auto_delete": "false", "ack": "client-individual"}
    first, sender = wire(), wire()
    subscribe(first, topic, "n > 0", **headers)
    first.send("DISCONNECT", {"receipt": "bye"})
    assert [frame.command for frame in first.receive_until_end()] == ["RECEIPT"]
    for number in range(10):
        send(sender, topic, b"%d" % number, n=str(number), persistent="true", receipt=str(number))
        assert sender.receive().command == "RECEIPT"
    again = wire()
    subscribe(again, topic, "n BETWEEN 3 AND 4", **headers)
    assert [again.receive().body for _ in range(2)] == [b"3", b"4"]
    second = wire()
    second.send("SUBSCRIBE", {"id": "1", "destination": topic, "selector": "n = 1", "durable": "true", "auto-delete": "false"})
    frame = second.receive()
    assert (frame.command, frame.headers["message"]) == ("ERROR", "access_refused"), "two would pass over what is the other's"
    again.send("UNSUBSCRIBE", {"id": "1", "durable": "true", "auto-delete": "false", "receipt": "gone"})
    assert again.receive().command == "RECEIPT"


def test_large_messages_that_are_passed_over_leave_the_way_free(wire, name):
    topic = "/topic/" + name("t").replace("-", ".")
    client, sender = wire(), wire()
    subscribe(client, topic, "wanted = 'yes'")
    for number in range(20):
        send(sender, topic, b"%02d" % number * 200_000, wanted="yes" if number == 19 else "no", persistent="true")
    assert client.receive().body == b"19" * 200_000


def test_properties_of_amqp_have_their_types(wire, channel, name):
    exchange = name("x")
    channel.exchange_declare(exchange, "fanout")
    client = wire()
    selector = ("count > 4 AND text = '5' AND flag AND NOT text > 1 AND \"content-type\" LIKE 'text/%' AND JMSPriority = 3 AND "
                "persistent AND none IS NULL AND \"it's\" IS NOT NULL AND destination LIKE '/exchange/%'")
    subscribe(client, "/exchange/" + exchange, selector)
    for count in (4, 5):
        channel.basic_publish(exchange, "k", b"%d" % count, pika.BasicProperties(
            headers={"count": count, "text": "5", "flag": True, "it's": 1}, content_type="text/plain", priority=3, delivery_mode=2))
    assert client.receive().body == b"5"
    channel.exchange_delete(exchange)


def test_headers_of_stomp_are_numbers_where_they_are_compared_with_one(wire, name):
    topic = "/topic/" + name("t").replace("-", ".")
    client = wire()
    subscribe(client, topic, "price * 2 = 25 AND price = '12.50' AND note = 'a:b' AND \"a:b\" = 'c'")
    client.send("SEND", [("destination", topic), ("price", "12.50"), ("note", "a\\cb"), ("a\\cb", "c")], b"this")
    assert client.receive().body == b"this"


def test_who_only_looks_may_choose_in_any_queue(wire, channel, name):
    queue = name()
    client = wire()
    channel.queue_declare(queue, durable=True)
    for number in range(20):
        send(client, "/queue/" + queue, b"%d" % number, n=str(number))
    subscribe(client, "/queue/" + queue, "n > 16", **{"x_browse": "true"})
    assert [client.receive().body for _ in range(3)] == [b"17", b"18", b"19"]
    holds_for(lambda: channel.queue_declare(queue, passive=True).method.message_count == 20, "all of them are there", 0.2)
    channel.queue_delete(queue)


@pytest.mark.parametrize("headers,detail", [
    ({"destination": "/topic/x", "selector": "color = 'red' AND"}, "selector: a property or a value is expected, at character 18"),
    ({"destination": "/topic/x", "selector": "color >> 5"}, "selector: a property or a value is expected, at character 8"),
    ({"destination": "/topic/x", "selector": "(" * 100}, "selector: it is nested too deeply, at character 65"),
    ({"destination": "/topic/x", "selector": "a" * 5_000}, "selector: it is longer than 4096 bytes, at character 4097"),
    ({"destination": "/queue/x", "selector": "color = 'red'"}, "'selector' is for /topic and /exchange"),
    ({"destination": "/topic/x", "selector": "a = 1", "x-queue-name": "shared"}, "leave 'x-queue-name' out"),
], ids=lambda value: None if isinstance(value, str) else str(value)[:60])
def test_a_selector_that_is_no_good_is_refused_with_the_reason(wire, headers, detail):
    client = wire()
    client.send("SUBSCRIBE", {"id": "1", **headers})
    frame = client.receive()
    assert (frame.command, frame.headers["message"]) == ("ERROR", "Invalid header")
    assert detail in frame.body.decode()
