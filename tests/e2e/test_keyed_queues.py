"""Queues that drop what they have seen, and queues that keep the last value of each key."""

import pika
import pytest

from harness.fixtures import close_quietly


def connection_to(server):
    address = server.address
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


def drain(channel, queue):
    bodies = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return bodies
        bodies.append(body)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_publisher_may_publish_again_what_it_is_not_sure_of(start_weir, how):
    server = start_weir()
    arguments = {"x-message-deduplication": True, "x-cache-ttl": 600_000}

    def publish_all(connection):
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("q", durable=True, arguments=arguments)
        for number in range(100):
            channel.basic_publish("", "q", b"%d" % number, pika.BasicProperties(
                delivery_mode=2, headers={"x-deduplication-header": f"order-{number}"}))
        return channel

    connection = connection_to(server)
    channel = publish_all(connection)
    taken = [channel.basic_get("q", auto_ack=True)[2] for _ in range(50)]
    getattr(server, how)()
    close_quietly(connection)
    server.start()
    connection = connection_to(server)
    rest = drain(publish_all(connection), "q")
    # What was taken without an acknowledgement just before the end may come again; nothing else.
    assert rest[-50:] == [b"%d" % number for number in range(50, 100)]
    assert rest[:-50] == taken[len(taken) - len(rest) + 50:]
    assert drain(publish_all(connection), "q") == []
    close_quietly(connection)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_of_each_key_the_newest_value_is_there(start_weir, how):
    server = start_weir()
    connection = connection_to(server)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("prices", durable=True, arguments={"x-last-value-key": "share"})
    for number in range(30):
        channel.basic_publish("", "prices", b"%d" % number, pika.BasicProperties(
            delivery_mode=2, headers={"share": f"s{number % 4}"}))
    getattr(server, how)()
    close_quietly(connection)
    server.start()
    connection = connection_to(server)
    assert drain(connection.channel(), "prices") == [b"26", b"27", b"28", b"29"]
    close_quietly(connection)


def test_arguments_that_make_no_sense_are_refused(start_weir):
    connection = connection_to(start_weir())
    for arguments, words in [
            ({"x-cache-ttl": 1000}, "invalid arg 'x-cache-ttl' for queue 'q' in vhost '/': cache_but_no_deduplication"),
            ({"x-last-value-key": "a", "x-message-groups": "b"},
             "invalid arg 'x-message-groups' for queue 'q' in vhost '/': more_than_one_key")]:
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
            connection.channel().queue_declare("q", durable=True, arguments=arguments)
        assert closed.value.reply_code == 406
        assert closed.value.reply_text == "PRECONDITION_FAILED - " + words
    close_quietly(connection)
