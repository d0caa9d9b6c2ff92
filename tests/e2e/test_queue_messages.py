"""The management API beyond RabbitMQ's: messages of a queue are looked at, searched, moved, copied and removed."""

import json
import time
from dataclasses import replace
from urllib.parse import unquote

import pika
import pytest
from harness.management import segment
from harness.waiting import wait_until
from harness.wire import connected


@pytest.fixture
def vhost(admin, name):
    path = segment(name("vhost"))
    admin.done("PUT", f"/vhosts/{path}")
    yield path
    admin.done("DELETE", f"/vhosts/{path}")


@pytest.fixture
def channel(broker, vhost):
    port = broker.address.port
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, virtual_host=unquote(vhost)))
    opened = connection.channel()
    opened.confirm_delivery()
    yield opened
    connection.close()


def put(channel, queue, body, key=None, exchange="", **properties):
    properties.setdefault("delivery_mode", 2)
    channel.basic_publish(exchange, key or queue, body, pika.BasicProperties(**properties))


def bodies(answer):
    return [one["payload"] for one in answer["messages"]]


def drain(channel, queue):
    got = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return got
        got.append(body.decode())


def steps(admin, path, body, most=1000):
    """The answers of a call that is repeated until it is done."""
    answers, token = [], None
    for _ in range(most):
        answers.append(admin.done("POST", path, {**body, "token": token}).json)
        token = answers[-1]["token"]
        if answers[-1]["done"]:
            assert token is None
            return answers
    raise AssertionError("it does not end")


# --- looking ---


