"""Messages that nobody wants, and what their headers tell; delivery limits; priorities."""

import time

import pika
import pytest

from harness.fixtures import close_quietly
from harness.waiting import wait_until

PERSISTENT = 2


@pytest.fixture
def open_channel():
    """open_channel(address): a pika channel in confirm mode."""
    connections = []

    def open_one(address):
        connection = pika.BlockingConnection(pika.ConnectionParameters(
            address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
        connections.append(connection)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    yield open_one
    for connection in connections:
        close_quietly(connection)


def publish(channel, queue, body, exchange="", **properties):
    channel.basic_publish(exchange, queue, body, pika.BasicProperties(delivery_mode=PERSISTENT, **properties))


def get(channel, queue):
    """The next message, waited for: (delivery tag, properties, body)."""

    def one():
        method, properties, body = channel.basic_get(queue)
        return method and (method.delivery_tag, properties, body)

    return wait_until(one, f"a message in {queue}")


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def dead_letters_to(queue, **more):
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue, **more}


def test_a_rejected_message_tells_its_story(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, dead, exchange = name(), name("dead"), name("x")
    channel.exchange_declare(exchange, "topic")
    channel.queue_declare(dead, durable=True)
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(dead))
    channel.queue_bind(queue, exchange, "#")
    publish(channel, "some.key", b"body", exchange=exchange, headers={"mine": 7}, content_type="text/plain")
    tag, _, _ = get(channel, queue)
    begun = time.time()
    channel.basic_reject(tag, requeue=False)
    _, properties, body = get(channel, dead)
    assert body == b"body" and properties.content_type == "text/plain" and properties.headers["mine"] == 7
    (death,) = properties.headers["x-death"]
    assert abs(death.pop("time").timestamp() - begun) < 60
    assert death == {"count": 1, "reason": "rejected", "queue": queue, "exchange": exchange,
                     "routing-keys": ["some.key"]}
    assert properties.headers["x-first-death-reason"] == "rejected"
    assert properties.headers["x-first-death-queue"] == queue
    assert properties.headers["x-first-death-exchange"] == exchange


def test_an_expired_message_leaves_its_time_to_live_behind(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, dead = name(), name("dead")
    channel.queue_declare(dead, durable=True)
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(dead))
    publish(channel, queue, b"body", expiration="100")
    _, properties, _ = get(channel, dead)
    (death,) = properties.headers["x-death"]
    assert death["reason"] == "expired" and death["original-expiration"] == "100"
    assert properties.expiration is None


def test_a_message_goes_round_between_work_and_waiting(broker, open_channel, name):
    channel = open_channel(broker.address)
    work, wait = name("work"), name("wait")
    channel.queue_declare(work, durable=True, arguments=dead_letters_to(wait))
    channel.queue_declare(wait, durable=True, arguments=dead_letters_to(work, **{"x-message-ttl": 50}))
    publish(channel, work, b"body")
    for again in range(4):
        tag, properties, _ = get(channel, work)
        if again:
            counts = {(death["queue"], death["reason"]): death["count"] for death in properties.headers["x-death"]}
            assert counts == {(work, "rejected"): again, (wait, "expired"): again}
            assert properties.headers["x-death"][0]["queue"] == wait
        channel.basic_nack(tag, requeue=False)


def test_what_nobody_rejected_does_not_go_in_circles(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue = name()
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(queue, **{"x-message-ttl": 50}))
    publish(channel, queue, b"body")
    wait_until(lambda: count(channel, queue) == 0, "it has gone")


def test_what_makes_room_is_dead_lettered(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, dead = name(), name("dead")
    channel.queue_declare(dead, durable=True)
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(dead, **{"x-max-length": 1}))
    publish(channel, queue, b"old")
    publish(channel, queue, b"new")
    _, properties, body = get(channel, dead)
    assert body == b"old" and properties.headers["x-death"][0]["reason"] == "maxlen"
    assert get(channel, queue)[2] == b"new"


def test_what_finds_no_room_is_dead_lettered(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, dead = name(), name("dead")
    channel.queue_declare(dead, durable=True)
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(
        dead, **{"x-max-length": 1, "x-overflow": "reject-publish-dlx"}))
    publish(channel, queue, b"old")
    with pytest.raises(pika.exceptions.NackError):
        publish(channel, queue, b"new")
    _, properties, body = get(channel, dead)
    assert body == b"new" and properties.headers["x-death"][0]["reason"] == "maxlen"


def test_dead_letters_are_routed_by_their_headers(weir, open_channel, name):
    channel = open_channel(weir.address)
    queue, red, blue, exchange = name(), name("red"), name("blue"), name("x")
    channel.exchange_declare(exchange, "headers")
    for bound in (red, blue):
        channel.queue_declare(bound, durable=True)
        channel.queue_bind(bound, exchange, "", {"x-match": "all", "colour": bound})
    channel.queue_declare(queue, durable=True, arguments={"x-dead-letter-exchange": exchange})
    publish(channel, queue, b"body", headers={"colour": blue})
    tag, _, _ = get(channel, queue)
    channel.basic_reject(tag, requeue=False)
    assert get(channel, blue)[2] == b"body"
    assert count(channel, red) == 0


def test_a_delivery_limit_ends_a_poison_message(broker, open_channel, name):
    channel = open_channel(broker.address)
    queue, dead = name(), name("dead")
    channel.queue_declare(dead, durable=True)
    channel.queue_declare(queue, durable=True, arguments=dead_letters_to(
        dead, **{"x-queue-type": "quorum", "x-delivery-limit": 2}))
    publish(channel, queue, b"poison")
    for returned in range(3):
        tag, properties, _ = get(channel, queue)
        assert (properties.headers or {}).get("x-delivery-count", 0) == returned
        channel.basic_nack(tag, requeue=True)
    _, properties, body = get(channel, dead)
    assert body == b"poison" and properties.headers["x-death"][0]["reason"] == "delivery_limit"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_returns_are_counted_over_a_restart(start_weir, open_channel, how):
    server = start_weir()
    channel = open_channel(server.address)
    channel.queue_declare("q", durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 2})
    publish(channel, "q", b"poison")
    for returned in range(3):
        tag, properties, _ = get(channel, "q")
        assert (properties.headers or {}).get("x-delivery-count", 0) == returned
        channel.basic_nack(tag, requeue=True)
        publish(channel, "q", b"behind")  # its confirm covers the return
        getattr(server, how)()
        server.start()
        channel = open_channel(server.address)
    assert get(channel, "q")[2] == b"behind"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_at_least_once_keeps_what_has_nowhere_to_go(start_weir, open_channel, how):
    server = start_weir()
    channel = open_channel(server.address)
    channel.queue_declare("q", durable=True, arguments=dead_letters_to("dead", **{
        "x-queue-type": "quorum", "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}))
    for number in range(20):
        publish(channel, "q", b"%d" % number)
    for number in range(10):
        tag, _, _ = get(channel, "q")
        channel.basic_reject(tag, requeue=False)
    publish(channel, "q", b"20")  # its confirm covers the rejections
    getattr(server, how)()
    server.start()
    channel = open_channel(server.address)
    assert count(channel, "q") == 11
    channel.queue_declare("dead", durable=True)
    wait_until(lambda: count(channel, "dead") == 10, "they have found their queue")
    assert sorted(get(channel, "dead")[2] for _ in range(10)) == sorted(b"%d" % number for number in range(10))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_more_urgent_message_goes_first(start_weir, open_channel, how):
    server = start_weir()
    channel = open_channel(server.address)
    channel.queue_declare("q", durable=True, arguments={"x-max-priority": 10})
    for priority in (1, 5, 0, 10, 200, 5):
        publish(channel, "q", b"%d" % priority, priority=priority)
    publish(channel, "q", b"none")
    assert get(channel, "q")[2] == b"10"
    getattr(server, how)()
    server.start()
    channel = open_channel(server.address)
    assert [get(channel, "q")[2] for _ in range(7)] == [b"10", b"200", b"5", b"5", b"1", b"0", b"none"]


def dead_letter_by_copies(channel, name, **arguments):
    """What comes of a message with CC and BCC that is rejected: the queues that got it, and its headers there."""
    source, entry, dead = name(), name("in"), name("dead")
    channel.exchange_declare(entry, "fanout")
    channel.exchange_declare(dead, "direct")
    channel.queue_declare(source, durable=True, arguments={"x-dead-letter-exchange": dead, **arguments})
    channel.queue_bind(source, entry)
    queues = {key: name(key) for key in ("own", "copy", "blind", "fixed")}
    for key, queue in queues.items():
        channel.queue_declare(queue, durable=True)
        channel.queue_bind(queue, dead, key)
    publish(channel, "own", b"x", exchange=entry, headers={"CC": ["copy", "nowhere"], "BCC": ["blind"], "mine": 1})
    tag, properties, _ = get(channel, source)
    assert properties.headers == {"CC": ["copy", "nowhere"], "mine": 1}
    channel.basic_reject(tag, requeue=False)
    arrived = ["fixed"] if arguments else ["own", "copy", "blind"]
    told = {key: get(channel, queues[key])[1].headers for key in arrived}
    assert all(count(channel, queue) == 0 for queue in queues.values())
    return told


def test_a_dead_letter_goes_by_all_its_keys(broker, open_channel, name):
    for headers in dead_letter_by_copies(open_channel(broker.address), name).values():
        assert headers["CC"] == ["copy", "nowhere"] and "BCC" not in headers
        assert headers["x-death"][0]["routing-keys"] == ["own", "copy", "nowhere"]


def test_a_queues_own_key_takes_the_place_of_all_others(broker, open_channel, name):
    told = dead_letter_by_copies(open_channel(broker.address), name, **{"x-dead-letter-routing-key": "fixed"})
    assert "CC" not in told["fixed"] and told["fixed"]["mine"] == 1
    assert told["fixed"]["x-death"][0]["routing-keys"] == ["own", "copy", "nowhere"]


def test_copies_stay_copies_from_death_to_death(broker, open_channel, name):
    channel = open_channel(broker.address)
    first, second, last = name("first"), name("second"), name("last")
    between, end = name("between"), name("end")
    channel.exchange_declare(between, "fanout")
    channel.exchange_declare(end, "direct")
    channel.queue_declare(first, durable=True, arguments={"x-dead-letter-exchange": between})
    channel.queue_declare(second, durable=True, arguments={"x-dead-letter-exchange": end})
    channel.queue_declare(last, durable=True)
    channel.queue_bind(second, between)
    channel.queue_bind(last, end, "hidden")
    publish(channel, first, b"x", headers={"BCC": ["hidden"]})
    for queue in (first, second):
        tag, _, _ = get(channel, queue)
        channel.basic_reject(tag, requeue=False)
    _, properties, _ = get(channel, last)
    assert [death["queue"] for death in properties.headers["x-death"]] == [second, first]
