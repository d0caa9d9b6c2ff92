"""Policies, limits and topic permissions, as a definitions file sets them, also while the server runs."""

import json
import os
import signal
import time

import pika
import pytest

from harness.waiting import wait_until

BASE = {
    "vhosts": [{"name": "/"}, {"name": "small"}],
    "users": [{"name": "guest", "password": "guest", "tags": "administrator"},
              {"name": "till", "password": "t", "tags": ""}],
    "permissions": [{"user": user, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}
                    for user in ("guest", "till") for vhost in ("/", "small")],
}


class Configured:
    """A broker whose definitions file can be changed while it runs."""

    def __init__(self, start_weir, path):
        self.path = path
        self.write({})
        self.server = start_weir(f"load_definitions={path}")

    def write(self, sections):
        self.path.write_text(json.dumps({**BASE, **sections}))

    def load(self, **sections):
        before = self.server.log().count("SIGHUP")
        self.write(sections)
        os.kill(self.server.pid, signal.SIGHUP)
        wait_until(lambda: self.server.log().count("SIGHUP") > before, "the definitions to be read again")
        assert "definitions stay as they are" not in self.server.log(), self.server.log_tail()

    def connection(self, user="guest", password="guest", vhost="/"):
        address = self.server.address
        return pika.BlockingConnection(pika.ConnectionParameters(
            address.host, address.port, vhost, pika.PlainCredentials(user, password)))


@pytest.fixture
def weir(start_weir, tmp_path):
    return Configured(start_weir, tmp_path / "definitions.json")


def policy(name="p", pattern="^q", vhost="/", apply_to="queues", priority=0, **definition):
    return {"vhost": vhost, "name": name, "pattern": pattern, "apply-to": apply_to, "priority": priority,
            "definition": {key.replace("_", "-"): value for key, value in definition.items()}}


def ready(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def test_a_policy_shortens_a_queue_that_is_there_and_an_argument_holds_beside_it(weir):
    channel = weir.connection().channel()
    channel.confirm_delivery()
    channel.queue_declare("q.plain", durable=True)
    channel.queue_declare("q.own", durable=True, arguments={"x-max-length": 2})
    for queue in ("q.plain", "q.own"):
        for i in range(10):
            channel.basic_publish("", queue, str(i).encode(), pika.BasicProperties(delivery_mode=2))
    weir.load(policies=[policy(max_length=5)])
    wait_until(lambda: ready(channel, "q.plain") == 5, "the oldest messages to go")
    assert ready(channel, "q.own") == 2
    assert channel.basic_get("q.plain", auto_ack=True)[2] == b"5"
    # A declaration does not have to know of it.
    channel.queue_declare("q.plain", durable=True)


def test_an_operator_bounds_what_a_policy_asks_for(weir):
    channel = weir.connection().channel()
    channel.queue_declare("q", durable=True)
    weir.load(policies=[policy(max_length=100, overflow="reject-publish")],
              parameters=[{"component": "operator_policy", "name": "o", "vhost": "/",
                           "value": {"pattern": ".*", "apply-to": "queues", "priority": 0,
                                     "definition": {"max-length": 1}}}])
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"1")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish("", "q", b"2")


def test_expired_messages_go_where_a_policy_says_and_lost_ones_to_its_alternate_exchange(weir):
    channel = weir.connection().channel()
    channel.confirm_delivery()
    channel.exchange_declare("orders", "direct", durable=True)
    channel.exchange_declare("lost", "fanout", durable=True)
    for queue in ("q", "dead", "strays"):
        channel.queue_declare(queue, durable=True)
    channel.queue_bind("strays", "lost")
    channel.basic_publish("", "q", b"old")
    weir.load(policies=[policy(message_ttl=50, dead_letter_exchange="", dead_letter_routing_key="dead"),
                        policy("alternate", "^orders$", apply_to="exchanges", alternate_exchange="lost")])
    wait_until(lambda: ready(channel, "dead") == 1, "the message that was there to expire")
    death = channel.basic_get("dead", auto_ack=True)[1].headers["x-death"][0]
    assert (death["queue"], death["reason"]) == ("q", "expired")
    channel.basic_publish("orders", "nobody", b"stray")
    assert ready(channel, "strays") == 1


def test_policies_hold_after_kill_9(weir):
    channel = weir.connection().channel()
    channel.queue_declare("q", durable=True)
    weir.load(policies=[policy(max_length=1, overflow="reject-publish")])
    weir.server.kill()
    weir.write({})  # nothing is removed by a file that does not name it
    weir.server.start()
    channel = weir.connection().channel()
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"1")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish("", "q", b"2")


