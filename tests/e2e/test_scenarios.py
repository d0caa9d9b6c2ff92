"""What clients of every library do with a broker every day: the same scenarios over each of them."""

import pytest

from harness.clients import ChannelFailed, ConnectionFailed, Returned
from harness.waiting import wait_until


def ready(channel, queue):
    return channel.declare_queue(queue, passive=True)[1]


def wait_for_ready(channel, queue, count):
    wait_until(lambda: ready(channel, queue) == count, f"{count} messages ready in {queue}")


def publish_all(channel, queue, bodies):
    for body in bodies:
        channel.publish("", queue, body, {"delivery_mode": 2})


def test_a_published_message_waits_in_a_durable_queue(clients, name):
    channel = clients().channel()
    assert channel.declare_queue(name(), durable=True) == (name(), 0, 0)
    channel.publish("", name(), b"hello", {"delivery_mode": 2})
    assert channel.declare_queue(name(), durable=True) == (name(), 1, 0)
    got = channel.get(name())
    assert (got.body, got.redelivered, got.exchange, got.routing_key) == (b"hello", False, "", name())
    assert got.properties["delivery_mode"] == 2
    channel.ack(got.tag)
    assert channel.get(name()) is None
    assert channel.delete_queue(name()) == 0


def test_messages_are_consumed_in_order_and_gone_once_acknowledged(clients, name):
    bodies = [b"%d" % number for number in range(50)]
    publisher, consumer = clients(), clients()
    channel = publisher.channel()
    channel.declare_queue(name(), durable=True)
    publish_all(channel, name(), bodies)
    consuming = consumer.channel()
    consuming.consume(name())
    taken = [consuming.next_delivery() for _ in bodies]
    assert [delivery.body for delivery in taken] == bodies
    assert not any(delivery.redelivered for delivery in taken)
    assert [delivery.tag for delivery in taken] == list(range(1, 51))
    for delivery in taken[:10]:
        consuming.ack(delivery.tag)
    consuming.ack(taken[-1].tag, multiple=True)
    consuming.close()
    wait_until(lambda: channel.declare_queue(name(), passive=True)[1:] == (0, 0), "nothing is left")
    channel.delete_queue(name())


def test_a_consumer_that_was_there_first_gets_what_comes_later(clients, name):
    client = clients()
    consuming, channel = client.channel(confirms=False), client.channel()
    channel.declare_queue(name())
    consuming.consume(name(), no_ack=True)
    channel.publish("", name(), b"later")
    assert consuming.next_delivery().body == b"later"
    channel.delete_queue(name())


def test_prefetch_1_gives_work_to_whoever_is_free(clients, name):
    channel = clients().channel()
    channel.declare_queue(name())
    busy, free = clients().channel(), clients().channel()
    for worker in (busy, free):
        worker.qos(1)
        worker.consume(name())
    publish_all(channel, name(), [b"%d" % number for number in range(10)])
    held = busy.next_delivery()
    done = []
    while len(done) < 9:
        delivery = free.next_delivery()
        done.append(delivery.body)
        free.ack(delivery.tag)
    assert busy.nothing_comes()
    busy.ack(held.tag)
    assert held.body not in done and len({held.body, *done}) == 10
    channel.delete_queue(name())


def test_prefetch_bounds_what_is_unacknowledged(clients, name):
    channel = clients().channel()
    channel.declare_queue(name())
    publish_all(channel, name(), [b"%d" % number for number in range(10)])
    worker = clients().channel()
    worker.qos(3)
    worker.consume(name())
    first = [worker.next_delivery() for _ in range(3)]
    assert worker.nothing_comes()
    worker.ack(first[1].tag, multiple=True)
    assert [worker.next_delivery().body for _ in range(2)] == [b"3", b"4"]
    assert worker.nothing_comes()
    channel.delete_queue(name())


def test_the_work_of_a_worker_that_vanished_goes_to_another(clients, name):
    channel = clients().channel()
    channel.declare_queue(name(), durable=True)
    publish_all(channel, name(), [b"one", b"two", b"three"])
    crashing = clients()
    worker = crashing.channel()
    worker.consume(name())
    tags = [worker.next_delivery().tag for _ in range(3)]
    worker.ack(tags[1])
    wait_for_ready(channel, name(), 0)
    worker.close()
    other = clients().channel()
    other.consume(name())
    again = [other.next_delivery() for _ in range(2)]
    assert [(delivery.body, delivery.redelivered) for delivery in again] == [(b"one", True), (b"three", True)]
    for delivery in again:
        other.ack(delivery.tag)
    channel.delete_queue(name())


