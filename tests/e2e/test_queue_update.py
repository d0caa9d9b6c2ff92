"""A queue gets other arguments in place: by its client, and by HTTP."""

import pika
import pytest

from harness.management import segment
from harness.waiting import wait_until


@pytest.fixture
def channel(weir):
    address = weir.address
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
    yield connection.channel()
    connection.close()


def test_a_declaration_changes_the_arguments_of_a_queue_with_messages(channel, name):
    queue = name("orders")
    channel.confirm_delivery()
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 100})
    for number in range(10):
        channel.basic_publish("", queue, b"%d" % number, pika.BasicProperties(delivery_mode=2))

    other = channel.connection.channel()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="406.*inequivalent arg 'x-max-length'"):
        other.queue_declare(queue, durable=True, arguments={"x-max-length": 3})

    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 3, "x-update-arguments": True})
    wait_until(lambda: channel.queue_declare(queue, passive=True).method.message_count == 3, "the oldest to go")
    assert [channel.basic_get(queue)[2] for _ in range(3)] == [b"7", b"8", b"9"]
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 3})
    channel.queue_delete(queue)


def test_it_is_changed_by_http_too(admin, channel, name):
    queue = name("orders")
    path = f"/queues/%2F/{segment(queue)}"
    admin.done("PUT", path, {"durable": True, "arguments": {"x-message-ttl": 60000}})
    admin.refused("PUT", path, {"durable": True, "arguments": {"x-message-ttl": 1}})
    assert admin.get(path)["arguments"] == {"x-message-ttl": 60000}
    admin.done("PUT", path, {"durable": True, "arguments": {"x-message-ttl": 1, "x-update-arguments": True}})
    assert admin.get(path)["arguments"] == {"x-message-ttl": 1}
    channel.queue_delete(queue)
