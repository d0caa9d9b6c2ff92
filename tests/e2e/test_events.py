"""What the broker publishes of itself: events to amq.rabbitmq.event, and what is traced to amq.rabbitmq.trace."""

from urllib.parse import unquote

import pika
import pytest

from harness.management import segment
from harness.waiting import wait_until


def connection(broker, vhost="/", user="guest", password="guest"):
    return pika.BlockingConnection(pika.ConnectionParameters(
        "127.0.0.1", broker.address.port, virtual_host=vhost, credentials=pika.PlainCredentials(user, password)))


@pytest.fixture
def vhost(admin, name):
    path = segment(name("vhost"))
    admin.done("PUT", f"/vhosts/{path}")
    yield path
    admin.request("DELETE", f"/vhosts/{path}")


class Listener:
    """A queue that is bound to an exchange of the broker's own."""

    def __init__(self, broker, exchange, key="#", vhost="/"):
        self.connection = connection(broker, vhost)
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, exchange, key)
        self.seen = []

    def poll(self):
        while True:
            method, properties, body = self.channel.basic_get(self.queue, auto_ack=True)
            if method is None:
                return self.seen
            self.seen.append((method.routing_key, properties, body))

    def wait_for(self, key, **facts):
        """The first one with this key and these headers."""
        found = []

        def look():
            found[:] = [(properties, body) for seen, properties, body in self.poll()
                        if seen == key and all(properties.headers.get(k) == v for k, v in facts.items())]
            return bool(found)

        wait_until(look, f"{key} {facts}; seen: {[key for key, _, _ in self.seen]}")
        return found[0]


@pytest.fixture
def events(broker, weir_alone):
    listener = Listener(broker, "amq.rabbitmq.event")
    yield listener
    listener.connection.close()


# --- events ---


def test_the_event_exchange_is_the_broker_s_own(admin, weir_alone):
    shown = admin.get("/exchanges/%2F/amq.rabbitmq.event")
    assert (shown["type"], shown["durable"], shown["internal"]) == ("topic", True, True)


def test_what_becomes_of_definitions_is_an_event_each(broker, admin, events, vhost, name):
    vhost_name = unquote(vhost)
    client = connection(broker, vhost_name)
    channel = client.channel()
    queue = name("queue")
    channel.exchange_declare("ex", "fanout", durable=True, arguments={"x": 1})
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 5})
    channel.queue_bind(queue, "ex", "key")
    properties, body = events.wait_for("queue.created", name=queue)
    assert body == b""
    assert properties.delivery_mode == 2 and properties.timestamp > 1_700_000_000
    assert properties.headers["timestamp_in_ms"] // 1000 == properties.timestamp
    assert {key: properties.headers[key] for key in ("vhost", "durable", "auto_delete", "exclusive", "arguments",
                                                     "user_who_performed_action")} == {
        "vhost": vhost_name, "durable": True, "auto_delete": False, "exclusive": False,
        "arguments": {"x-max-length": 5}, "user_who_performed_action": "guest"}
    properties, _ = events.wait_for("exchange.created", name="ex", vhost=vhost_name)
    assert properties.headers["type"] == "fanout" and properties.headers["arguments"] == {"x": 1}
    bound = dict(source_name="ex", source_kind="exchange", destination_name=queue, destination_kind="queue",
                 routing_key="key", vhost=vhost_name)
    events.wait_for("binding.created", **bound)
    channel.queue_delete(queue)
    events.wait_for("binding.deleted", **bound)
    events.wait_for("queue.deleted", name=queue, vhost=vhost_name)
    channel.exchange_delete("ex")
    events.wait_for("exchange.deleted", name="ex")
    client.close()