def test_a_fanout_exchange_gives_everybody_a_copy(clients, name):
    channel = clients().channel()
    channel.declare_exchange(name("x"), "fanout")
    queues = [name("a"), name("b"), name("c")]
    for queue in queues:
        channel.declare_queue(queue)
        channel.bind(queue, name("x"), "is ignored")
    channel.publish(name("x"), "any key", b"news")
    for queue in queues:
        got = channel.get(queue, no_ack=True)
        assert (got.body, got.exchange, got.routing_key) == (b"news", name("x"), "any key")
        channel.delete_queue(queue)
    channel.delete_exchange(name("x"))


def test_a_direct_exchange_goes_by_the_whole_key(clients, name):
    channel = clients().channel()
    channel.declare_exchange(name("x"), "direct", durable=True)
    for queue, keys in ((name("errors"), ["error"]), (name("all"), ["info", "error"])):
        channel.declare_queue(queue)
        for key in keys:
            channel.bind(queue, name("x"), key)
    channel.bind(name("all"), name("x"), "info")  # twice is once
    for key in ("error", "info", "debug", "erro", "error2"):
        channel.publish(name("x"), key, key.encode())
    assert ready(channel, name("errors")) == 1 and ready(channel, name("all")) == 2
    channel.unbind(name("all"), name("x"), "info")
    channel.publish(name("x"), "info", b"nobody")
    assert ready(channel, name("all")) == 2
    for queue in (name("errors"), name("all")):
        channel.delete_queue(queue)
    channel.delete_exchange(name("x"))


# An empty key has no word: "#" alone matches it.
TOPIC_KEYS = ["", "a", "a.b", "a.b.c", "b", "b.c", "x.b.y", "a..c"]
TOPICS = {"#": set(TOPIC_KEYS), "a.*": {"a.b"}, "a.#": {"a", "a.b", "a.b.c", "a..c"}, "*.b.*": {"a.b.c", "x.b.y"},
          "*": {"a", "b"},  "#.c": {"a.b.c", "b.c", "a..c"}, "a.b": {"a.b"}, "a.*.c": {"a.b.c", "a..c"}}


def test_a_topic_exchange_goes_by_patterns(clients, name):
    channel = clients().channel()
    channel.declare_exchange(name("x"), "topic")
    for number, pattern in enumerate(TOPICS):
        channel.declare_queue(name(f"q{number}"))
        channel.bind(name(f"q{number}"), name("x"), pattern)
    for key in TOPIC_KEYS:
        channel.publish(name("x"), key, key.encode())
    for number, (pattern, expected) in enumerate(TOPICS.items()):
        found = {channel.get(name(f"q{number}"), no_ack=True).body.decode()
                 for _ in range(ready(channel, name(f"q{number}")))}
        assert found == expected, pattern
        channel.delete_queue(name(f"q{number}"))
    channel.delete_exchange(name("x"))


def test_a_headers_exchange_goes_by_headers(clients, name):
    channel = clients().channel()
    channel.declare_exchange(name("x"), "headers")
    bindings = {"all": {"x-match": "all", "format": "pdf", "pages": 3}, "any": {"x-match": "any", "format": "pdf", "pages": 3},
                "default": {"format": "txt"}}
    for queue, arguments in bindings.items():
        channel.declare_queue(name(queue))
        channel.bind(name(queue), name("x"), "", arguments)
    for body, headers in ((b"both", {"format": "pdf", "pages": 3, "more": True}), (b"one", {"format": "pdf", "pages": 4}),
                          (b"txt", {"format": "txt"}), (b"none", {"other": "pdf"}), (b"no type", {"pages": "3"})):
        channel.publish(name("x"), "", body, {"headers": headers})
    expected = {"all": [b"both"], "any": [b"both", b"one"], "default": [b"txt"]}
    for queue, bodies in expected.items():
        assert [channel.get(name(queue), no_ack=True).body for _ in range(ready(channel, name(queue)))] == bodies
        channel.delete_queue(name(queue))
    channel.delete_exchange(name("x"))


def test_a_request_is_answered_to_a_queue_of_the_asker_alone(clients, name):
    server, asker = clients().channel(), clients().channel()
    server.declare_queue(name("requests"))
    server.consume(name("requests"))
    replies, _, _ = asker.declare_queue("", exclusive=True)
    assert replies.startswith("amq.gen-")
    asker.consume(replies, no_ack=True)
    for number in range(3):
        asker.publish("", name("requests"), b"%d" % number,
                      {"reply_to": replies, "correlation_id": f"question {number}"})
    for _ in range(3):
        request = server.next_delivery()
        server.publish("", request.properties["reply_to"], b"answer to " + request.body,
                       {"correlation_id": request.properties["correlation_id"]})
        server.ack(request.tag)
    for number in range(3):
        reply = asker.next_delivery()
        assert (reply.body, reply.properties["correlation_id"]) == (b"answer to %d" % number, f"question {number}")
    server.delete_queue(name("requests"))


