"""Exchanges of every type over each client library: how they route, what they refuse, and in which words."""

from collections import Counter

import pika
import pytest

from harness.clients import ChannelFailed, ConnectionFailed, Returned, connect
from harness.fixtures import close_quietly
from harness.waiting import wait_until


def drain(channel, queue):
    bodies = []
    while (got := channel.get(queue, no_ack=True)) is not None:
        bodies.append(got.body)
    return bodies


def counts(channel, queues):
    return {queue: channel.declare_queue(queue, passive=True)[1] for queue in queues}


def test_consistent_hash_divides_by_weight_and_keeps_keys_together(clients, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("x"), "x-consistent-hash")
    queues = {name("light"): 1, name("heavy"): 3}
    for queue, weight in queues.items():
        channel.declare_queue(queue)
        channel.bind(queue, name("x"), str(weight))
    for number in range(400):
        channel.publish(name("x"), f"key-{number}", b"")
    found = counts(channel, queues)
    assert sum(found.values()) == 400
    assert 0.15 < found[name("light")] / 400 < 0.36
    with pytest.raises(ChannelFailed) as refused:
        channel.bind(name("light"), name("x"), "heavy")
    assert refused.value.code == 406
    assert "The binding key must be an integer" in refused.value.text


def test_consistent_hash_by_a_header(clients, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("x"), "x-consistent-hash", arguments={"hash-header": "tenant"})
    queues = [name(f"q{number}") for number in range(3)]
    for queue in queues:
        channel.declare_queue(queue)
        channel.bind(queue, name("x"), "5")
    for number in range(60):
        channel.publish(name("x"), f"key-{number}", b"", {"headers": {"tenant": "same"}})
    assert sorted(counts(channel, queues).values()) == [0, 0, 60]


def test_random_and_modulus_hash_give_each_message_to_one_queue(clients, name):
    channel = clients().channel(confirms=True)
    for kind in ("x-random", "x-modulus-hash"):
        queues = [name(f"{kind}-{number}") for number in range(3)]
        channel.declare_exchange(name(kind), kind)
        for queue in queues:
            channel.declare_queue(queue)
            channel.bind(queue, name(kind), "")
        for number in range(150):
            channel.publish(name(kind), f"key-{number}", b"")
        found = counts(channel, queues)
        assert sum(found.values()) == 150
        assert min(found.values()) > 10


def test_recent_history_is_given_to_who_binds(clients, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("x"), "x-recent-history", arguments={"x-recent-history-length": 2})
    channel.declare_queue(name("early"))
    channel.bind(name("early"), name("x"), "")
    for body in (b"a", b"b", b"c"):
        channel.publish(name("x"), "k", body)
    channel.publish(name("x"), "k", b"unkept", {"headers": {"x-recent-history-no-store": True}})
    channel.declare_queue(name("late"))
    channel.bind(name("late"), name("x"), "")
    wait_until(lambda: counts(channel, [name("late")])[name("late")] == 2, "the history is there")
    assert drain(channel, name("late")) == [b"b", b"c"]
    assert drain(channel, name("early")) == [b"a", b"b", b"c", b"unkept"]


def test_alternate_exchanges_take_what_nobody_wants_one_after_the_other(clients, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("last"), "fanout")
    channel.declare_exchange(name("second"), "direct", arguments={"alternate-exchange": name("last")})
    channel.declare_exchange(name("first"), "direct", arguments={"alternate-exchange": name("second")})
    for queue, exchange, key in (("one", "first", "1"), ("two", "second", "2")):
        channel.declare_queue(name(queue))
        channel.bind(name(queue), name(exchange), key)
    for key in ("1", "2"):
        channel.publish(name("first"), key, key.encode(), mandatory=True)
    assert drain(channel, name("one")) == [b"1"]
    assert drain(channel, name("two")) == [b"2"]
    with pytest.raises(Returned):
        channel.publish(name("first"), "3", b"", mandatory=True)
    channel.declare_queue(name("rest"))
    channel.bind(name("rest"), name("last"), "")
    channel.publish(name("first"), "3", b"3", mandatory=True)
    assert drain(channel, name("rest")) == [b"3"]


def refusal(clients, action):
    """What the broker says to it: the code, and the text."""
    client = clients()
    with pytest.raises((ChannelFailed, ConnectionFailed)) as refused:
        action(client.channel(confirms=True))
    return refused.value.code, refused.value.text


