"""Order by key with competing consumers."""

import pika
import pytest

from harness.fixtures import close_quietly


def connection_to(server):
    address = server.address
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_each_group_is_worked_on_in_order_by_one_consumer_at_a_time(start_weir, how):
    server = start_weir()
    connection = connection_to(server)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("q", durable=True, arguments={"x-message-groups": "customer"})
    for number in range(60):
        channel.basic_publish("", "q", b"%d" % number, pika.BasicProperties(
            delivery_mode=2, headers={"customer": f"c{number % 3}"}))
    getattr(server, how)()
    close_quietly(connection)
    server.start()
    connections = [connection_to(server) for _ in range(3)]
    held, seen = [], []

    def on_message(channel, method, properties, body):
        assert properties.headers["customer"] not in [group for _, _, group in held], "two of a group are out"
        held.append((channel, method.delivery_tag, properties.headers["customer"]))
        seen.append(int(body))

    for one in connections:
        consuming = one.channel()
        consuming.basic_qos(prefetch_count=10)
        consuming.basic_consume("q", on_message)
    while len(seen) < 60:
        for one in connections:
            one.process_data_events(0.01)
        if held:
            channel, tag, _ = held.pop(0)
            channel.basic_ack(tag)
    for group in range(3):
        assert [number for number in seen if number % 3 == group] == list(range(group, 60, 3))
    for one in connections:
        close_quietly(one)