def test_a_direct_reply_needs_no_queue(clients, name):
    server, asker = clients().channel(), clients().channel()
    server.declare_queue(name("requests"))
    server.consume(name("requests"))
    asker.consume("amq.rabbitmq.reply-to", no_ack=True)
    for number in range(3):
        asker.publish("", name("requests"), b"%d" % number,
                      {"reply_to": "amq.rabbitmq.reply-to", "correlation_id": f"question {number}"})
    for _ in range(3):
        request = server.next_delivery()
        assert request.properties["reply_to"].startswith("amq.rabbitmq.reply-to.")
        server.publish("", request.properties["reply_to"], b"answer to " + request.body,
                       {"correlation_id": request.properties["correlation_id"]})
        server.ack(request.tag)
    for number in range(3):
        reply = asker.next_delivery()
        assert (reply.body, reply.properties["correlation_id"]) == (b"answer to %d" % number, f"question {number}")
    server.delete_queue(name("requests"))


def test_a_mandatory_message_without_a_queue_comes_back(clients, name):
    channel = clients().channel()
    with pytest.raises(Returned) as returned:
        channel.publish("", name("nobody"), b"lost", {"message_id": "1"}, mandatory=True)
    assert (returned.value.code, returned.value.text) == (312, "NO_ROUTE")
    channel.declare_queue(name())
    channel.publish("", name(), b"kept", mandatory=True)
    assert ready(channel, name()) == 1
    channel.delete_queue(name())


def test_what_is_rejected_goes_back_to_its_place(clients, name):
    channel = clients().channel()
    channel.declare_queue(name())
    publish_all(channel, name(), [b"1", b"2", b"3", b"4"])
    taken = [channel.get(name()) for _ in range(3)]
    channel.reject(taken[1].tag, requeue=True)
    channel.reject(taken[2].tag, requeue=False)
    channel.nack(taken[0].tag, requeue=True)
    wait_for_ready(channel, name(), 3)
    again = [channel.get(name()) for _ in range(3)]
    assert [(one.body, one.redelivered) for one in again] == [(b"1", True), (b"2", True), (b"4", False)]
    for one in again:
        channel.ack(one.tag)
    channel.delete_queue(name())


def test_purging_and_deleting_count_what_they_throw_away(clients, name):
    channel = clients().channel()
    channel.declare_queue(name())
    publish_all(channel, name(), [b"1", b"2", b"3"])
    unacked = channel.get(name())
    assert channel.purge(name()) == 2
    channel.nack(unacked.tag)
    wait_for_ready(channel, name(), 1)
    assert channel.delete_queue(name()) == 1


def test_a_queue_in_use_or_with_messages_is_not_deleted_if_asked_so(clients, name):
    client = clients()
    channel = client.channel()
    channel.declare_queue(name())
    publish_all(channel, name(), [b"1"])
    with pytest.raises(ChannelFailed) as failed:
        channel.delete_queue(name(), if_empty=True)
    assert (failed.value.code, failed.value.text) == (
        406, f"PRECONDITION_FAILED - queue '{name()}' in vhost '/' not empty")
    consuming, channel = client.channel(), client.channel()
    tag = consuming.consume(name())
    with pytest.raises(ChannelFailed) as failed:
        channel.delete_queue(name(), if_unused=True)
    assert (failed.value.code, failed.value.text) == (
        406, f"PRECONDITION_FAILED - queue '{name()}' in vhost '/' in use")
    consuming.cancel(tag)
    client.channel().delete_queue(name(), if_unused=True)


def test_a_failed_channel_leaves_its_neighbours_alone(clients, name):
    client = clients()
    good, bad = client.channel(), client.channel()
    good.declare_queue(name())
    with pytest.raises(ChannelFailed) as failed:
        bad.declare_queue(name("missing"), passive=True)
    assert (failed.value.code, failed.value.text) == (
        404, f"NOT_FOUND - no queue '{name('missing')}' in vhost '/'")
    good.publish("", name(), b"still here")
    assert good.get(name(), no_ack=True).body == b"still here"
    another = client.channel()
    assert another.delete_queue(name()) == 0


