"""Messages that wait at an exchange of type x-delayed-message until they are due."""

import random
import time

import pytest

from harness.clients import ChannelFailed, ConnectionFailed, connect
from harness.fixtures import close_quietly
from harness.waiting import wait_until

DURABLE = {"delivery_mode": 2}


def delayed(milliseconds, **headers):
    return {**DURABLE, "headers": {"x-delay": milliseconds, **headers}}


def ready(channel, queue):
    return channel.declare_queue(queue, passive=True)[1]


def declare(channel, name, kind="direct"):
    channel.declare_exchange(name("x"), "x-delayed-message", durable=True, arguments={"x-delayed-type": kind})
    channel.declare_queue(name("q"), durable=True)
    channel.bind(name("q"), name("x"), "k")


def test_a_message_waits_and_tells_so(clients, weir, name):
    channel = clients().channel(confirms=True)
    declare(channel, name)
    began = time.monotonic()
    channel.publish(name("x"), "k", b"later", delayed(300), mandatory=True)
    channel.publish(name("x"), "k", b"now", delayed(-1_000_000))
    assert ready(channel, name("q")) == 1
    wait_until(lambda: ready(channel, name("q")) == 2, "it comes")
    assert time.monotonic() - began >= 0.3
    now, later = channel.get(name("q"), no_ack=True), channel.get(name("q"), no_ack=True)
    assert (now.body, later.body) == (b"now", b"later")
    assert (later.exchange, later.routing_key) == (name("x"), "k")
    assert later.properties["headers"]["x-delay"] == -300


def test_what_is_delayed_goes_where_bindings_lead_by_then(clients, weir, name):
    channel = clients().channel(confirms=True)
    declare(channel, name, "topic")
    channel.publish(name("x"), "k.1", b"1", delayed(200))
    channel.delete_queue(name("q"))
    channel.declare_queue(name("other"), durable=True)
    channel.bind(name("other"), name("x"), "k.#")
    wait_until(lambda: ready(channel, name("other")) == 1, "it comes")


def test_types_that_are_not_there_are_refused(weir, name):
    for arguments, code in (({}, 406), ({"x-delayed-type": "x-unheard-of"}, 503)):
        client = connect("pika", weir.address)
        with pytest.raises((ChannelFailed, ConnectionFailed)) as refused:
            client.channel().declare_exchange(name("x"), "x-delayed-message", arguments=arguments)
        assert refused.value.code == code
        close_quietly(client)


def test_a_retry_by_dead_letters_waits(clients, weir, name):
    channel = clients().channel(confirms=True)
    channel.declare_exchange(name("later"), "x-delayed-message", durable=True, arguments={"x-delayed-type": "fanout"})
    channel.declare_queue(name("q"), durable=True, arguments={"x-dead-letter-exchange": name("later")})
    channel.bind(name("q"), name("later"), "")
    channel.publish("", name("q"), b"try", delayed(150))
    first = channel.get(name("q"))
    assert first.properties["headers"]["x-delay"] == 150
    channel.reject(first.tag, requeue=False)
    assert channel.get(name("q")) is None
    wait_until(lambda: ready(channel, name("q")) == 1, "it comes back")
    again = channel.get(name("q"), no_ack=True)
    assert again.properties["headers"]["x-delay"] == -150
    assert again.properties["headers"]["x-first-death-reason"] == "rejected"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_waits_survives(start_weir, name, how):
    server = start_weir()
    client = connect("pika", server.address)
    channel = client.channel(confirms=True)
    declare(channel, name)
    for number in range(100):
        channel.publish(name("x"), "k", b"%d" % number, delayed(2_000 + number))
    channel.publish(name("x"), "k", b"in a year", delayed(365 * 24 * 3_600 * 1_000))
    getattr(server, how)()
    close_quietly(client)
    server.start()
    client = connect("pika", server.address)
    channel = client.channel()
    wait_until(lambda: ready(channel, name("q")) == 100, "all have come")
    bodies = [channel.get(name("q"), no_ack=True).body for _ in range(100)]
    assert bodies == [b"%d" % number for number in range(100)]
    close_quietly(client)


def test_lateness_when_there_is_little_to_do(start_weir, name, capsys):
    server = start_weir()
    client = connect("pika", server.address)
    channel = client.channel(confirms=True)
    declare(channel, name)
    due = {}
    randomly = random.Random(1)
    for number in range(200):
        delay = 500 + randomly.randrange(1_500)
        due[b"%d" % number] = time.time() + delay / 1_000
        channel.publish(name("x"), "k", b"%d" % number, delayed(delay))
    channel.consume(name("q"), no_ack=True)
    late = []
    while due:
        body = channel.next_delivery(5).body
        late.append((time.time() - due.pop(body)) * 1_000)
    late.sort()
    with capsys.disabled():
        print(f"\nlate by {late[len(late) // 2]:.1f} ms (median), {late[len(late) * 99 // 100]:.1f} ms (p99)")
    close_quietly(client)