def test_what_is_wrong_is_told_in_rabbitmqs_words(clients, broker, name):
    channel = clients().channel(confirms=True)
    vhost = broker.address.vhost
    exchange = name("x")
    channel.declare_exchange(exchange, "fanout", arguments={"alternate-exchange": "a"})
    code, text = refusal(clients, lambda other: other.declare_exchange(
        exchange, "fanout", arguments={"alternate-exchange": "b"}))
    assert code == 406
    assert text.endswith(f"inequivalent arg 'alternate-exchange' for exchange '{exchange}' in vhost '{vhost}': "
                         "received 'b' but current is 'a'")
    code, text = refusal(clients, lambda other: other.declare_exchange(exchange, "fanout"))
    assert code == 406
    assert text.endswith("received none but current is the value 'a' of type 'longstr'")
    code, text = refusal(clients, lambda other: other.declare_exchange("amq.mine", "direct"))
    assert code == 403
    assert "contains reserved prefix 'amq.*'" in text
    code, text = refusal(clients, lambda other: other.delete_exchange("amq.direct"))
    assert code == 403
    code, text = refusal(clients, lambda other: other.declare_exchange("", "direct"))
    assert code == 403
    assert "operation not permitted on the default exchange" in text
    channel.declare_queue(name("q"))
    channel.bind(name("q"), exchange, "")
    code, text = refusal(clients, lambda other: other.delete_exchange(exchange, if_unused=True))
    assert code == 406
    assert text.endswith(f"exchange '{exchange}' in vhost '{vhost}' in use")


def test_an_auto_delete_exchange_goes_with_its_last_binding(clients, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("x"), "direct", auto_delete=True)
    channel.declare_queue(name("q"))
    channel.bind(name("q"), name("x"), "1")
    channel.bind(name("q"), name("x"), "2")
    channel.unbind(name("q"), name("x"), "1")
    channel.declare_exchange(name("x"), "direct", passive=True)
    channel.delete_queue(name("q"))
    code, _ = refusal(clients, lambda other: other.declare_exchange(name("x"), "direct", passive=True))
    assert code == 404


def test_an_unknown_type_ends_the_connection(broker, name):
    client = connect("pika", broker.address)
    with pytest.raises(ConnectionFailed) as refused:
        client.channel().declare_exchange(name("x"), "x-unheard-of")
    assert refused.value.code == 503
    assert refused.value.text == "COMMAND_INVALID - unknown exchange type 'x-unheard-of'"
    close_quietly(client)


@pytest.fixture
def pika_channel(broker):
    """For what not every library knows: internal exchanges, bindings between exchanges."""
    address = broker.address
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    close_quietly(connection)


def test_nobody_publishes_to_an_internal_exchange(pika_channel, broker, name):
    pika_channel.exchange_declare(name("inner"), "fanout", internal=True)
    pika_channel.exchange_declare(name("outer"), "fanout")
    pika_channel.exchange_bind(name("inner"), name("outer"))
    pika_channel.queue_declare(name("q"))
    pika_channel.queue_bind(name("q"), name("inner"))
    pika_channel.basic_publish(name("outer"), "", b"by way of another one", mandatory=True)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        pika_channel.basic_publish(name("inner"), "", b"")
    assert closed.value.reply_code == 403
    assert closed.value.reply_text == (f"ACCESS_REFUSED - cannot publish to internal exchange '{name('inner')}' in "
                                       f"vhost '{broker.address.vhost}'")


def test_exchanges_that_lead_to_each_other_reach_each_queue_once(pika_channel, name):
    for exchange in ("a", "b", "c"):
        pika_channel.exchange_declare(name(exchange), "fanout")
        pika_channel.queue_declare(name(f"q{exchange}"))
        pika_channel.queue_bind(name(f"q{exchange}"), name(exchange))
    for source, destination in (("a", "b"), ("b", "c"), ("c", "a"), ("a", "c")):
        pika_channel.exchange_bind(name(destination), name(source))
    pika_channel.basic_publish(name("b"), "", b"once", mandatory=True)
    found = Counter()
    for exchange in ("a", "b", "c"):
        found[exchange] = pika_channel.queue_declare(name(f"q{exchange}"), passive=True).method.message_count
    assert found == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("rule, headers, taken", [
    ("all", {"a": 1, "b": "x"}, True), ("all", {"a": 1}, False), ("any", {"b": "x"}, True), ("any", {"c": 1}, False),
    ("all", {"a": 2, "b": "x"}, False), ("all-with-x", {"a": 1, "b": "x"}, False),
    ("all-with-x", {"a": 1, "b": "x", "x-c": True}, True), ("any-with-x", {"x-c": True}, True),
    ("any", {"x-c": True}, False),
])
def test_headers_exchanges_compare_as_their_rule_says(pika_channel, name, rule, headers, taken):
    pika_channel.exchange_declare(name("x"), "headers")
    pika_channel.queue_declare(name("q"))
    pika_channel.queue_bind(name("q"), name("x"), arguments={"x-match": rule, "a": 1, "b": "x", "x-c": True})
    pika_channel.basic_publish(name("x"), "", b"", pika.BasicProperties(headers=headers))
    assert pika_channel.queue_declare(name("q"), passive=True).method.message_count == (1 if taken else 0)