def test_publishing_to_an_exchange_that_is_not_there_closes_the_channel(clients, name):
    client = clients()
    channel = client.channel()
    with pytest.raises(ChannelFailed) as failed:
        channel.publish(name("missing"), "k", b"")
    assert (failed.value.code, failed.value.text) == (
        404, f"NOT_FOUND - no exchange '{name('missing')}' in vhost '/'")
    client.channel().declare_exchange(name("missing"))
    client.channel().delete_exchange(name("missing"))


def test_an_exclusive_queue_belongs_to_its_connection(clients, name):
    owner = clients()
    owner.channel().declare_queue(name(), exclusive=True)
    other = clients()
    with pytest.raises(ChannelFailed) as failed:
        other.channel().declare_queue(name(), passive=True)
    assert failed.value.code == 405
    assert failed.value.text.startswith(
        f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{name()}' in vhost '/'")
    owner.close()

    def gone():
        try:
            other.channel().declare_queue(name(), passive=True)
        except ChannelFailed as error:
            return error.code == 404
        return False

    wait_until(gone, "the queue is gone with its owner")


def test_an_auto_delete_queue_goes_with_its_last_consumer(clients, name):
    client = clients()
    channel, other = client.channel(), client.channel()
    channel.declare_queue(name(), auto_delete=True)
    first, second = channel.consume(name()), other.consume(name())
    channel.cancel(first)
    assert channel.declare_queue(name(), auto_delete=True)[2] == 1
    other.cancel(second)

    def gone():
        try:
            client.channel().declare_queue(name(), passive=True)
        except ChannelFailed as error:
            return error.code == 404
        return False

    wait_until(gone, "the queue is gone")


def test_a_consumer_hears_that_its_queue_was_deleted(clients, name):
    consumer, other = clients(), clients()
    consuming, channel = consumer.channel(), other.channel()
    channel.declare_queue(name())
    tag = consuming.consume(name())
    channel.delete_queue(name())
    assert consuming.next_cancelled() == tag


PROPERTIES = {
    "content_type": "text/plain; charset=utf-8", "content_encoding": "gzip", "delivery_mode": 2, "priority": 7,
    "correlation_id": "grün 私", "reply_to": "somewhere", "message_id": "id-1", "timestamp": 1700000000,
    "type": "order", "user_id": "guest", "app_id": "shop",
    "headers": {"text": "ß∂ 語", "number": 12345, "yes": True, "no": False},
}


def test_properties_come_back_as_they_went(clients, name):
    channel = clients().channel()
    channel.declare_queue(name())
    channel.publish("", name(), b"x", PROPERTIES)
    assert channel.get(name(), no_ack=True).properties == PROPERTIES
    channel.delete_queue(name())


@pytest.mark.parametrize("size", [0, 1, 4096, 131064, 131065, 1 << 20])
def test_bodies_of_all_sizes_come_back_as_they_went(clients, name, size):
    body = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    channel = clients().channel()
    channel.declare_queue(name())
    channel.publish("", name(), body)
    assert channel.get(name(), no_ack=True).body == body
    channel.consume(name(), no_ack=True)
    channel.publish("", name(), body)
    assert channel.next_delivery().body == body
    channel.delete_queue(name())


@pytest.mark.parametrize("size", [(256 << 10) - 1, 256 << 10, 3 << 20])
def test_large_persistent_bodies_come_back_as_they_went(clients, name, size):
    body = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    channel = clients().channel()
    channel.declare_queue(name(), durable=True)
    channel.publish("", name(), body, {"delivery_mode": 2})
    assert channel.get(name(), no_ack=True).body == body
    channel.consume(name(), no_ack=True)
    channel.publish("", name(), body, {"delivery_mode": 2})
    assert channel.next_delivery().body == body
    channel.delete_queue(name())


def test_names_are_utf_8(clients, client_kind, name):
    if client_kind == "aio-pika":
        pytest.skip("aio-pika allows ASCII names only")
    channel = clients().channel()
    queue, exchange, key = name("große Schlange 🐍"), name("обмен"), "κλειδί.鍵"
    channel.declare_exchange(exchange, "topic")
    assert channel.declare_queue(queue)[0] == queue
    channel.bind(queue, exchange, "κλειδί.*")
    channel.publish(exchange, key, b"x")
    got = channel.get(queue, no_ack=True)
    assert (got.exchange, got.routing_key) == (exchange, key)
    channel.delete_queue(queue)
    channel.delete_exchange(exchange)


def test_a_wrong_password_is_refused(clients, broker):
    with pytest.raises(ConnectionFailed) as failed:
        clients(broker.address.but(password="wrong"))
    assert failed.value.code in (403, 0)  # librabbitmq and amqplib do not ask for the code