def test_browsing_shows_any_place_of_a_queue_and_changes_nothing(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    for number in range(10):
        put(channel, "q", f"m{number}", headers={"n": number})
    held, _, _ = channel.basic_get("q")
    path = f"/queues/{vhost}/q/messages"
    first = admin.get(path + "?page_size=3")
    assert bodies(first) == ["m0", "m1", "m2"] and not first["done"]
    assert [one["state"] for one in first["messages"]] == ["unacknowledged", "ready", "ready"]
    assert first["progress"]["of"] == 10
    second = admin.get(path + f"?page_size=300&token={first['token']}")
    assert bodies(second) == [f"m{number}" for number in range(3, 10)] and second["done"] and second["token"] is None
    assert second["messages"][0]["properties"] == {"delivery_mode": 2, "headers": {"n": 3}}
    assert bodies(admin.get(path + "?from=last")) == ["m9"]
    assert bodies(admin.get(path + "?from=-3")) == ["m7", "m8", "m9"]
    sequence = second["messages"][2]["sequence"]
    assert bodies(admin.get(path + f"?from={sequence}&page_size=1")) == ["m5"]
    assert bodies(admin.get(path + "?from=next")) == []
    assert bodies(admin.get(path + "?from=2020-01-01T00:00:00Z&page_size=1")) == ["m0"]
    assert bodies(admin.get(path + "?from=2120-01-01T00:00:00%2B02:00")) == []
    channel.basic_nack(held.delivery_tag)
    assert channel.basic_get("q")[0].redelivered  # by the nack
    assert not channel.basic_get("q")[0].redelivered


def test_bodies_are_cut_and_large_ones_are_read_only_as_far_as_that(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    put(channel, "q", "é" * 10)
    put(channel, "q", b"\x00\xff" * 10)
    put(channel, "q", b"x" * 1_000_000)
    shown = admin.get(f"/queues/{vhost}/q/messages?truncate=5")["messages"]
    assert [(one["payload"], one["payload_bytes"], one["payload_truncated"]) for one in shown] == [
        ("éé", 20, True), ("AP8A/wA=", 20, True), ("xxxxx", 1_000_000, True)]
    assert shown[1]["payload_encoding"] == "base64"
    whole = admin.get(f"/queues/{vhost}/q/messages?truncate=2000000&encoding=base64")["messages"]
    assert len(whole[2]["payload"]) > 1_300_000 and not whole[2]["payload_truncated"]


@pytest.mark.parametrize("query, reason", [
    ("from=nowhere", "from is first, last, next, a sequence number, or a time"),
    ("token=abc", "the token is none that this API gave"),
    ("token=1-1-1-1-1-1-1-1-1", "the token is none that this API gave"),
    ("page_size=0", "page_size must be a number from 1 on"),
    ("max_time_ms=x", "max_time_ms must be a number from 1 on"),
    ("encoding=x", "Unsupported encoding. Please use auto or base64."),
])
def test_what_is_asked_wrongly_is_refused(admin, vhost, channel, query, reason):
    channel.queue_declare("q")
    assert admin.refused("GET", f"/queues/{vhost}/q/messages?{query}") == ("bad_request", reason)


def test_a_token_is_of_one_queue_alone(admin, vhost, channel):
    channel.queue_declare("q")
    for _ in range(3):
        put(channel, "q", "x")
    token = admin.get(f"/queues/{vhost}/q/messages?page_size=1")["token"]
    channel.queue_delete("q")
    assert admin.refused("GET", f"/queues/{vhost}/q/messages?token={token}", status=404)[0] == "not_found"
    channel.queue_declare("q")
    error, reason = admin.refused("GET", f"/queues/{vhost}/q/messages?token={token}")
    assert reason.startswith("queue 'q' in vhost ") and reason.endswith(" is another one by now")


# --- searching ---


def filled(channel):
    channel.exchange_declare("ex", "topic")
    channel.queue_declare("q", durable=True)
    channel.queue_bind("q", "ex", "#")
    put(channel, "q", '{"customer": {"id": 42}, "items": [{"sku": "A"}, {"sku": "B"}]}', "orders.eu.new", "ex",
        message_id="m1", headers={"tenant": "t1", "try": 3})
    put(channel, "q", '{"customer": {"id": 43}, "total": 9.5, "note": "very urgent"}', "orders.us.new", "ex",
        message_id="m2", correlation_id="c", headers={"tenant": "t2"}, type="order", app_id="shop", priority=4)
    put(channel, "q", "plain text", message_id="m3", delivery_mode=1)


@pytest.mark.parametrize("wanted, found", [
    ({}, ["m1", "m2", "m3"]),
    ({"headers": {"tenant": "t1"}}, ["m1"]),
    ({"headers": {"tenant": None}}, ["m1", "m2"]),
    ({"headers": {"try": 3}}, ["m1"]),
    ({"headers": {"try": "3"}}, ["m1"]),
    ({"headers": {"try": 4}}, []),
    ({"routing_key": "orders.eu.new"}, ["m1"]),
    ({"routing_key": "orders.*.new"}, ["m1", "m2"]),
    ({"routing_key": "#.new"}, ["m1", "m2"]),
    ({"routing_key": "orders.#.eu.#"}, ["m1"]),
    ({"exchange": "ex"}, ["m1", "m2"]),
    ({"exchange": "amq.default"}, ["m3"]),
    ({"properties": {"message_id": "m3"}}, ["m3"]),
    ({"properties": {"correlation_id": "c", "type": "order", "app_id": "shop", "priority": 4}}, ["m2"]),
    ({"properties": {"delivery_mode": "1"}}, ["m3"]),
    ({"body_contains": "urgent"}, ["m2"]),
    ({"json": "$.customer.id == 42"}, ["m1"]),
    ({"json": ["$.customer.id > 42", "$.note ~ \"urgent\""]}, ["m2"]),
    ({"json": "$.items[*].sku == \"B\""}, ["m1"]),
    ({"json": "$.total"}, ["m2"]),
    ({"redelivered": True}, []),
    ({"received_from": "2020-01-01T00:00:00Z", "received_to": 4102444800000}, ["m1", "m2", "m3"]),
    ({"received_to": "2020-01-01T00:00:00Z"}, []),
    ({"received_from": "2120-01-01T00:00:00Z"}, []),
    ({"dead_letter": {}}, []),
])
def test_searching_finds_what_the_filter_says(admin, vhost, channel, wanted, found):
    filled(channel)
    answer = admin.done("POST", f"/queues/{vhost}/q/search", {"filter": wanted}).json
    assert [one["properties"]["message_id"] for one in answer["messages"]] == found
    assert answer["progress"]["found"] == len(found) and answer["done"]


def test_a_search_goes_in_steps_with_progress(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    for number in range(300):
        put(channel, "q", f"m{number}", delivery_mode=1)
    answers = steps(admin, f"/queues/{vhost}/q/search", {"filter": {"body_contains": "7"}, "max_messages": 50})
    assert [answer["progress"]["looked_at"] for answer in answers] == [50, 100, 150, 200, 250, 300]
    assert all(answer["progress"]["of"] == 300 for answer in answers)
    found = sum((bodies(answer) for answer in answers), [])
    assert found == [f"m{number}" for number in range(300) if "7" in str(number)]
    counted = admin.done("POST", f"/queues/{vhost}/q/search",
                         {"filter": {"body_contains": "7"}, "count_only": True}).json
    assert (counted["messages"], counted["progress"]["found"]) == ([], len(found))


def test_large_bodies_are_not_searched_and_that_is_said(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    put(channel, "q", b"x" * 300_000)
    put(channel, "q", b"y" * 1_200_000, delivery_mode=1)
    put(channel, "q", b"x" * 200_000)
    answer = admin.done("POST", f"/queues/{vhost}/q/search", {"filter": {"body_contains": "x"}}).json
    assert [one["payload_bytes"] for one in answer["messages"]] == [200_000]
    assert answer["bodies_not_searched"] == 2


@pytest.mark.parametrize("wanted, reason", [
    ({"nope": 1}, "filter: there is no condition 'nope'"),
    ({"properties": {"nope": "x"}}, "filter: there is no property 'nope'"),
    ({"json": "$.a =="}, "JSON condition, at byte 6: what it is compared with is no JSON scalar"),
    ({"json": "a"}, "JSON condition, at byte 0: a path begins with '$'"),
    ({"received_from": "yesterday"}, "not a time: 'yesterday'; Unix milliseconds or a time such as 2026-01-31T12:00:00Z are wanted"),
])
def test_a_filter_that_means_nothing_is_refused(admin, vhost, channel, wanted, reason):
    channel.queue_declare("q")
    for call in ("search", "remove"):
        assert admin.refused("POST", f"/queues/{vhost}/q/{call}", {"filter": wanted}) == ("bad_request", reason)


# --- moving, copying, removing ---


def test_moving_publishes_elsewhere_and_settles_here(admin, vhost, channel):
    filled(channel)
    channel.queue_declare("target", durable=True)
    path = f"/queues/{vhost}/q/move"
    answer = admin.done("POST", path, {"filter": {"headers": {"tenant": "t2"}}, "to": {"queue": "target"}}).json
    assert (answer["moved"], answer["unroutable"], answer["done"]) == (1, 0, True)
    method, properties, body = channel.basic_get("target", auto_ack=True)
    assert (method.exchange, method.routing_key, method.redelivered) == ("", "target", False)
    assert (properties.message_id, properties.headers, properties.priority) == ("m2", {"tenant": "t2"}, 4)
    assert json.loads(body)["total"] == 9.5
    channel.queue_bind("target", "amq.direct", "orders.eu.new")
    answer = admin.done("POST", path, {"to": {"exchange": "amq.direct"}}).json
    assert (answer["moved"], answer["unroutable"], answer["done"]) == (1, 1, True)
    method, _, _ = channel.basic_get("target", auto_ack=True)
    assert (method.exchange, method.routing_key) == ("amq.direct", "orders.eu.new")
    assert drain(channel, "q") == ["plain text"]


def test_moving_goes_in_steps_up_to_a_limit(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    channel.queue_declare("target", durable=True)
    for number in range(100):
        put(channel, "q", f"m{number}")
    answers = steps(admin, f"/queues/{vhost}/q/move", {"to": {"queue": "target"}, "limit": 70, "max_messages": 30})
    assert [answer["moved"] for answer in answers] == [30, 60, 70]
    assert drain(channel, "target") == [f"m{number}" for number in range(70)]
    assert drain(channel, "q") == [f"m{number}" for number in range(70, 100)]


def test_copying_leaves_the_originals(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    channel.queue_declare("target", durable=True)
    put(channel, "q", "a")
    put(channel, "q", b"b" * 400_000)
    answer = admin.done("POST", f"/queues/{vhost}/q/copy", {"to": {"queue": "target"}}).json
    assert answer["copied"] == 2
    assert [len(body) for body in drain(channel, "target")] == [1, 400_000]
    assert [len(body) for body in drain(channel, "q")] == [1, 400_000]


def test_dead_letters_are_redriven_to_where_they_died(admin, vhost, channel):
    channel.queue_declare("dead", durable=True)
    for queue in ("work1", "work2"):
        channel.queue_declare(queue, durable=True, arguments={
            "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
        put(channel, queue, "of " + queue)
        method, _, _ = channel.basic_get(queue)
        channel.basic_reject(method.delivery_tag, requeue=False)
    put(channel, "dead", "never died")
    until(lambda: channel.queue_declare("dead", passive=True).method.message_count == 3)
    path = f"/queues/{vhost}/dead/move"
    of_one = {"dead_letter": {"queue": "work2", "reason": "rejected"}}
    assert admin.done("POST", path, {"filter": of_one, "to": {"redrive": "last"}}).json["moved"] == 1
    answer = admin.done("POST", path, {"to": {"redrive": "first"}}).json
    assert (answer["moved"], answer["never_died"]) == (1, 1)
    method, properties, body = channel.basic_get("work1", auto_ack=True)
    assert body == b"of work1" and properties.headers["x-death"][0]["queue"] == "work1"
    assert drain(channel, "work2") == ["of work2"]
    assert drain(channel, "dead") == ["never died"]


def until(condition):
    wait_until(condition, "what the test waits for")


def test_removing_takes_away_what_passes(admin, vhost, channel):
    channel.queue_declare("q", durable=True)
    for number in range(20):
        put(channel, "q", f"m{number}")
    answers = steps(admin, f"/queues/{vhost}/q/remove", {"filter": {"body_contains": "1"}, "max_messages": 15})
    assert answers[-1]["removed"] == 11
    assert drain(channel, "q") == ["m0"] + [f"m{number}" for number in range(2, 10)]


@pytest.mark.parametrize("body, reason", [
    ({}, "to must be an object: exchange and routing_key, queue, or redrive"),
    ({"to": {}}, "to must have one of exchange, queue and redrive"),
    ({"to": {"queue": "a", "exchange": "b"}}, "to must have one of exchange, queue and redrive"),
    ({"to": {"redrive": "x"}}, "redrive is first or last: the queue where it died so"),
    ({"to": {"queue": "q"}, "limit": 0}, "limit must be a number from 1 on"),
])
def test_a_move_without_a_meaning_is_refused(admin, vhost, channel, body, reason):
    channel.queue_declare("q")
    assert admin.refused("POST", f"/queues/{vhost}/q/move", body) == ("bad_request", reason)


def test_a_move_to_what_is_not_there_is_refused_or_moves_nothing(admin, vhost, channel):
    channel.queue_declare("q")
    put(channel, "q", "a")
    path = f"/queues/{vhost}/q/move"
    assert admin.refused("POST", path, {"to": {"exchange": "none"}}, 404)[0] == "not_found"
    assert admin.refused("POST", f"/queues/{vhost}/none/move", {"to": {"queue": "q"}}, 404)[0] == "not_found"
    answer = admin.done("POST", path, {"to": {"queue": "none"}}).json
    assert (answer["moved"], answer["unroutable"]) == (0, 1)
    assert drain(channel, "q") == ["a"]


def test_permissions_are_those_of_amqp(admin, vhost, channel, name):
    channel.queue_declare("q")
    channel.queue_declare("closed")
    put(channel, "q", "a")
    user = segment(name("user"))
    admin.done("PUT", f"/users/{user}", {"password": "secret", "tags": "management"})
    try:
        admin.done("PUT", f"/permissions/{vhost}/{user}", {"configure": "", "write": "", "read": "^q$"})
        reader = admin.as_user(name("user"), "secret")
        assert bodies(reader.get(f"/queues/{vhost}/q/messages")) == ["a"]
        assert reader.refused("GET", f"/queues/{vhost}/closed/messages", status=401)[0] == "not_authorised"
        for call in ("move", "copy"):
            assert reader.refused("POST", f"/queues/{vhost}/q/{call}", {"to": {"queue": "q"}}, 401)[0] == "not_authorised"
        assert reader.refused("POST", f"/queues/{vhost}/closed/remove", {}, 401)[0] == "not_authorised"
    finally:
        admin.done("DELETE", f"/users/{user}")


# --- at work ---


def test_publishers_go_on_while_a_deep_queue_is_searched(broker, admin, vhost, channel):
    channel.queue_declare("deep", durable=True)
    channel.queue_declare("live", durable=True)
    with connected(replace(broker.address, vhost=unquote(vhost))) as wire:
        for number in range(30_000):
            wire.publish(1, "", "deep", b"%d" % number * 20, b"\x00\x00")
        until(lambda: channel.queue_declare("deep", passive=True).method.message_count == 30_000)
    slowest = 0.0
    path, body = f"/queues/{vhost}/deep/search", {"filter": {"json": "$.nothing"}, "max_time_ms": 20}
    token, calls = None, 0
    while True:
        answer = admin.done("POST", path, {**body, "token": token}).json
        begin = time.monotonic()
        put(channel, "live", "x")
        slowest = max(slowest, time.monotonic() - begin)
        token, calls = answer["token"], calls + 1
        if answer["done"]:
            break
    assert answer["progress"]["looked_at"] == 30_000
    assert slowest < 5 and len(drain(channel, "live")) == calls