def test_what_administrators_do_is_an_event_each(broker, admin, events, name):
    vhost, user = name("v"), name("u")
    admin.done("PUT", f"/vhosts/{segment(vhost)}")
    events.wait_for("vhost.created", name=vhost)
    admin.done("PUT", f"/users/{segment(user)}", {"password": "a", "tags": "monitoring"})
    events.wait_for("user.created", name=user)
    events.wait_for("user.tags.set", name=user, tags=["monitoring"])
    admin.done("PUT", f"/users/{segment(user)}", {"password": "b", "tags": "monitoring"})
    events.wait_for("user.password.changed", name=user)
    admin.done("PUT", f"/permissions/{segment(vhost)}/{segment(user)}", {"configure": "a", "write": "b", "read": "c"})
    events.wait_for("permission.created", user=user, vhost=vhost, configure="a", write="b", read="c")
    admin.done("DELETE", f"/permissions/{segment(vhost)}/{segment(user)}")
    events.wait_for("permission.deleted", user=user, vhost=vhost)
    admin.done("PUT", f"/policies/{segment(vhost)}/p", {"pattern": "x", "definition": {"max-length": 1}})
    events.wait_for("policy.set", name="p", vhost=vhost, pattern="x", definition={"max-length": 1})
    admin.done("DELETE", f"/policies/{segment(vhost)}/p")
    events.wait_for("policy.cleared", name="p", vhost=vhost)
    admin.done("PUT", f"/parameters/thing/{segment(vhost)}/q", {"value": {"a": 1}})
    events.wait_for("parameter.set", component="thing", name="q", vhost=vhost, value={"a": 1})
    admin.done("DELETE", f"/parameters/thing/{segment(vhost)}/q")
    events.wait_for("parameter.cleared", component="thing", name="q")
    admin.done("DELETE", f"/users/{segment(user)}")
    events.wait_for("user.deleted", name=user)
    admin.done("DELETE", f"/vhosts/{segment(vhost)}")
    events.wait_for("vhost.deleted", name=vhost)


def test_what_clients_do_is_an_event_each(broker, admin, events, vhost):
    vhost_name = unquote(vhost)
    client = connection(broker, vhost_name)
    properties, _ = events.wait_for("connection.created", vhost=vhost_name)
    facts = properties.headers
    assert (facts["protocol"], facts["user"], facts["auth_mechanism"]) == ("AMQP 0-9-1", "guest", "PLAIN")
    assert facts["client_properties"]["product"] == "Pika Python Client Library"
    assert facts["name"] == f"{facts['peer_host']}:{facts['peer_port']} -> {facts['host']}:{facts['port']}"
    events.wait_for("user.authentication.success", name="guest", protocol="amqp091")
    channel = client.channel(7)
    events.wait_for("channel.created", connection=facts["name"], number=7, user="guest")
    channel.queue_declare("q")
    channel.basic_qos(prefetch_count=3)
    channel.basic_consume("q", lambda *_: None, consumer_tag="tag", exclusive=True)
    events.wait_for("consumer.created", consumer_tag="tag", queue="q", vhost=vhost_name, exclusive=True,
                    ack_required=True, channel=7)
    channel.basic_cancel("tag")
    events.wait_for("consumer.deleted", consumer_tag="tag", queue="q", vhost=vhost_name)
    channel.close()
    events.wait_for("channel.closed", connection=facts["name"], number=7)
    client.close()
    events.wait_for("connection.closed", name=facts["name"])
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connection(broker, vhost_name, "guest", "wrong")
    properties, _ = events.wait_for("user.authentication.failure", name="guest")
    assert properties.headers["error"]


# --- traces ---


def trace(admin, vhost, on):
    admin.done("PUT", f"/vhosts/{vhost}", {"tracing": on})
    assert admin.get(f"/vhosts/{vhost}")["tracing"] is on


def test_every_virtual_host_has_the_exchange_of_traces(admin, vhost):
    shown = admin.get(f"/exchanges/{vhost}/amq.rabbitmq.trace")
    assert (shown["type"], shown["durable"], shown["internal"]) == ("topic", True, True)
    assert admin.get(f"/vhosts/{vhost}")["tracing"] is False


