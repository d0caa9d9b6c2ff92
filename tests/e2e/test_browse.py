"""Consumers that only look at a queue's messages."""

import pika
import pytest

from harness.fixtures import close_quietly
from harness.waiting import wait_until


def connection_to(server):
    address = server.address
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


def test_several_look_at_what_others_take(start_weir):
    server = start_weir()
    connection = connection_to(server)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("q", durable=True)
    for number in range(1000):
        channel.basic_publish("", "q", b"%d" % number, pika.BasicProperties(delivery_mode=2))
    lookers = [connection_to(server) for _ in range(2)]
    seen = [[], []]
    for looker, bodies in zip(lookers, seen):
        looker.channel().basic_consume("q", lambda *got, bodies=bodies: bodies.append(got[3]), auto_ack=True,
                                       arguments={"x-browse": True})

    def have(count):
        for looker in lookers:
            looker.process_data_events(0.01)
        return all(len(bodies) == count for bodies in seen)

    wait_until(lambda: have(1000), "they have seen all")
    channel.basic_publish("", "q", b"1000", pika.BasicProperties(delivery_mode=2))
    wait_until(lambda: have(1001), "they follow")
    assert seen[0] == seen[1] == [b"%d" % number for number in range(1001)]
    for number in range(1001):
        method, _, body = channel.basic_get("q", auto_ack=True)
        assert body == b"%d" % number and not method.redelivered
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        connection.channel().basic_consume("q", lambda *_: None, arguments={"x-browse": True})
    assert closed.value.reply_code == 406
    for one in [connection, *lookers]:
        close_quietly(one)


def test_one_goes_on_where_it_left_off(start_weir):
    server = start_weir()
    connection = connection_to(server)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("q", durable=True)
    for number in range(10):
        channel.basic_publish("", "q", b"%d" % number, pika.BasicProperties(delivery_mode=2, headers={"mine": number}))

    def look(start, count):
        looker = connection_to(server)
        seen = []
        looker.channel().basic_consume("q", lambda *got: seen.append(got), auto_ack=True,
                                       arguments={"x-browse": True, "x-stream-offset": start})
        wait_until(lambda: looker.process_data_events(0.01) or len(seen) >= count, "they have come")
        close_quietly(looker)
        return [(body, properties.headers) for _, _, properties, body in seen]

    before = look("first", 10)[4][1]
    assert before["mine"] == 4
    after = look(before["x-stream-offset"] + 1, 5)
    assert [body for body, _ in after] == [b"5", b"6", b"7", b"8", b"9"]
    assert [body for body, _ in look("last", 1)] == [b"9"]
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="x-stream-offset"):
        look("middle", 1)
