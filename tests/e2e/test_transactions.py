"""Transactions, a prefetch of the whole channel, and further routing keys, over the libraries that have them."""

import subprocess

import amqp
import pika
import pytest
from kombu import Connection as KombuConnection
from pamqp.commands import Queue, Tx

from harness.clients.line_client import c_program
from harness.clients.pika_client import parameters
from harness.waiting import wait_until
from harness.wire import PERSISTENT

DURABLE = pika.BasicProperties(delivery_mode=2)


@pytest.fixture
def pika_channel(broker):
    connection = pika.BlockingConnection(parameters(broker.address))
    yield connection.channel()
    if connection.is_open:
        connection.close()


def publish_confirmed(connection, queue, body):
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("", queue, body, DURABLE)
    channel.close()


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def test_a_transaction_of_pika_moves_a_message_from_queue_to_queue(pika_channel, name):
    channel = pika_channel
    for queue in ("from", "to"):
        channel.queue_declare(name(queue), durable=True)
    publish_confirmed(channel.connection, name("from"), b"work")
    channel.tx_select()
    method, _, body = channel.basic_get(name("from"))
    channel.basic_publish("", name("to"), body, DURABLE)
    channel.basic_ack(method.delivery_tag)
    assert count(channel, name("to")) == 0
    channel.tx_rollback()
    assert count(channel, name("to")) == 0
    channel.basic_publish("", name("to"), body, DURABLE)
    channel.basic_ack(method.delivery_tag)
    channel.tx_commit()
    assert count(channel, name("to")) == 1
    channel.connection.close()


def test_transactions_of_librabbitmq(broker, pika_channel, name):
    for queue in ("from", "to"):
        pika_channel.queue_declare(name(queue), durable=True)
    address = broker.address
    done = subprocess.run([str(c_program("transactions")), address.host, str(address.port), name("from"), name("to")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    assert done.returncode == 0, done.stdout
    assert count(pika_channel, name("from")) == 1 and count(pika_channel, name("to")) == 1


def test_a_connection_that_ends_rolls_back(broker, pika_channel, name):
    pika_channel.queue_declare(name(), durable=True)
    other = pika.BlockingConnection(parameters(broker.address))
    channel = other.channel()
    channel.basic_publish("", name(), b"there", DURABLE)
    wait_until(lambda: count(pika_channel, name()) == 1, "the message is there")
    channel.tx_select()
    method, _, _ = channel.basic_get(name())
    channel.basic_ack(method.delivery_tag)
    channel.basic_publish("", name(), b"not there", DURABLE)
    other.close()
    wait_until(lambda: count(pika_channel, name()) == 1, "the message is back")
    assert pika_channel.basic_get(name(), True)[2] == b"there"
    assert count(pika_channel, name()) == 0
    pika_channel.queue_delete(name())


def test_a_transaction_of_py_amqp(broker, name):
    with amqp.Connection(f"127.0.0.1:{broker.address.port}") as connection:
        channel = connection.channel()
        channel.queue_declare(name(), durable=True, auto_delete=False)
        channel.tx_select()
        for number in range(100):
            channel.basic_publish(amqp.Message(b"%d" % number, delivery_mode=2), routing_key=name())
        assert channel.queue_declare(name(), passive=True).message_count == 0
        channel.tx_commit()
        assert channel.queue_declare(name(), passive=True).message_count == 100
        channel.basic_publish(amqp.Message(b"no"), routing_key=name())
        channel.tx_rollback()
        assert channel.queue_declare(name(), passive=True).message_count == 100
        channel.queue_delete(name())


def test_what_was_committed_survives_kill_9(start_weir, name):
    server = start_weir()
    connection = pika.BlockingConnection(parameters(server.address))
    channel = connection.channel()
    queues = [name(str(number)) for number in range(8)]
    for queue in queues:
        channel.queue_declare(queue, durable=True)
        publish_confirmed(connection, queue, b"old")
    channel.tx_select()
    for queue in queues:
        method, _, _ = channel.basic_get(queue)
        channel.basic_ack(method.delivery_tag)
        channel.basic_publish("", queue, b"new", DURABLE)
    channel.tx_commit()
    for queue in queues:
        channel.basic_publish("", queue, b"uncommitted", DURABLE)
    server.kill()
    server.start()
    connection = pika.BlockingConnection(parameters(server.address))
    channel = connection.channel()
    for queue in queues:
        assert channel.basic_get(queue, True)[2] == b"new"
        assert count(channel, queue) == 0
    connection.close()


def test_the_consumers_of_a_channel_share_its_prefetch(pika_channel, name):
    channel = pika_channel
    got = []
    channel.basic_qos(prefetch_count=3, global_qos=True)
    for queue in ("a", "b"):
        channel.queue_declare(name(queue), exclusive=True)
        for _ in range(4):
            channel.basic_publish("", name(queue), b"m")
    for queue in ("a", "b"):
        channel.basic_consume(name(queue), lambda _, method, *rest: got.append(method.delivery_tag))
    for expected in range(3, 9):
        wait_until(lambda: channel.connection.process_data_events(0.02) or len(got) >= expected, "the next message")
        channel.connection.process_data_events(0.1)
        assert len(got) == expected
        channel.basic_ack(got[expected - 3])


def test_kombu_sends_copies_by_cc_and_bcc(broker, name):
    with KombuConnection(f"amqp://guest:guest@127.0.0.1:{broker.address.port}//") as connection:
        channel = connection.channel()
        for queue in ("to", "cc", "bcc"):
            channel.queue_declare(name(queue), exclusive=True, auto_delete=False)
        producer = connection.Producer(channel)
        producer.publish({"n": 1}, routing_key=name("to"),
                         headers={"CC": [name("cc"), name("to")], "BCC": [name("bcc")], "n": 7})
        for queue in ("to", "cc", "bcc"):
            wait_until(lambda: channel.queue_declare(name(queue), passive=True).message_count == 1, queue)  # pylint: disable=W0640
            message = channel.basic_get(name(queue), no_ack=True)
            assert message.headers == {"CC": [name("cc"), name("to")], "n": 7}


def test_commits_of_many_channels_run_side_by_side(wires, name):
    wire = wires()
    wire.rpc(1, Queue.Declare(queue=name(), durable=True), Queue.DeclareOk)
    channels = range(1, 11)
    for channel in channels:
        if channel > 1:
            wire.open_channel(channel)
        wire.rpc(channel, Tx.Select(), Tx.SelectOk)
    for channel in channels:
        for number in range(10):
            wire.publish(channel, "", name(), b"%d" % number, PERSISTENT)
        wire.send_method(channel, Tx.Commit())
    for channel in channels:
        wire.find_method(Tx.CommitOk, channel)
    assert wire.rpc(1, Queue.Declare(queue=name(), passive=True), Queue.DeclareOk).message_count == 100
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