def test_what_comes_and_goes_is_traced_where_that_is_on(broker, admin, vhost, weir_alone):
    vhost_name = unquote(vhost)
    tracer = Listener(broker, "amq.rabbitmq.trace", vhost=vhost_name)
    client = connection(broker, vhost_name)
    channel = client.channel(5)
    channel.confirm_delivery()
    channel.queue_declare("q1")
    channel.queue_declare("q2")
    for queue in ("q1", "q2"):
        channel.queue_bind(queue, "amq.fanout")
    channel.basic_publish("amq.fanout", "before", b"x")
    assert tracer.poll() == []
    trace(admin, vhost, True)
    channel.basic_publish("amq.fanout", "key", b"body", pika.BasicProperties(
        message_id="m1", headers={"h": 1}, delivery_mode=2))
    properties, body = tracer.wait_for("publish.amq.fanout")
    headers = properties.headers
    assert body == b"body"
    assert sorted(headers["routed_queues"]) == ["q1", "q2"]
    assert {key: headers[key] for key in ("exchange_name", "routing_keys", "vhost", "user", "channel")} == {
        "exchange_name": "amq.fanout", "routing_keys": ["key"], "vhost": vhost_name, "user": "guest", "channel": 5}
    assert headers["properties"] == {"message_id": "m1", "headers": {"h": 1}, "delivery_mode": 2}
    assert headers["connection"].endswith(f":{broker.address.port}") and headers["node"].startswith("weir@")
    channel.basic_get("q1")
    channel.basic_get("q1")
    properties, body = tracer.wait_for("deliver.q1", routing_keys=["key"])
    assert body == b"body" and properties.headers["redelivered"] == 0 and properties.headers["channel"] == 5
    delivered = next(channel.consume("q2"))
    tracer.wait_for("deliver.q2", routing_keys=["before"])
    channel.cancel()
    channel.basic_publish("", "nobody", b"lost")
    properties, _ = tracer.wait_for("publish.")
    assert properties.headers["routed_queues"] == [] and delivered[2] == b"x"
    assert admin.get("/vhosts/%2F")["tracing"] is False
    count = len(tracer.poll())
    trace(admin, vhost, False)
    channel.basic_publish("amq.fanout", "after", b"x")
    assert len(tracer.poll()) == count
    client.close()
    tracer.connection.close()


def test_tracing_stays_as_it_is_when_nothing_is_said_of_it(admin, vhost):
    trace(admin, vhost, True)
    admin.done("PUT", f"/vhosts/{vhost}", {"description": "traced"})
    assert admin.get(f"/vhosts/{vhost}")["tracing"] is True
    trace(admin, vhost, False)


# --- journeys ---


def test_where_a_message_has_been_is_told_by_its_id_and_by_its_trace(broker, admin, vhost, weir_alone):
    trace(admin, vhost, True)
    client = connection(broker, unquote(vhost))
    channel = client.channel()
    channel.confirm_delivery()
    channel.queue_declare("dead", durable=True)
    channel.queue_declare("q", durable=True, arguments={
        "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    channel.basic_publish("", "q", b"body", pika.BasicProperties(
        message_id="m1", delivery_mode=2, headers={"traceparent": parent}))
    channel.basic_publish("", "q", b"other", pika.BasicProperties(message_id="m2"))
    method, _, _ = next(channel.consume("q"))
    channel.basic_reject(method.delivery_tag, requeue=False)

    def steps(query):
        shown = admin.get(f"/traces/{vhost}?{query}")
        assert shown["tracing"] is True
        return {one["queue"]: [step["what"] for step in one["steps"]] for one in shown["messages"]}

    wait_until(lambda: len(steps("message_id=m1")) == 2, "it has been in two queues")
    assert steps("traceparent=0af7651916cd43dd8448eb211c80319c") == {
        "q": ["queued", "delivered", "rejected", "dead-lettered"], "dead": ["queued"]}
    shown = next(one for one in admin.get(f"/traces/{vhost}?message_id=m1")["messages"] if one["queue"] == "q")
    assert (shown["exchange"], shown["routing_key"], shown["persistent"], shown["payload_bytes"]) == ("", "q", True, 4)
    assert shown["traceparent"] == parent and shown["steps"][1]["consumer_tag"].startswith("ctag")
    assert {one["message_id"] for one in admin.get(f"/traces/{vhost}")["messages"]} == {"m1", "m2"}
    client.close()
    trace(admin, vhost, False)
    assert admin.get(f"/traces/{vhost}") == {"tracing": False, "messages": []}
