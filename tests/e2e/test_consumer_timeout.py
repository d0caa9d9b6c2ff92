"""Clients that do not acknowledge."""

import pika
import pytest

from harness.fixtures import close_quietly


def connection_to(server):
    address = server.address
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


@pytest.mark.parametrize("where", ["server", "queue"])
def test_what_is_not_acknowledged_in_time_closes_the_channel_and_comes_back(start_weir, where):
    server = start_weir("amqp.consumer_timeout_ms=" + ("700" if where == "server" else "60000"))
    arguments = {"x-consumer-timeout": 700} if where == "queue" else {}
    connection = connection_to(server)
    slow = connection.channel()
    slow.queue_declare("q", durable=True, arguments=arguments)
    for number in range(3):
        slow.basic_publish("", "q", b"%d" % number)
    other = connection.channel()
    slow.basic_qos(prefetch_count=2)
    got = []
    slow.basic_consume("q", lambda channel, method, properties, body: got.append(body))
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
        slow.start_consuming()
    assert got == [b"0", b"1"]
    assert closed.value.reply_code == 406
    assert closed.value.reply_text == (
        "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 700 ms. "
        "This timeout value can be configured, see consumers doc guide to learn more")
    for number in range(3):
        method, _, body = other.basic_get("q", auto_ack=True)
        assert body == b"%d" % number and method.redelivered == (number < 2)
    close_quietly(connection)