def test_a_file_that_is_wrong_changes_nothing_while_the_server_runs(weir):
    weir.write({"policies": [policy(max_length=-1)]})
    os.kill(weir.server.pid, signal.SIGHUP)
    wait_until(lambda: "definitions stay as they are" in weir.server.log(), "the mistake to be told")
    assert "-1 is not a valid maximum length" in weir.server.log()
    weir.connection().close()


def test_a_vhost_has_no_more_connections_and_queues_than_it_may(weir):
    weir.load(parameters=[{"component": "vhost-limits", "name": "limits", "vhost": "small",
                           "value": {"max-connections": 2, "max-queues": 1}}])
    open_ones = [weir.connection(vhost="small") for _ in range(2)]
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match=r"530.*NOT_ALLOWED - access to vhost 'small' "
                       r"refused for user 'guest': connection limit \(2\) is reached"):
        weir.connection(vhost="small")
    weir.connection().close()
    channel = open_ones[0].channel()
    channel.queue_declare("one")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match=r"406.*PRECONDITION_FAILED - cannot declare queue "
                       r"'two': queue limit in vhost 'small' \(1\) is reached"):
        channel.queue_declare("two")
    open_ones[1].close()
    wait_until(lambda: weir.connection(vhost="small").is_open, "the place of the one that has gone")


def test_a_user_has_no_more_connections_and_channels_than_it_may(weir):
    weir.load(users=[*BASE["users"][:1],
                     {"name": "till", "password": "t", "tags": "", "limits": {"max-connections": 1, "max-channels": 2}}])
    connection = weir.connection("till", "t")
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match=r"530.*NOT_ALLOWED - connection refused for user "
                       r"'till': user connection limit \(1\) is reached"):
        weir.connection("till", "t")
    connection.channel()
    connection.channel().close()
    connection.channel()
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match=r"530.*NOT_ALLOWED - number of channels opened for "
                       r"user 'till' has reached the maximum allowed user limit of \(2\)"):
        connection.channel()


def test_a_full_vhost_refuses_publishes_while_others_and_consumers_go_on(weir):
    weir.load(weir_limits=[{"vhost": "small", "limits": {"max-messages": 3}}])
    small, other = weir.connection(vhost="small").channel(), weir.connection().channel()
    for channel in (small, other):
        channel.confirm_delivery()
        channel.queue_declare("q", durable=True)
    for i in range(3):
        small.basic_publish("", "q", str(i).encode())
    with pytest.raises(pika.exceptions.NackError):
        small.basic_publish("", "q", b"no")
    for i in range(10):
        other.basic_publish("", "q", b"yes")
    assert small.basic_get("q", auto_ack=True)[2] == b"0"
    small.basic_publish("", "q", b"3")
    with pytest.raises(pika.exceptions.NackError):
        small.basic_publish("", "q", b"no")


def test_a_tenant_that_publishes_too_fast_is_slowed_and_others_are_not(weir):
    weir.load(weir_limits=[{"user": "till", "limits": {"max-publish-rate": 200}}])
    slow, fast = weir.connection("till", "t").channel(), weir.connection().channel()
    for channel in (slow, fast):
        channel.queue_declare("q")
        channel.confirm_delivery()

    def seconds(channel, count):
        began = time.monotonic()
        for _ in range(count):
            channel.basic_publish("", "q", b"x")
        return time.monotonic() - began

    assert seconds(slow, 120) > 0.4  # twenty at once, then 200 a second
    assert ready(fast, "q") == 120
    fast_s = seconds(fast, 120)
    assert fast_s < 0.4, f"{fast_s} s"


def test_topic_permissions_bound_what_is_published_and_bound(weir):
    weir.load(topic_permissions=[{"user": "till", "vhost": "/", "exchange": "amq.topic", "write": "^{username}\\.",
                                  "read": "^shop\\."}])
    connection = weir.connection("till", "t")
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("amq.topic", "till.sale", b"")
    channel.queue_declare("mine")
    channel.queue_bind("mine", "amq.topic", "shop.#")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="403.*ACCESS_REFUSED - read access to topic '#' in "
                       "exchange 'amq.topic' in vhost '/' refused for user 'till'"):
        channel.queue_bind("mine", "amq.topic", "#")
    channel = connection.channel()
    channel.confirm_delivery()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="403.*ACCESS_REFUSED - write access to topic "
                       "'other.sale' in exchange 'amq.topic' in vhost '/' refused for user 'till'"):
        channel.basic_publish("amq.topic", "other.sale", b"")


def test_the_vhosts_default_type_is_that_of_durable_queues(weir):
    weir.load(vhosts=[{"name": "/"}, {"name": "small", "default_queue_type": "quorum"}])
    channel = weir.connection(vhost="small").channel()
    channel.queue_declare("q", durable=True)
    channel.queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="406.*inequivalent arg 'x-queue-type'"):
        channel.queue_declare("q", durable=True, arguments={"x-queue-type": "classic"})
