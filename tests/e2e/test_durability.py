"""What survives a restart, as each client library sees it. tests/crash has the crashes under load."""

import asyncio
import socket
import threading

import aio_pika
import pytest
from kombu import Connection as KombuConnection
from kombu import Consumer, Exchange, Producer, Queue
from pamqp import commands

from harness.clients import KINDS, ChannelFailed, connect
from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected, publish_frames


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_durable_definitions_and_persistent_messages_survive(start_weir, kind, how):
    server = start_weir()
    client = connect(kind, server.address)
    channel = client.channel()
    channel.declare_exchange("orders", "topic", durable=True)
    channel.declare_queue("kept", durable=True)
    channel.bind("kept", "orders", "new.#")
    channel.declare_queue("lost")
    for number in range(20):
        channel.publish("orders", "new.book", b"%d" % number, {"delivery_mode": 2, "message_id": f"m{number}"})
        channel.publish("", "kept", b"transient", {"delivery_mode": 1})
        channel.publish("", "lost", b"%d" % number, {"delivery_mode": 2})
    getattr(server, how)()
    try:
        client.close()
    except Exception:  # pylint: disable=broad-except
        pass
    server.start()
    client = connect(kind, server.address)
    channel = client.channel()
    assert channel.declare_queue("kept", durable=True)[1] == 20
    channel.consume("kept")
    for number in range(20):
        got = channel.next_delivery()
        assert (got.body, got.exchange, got.routing_key, got.properties["message_id"]) == (
            b"%d" % number, "orders", "new.book", f"m{number}")
        channel.ack(got.tag)
    channel.publish("orders", "new.pen", b"by the old binding")
    assert channel.next_delivery().body == b"by the old binding"
    with pytest.raises(ChannelFailed) as failed:
        client.channel().declare_queue("lost", passive=True)
    assert failed.value.code == 404
    client.close()


def test_deletions_survive_too(start_weir):
    server = start_weir()
    with connected(server.address) as wire:
        for name in ("stays", "goes"):
            wire.rpc(1, commands.Queue.Declare(queue=name, durable=True), commands.Queue.DeclareOk)
            wire.rpc(1, commands.Exchange.Declare(exchange=name, exchange_type="fanout", durable=True),
                     commands.Exchange.DeclareOk)
            wire.rpc(1, commands.Queue.Bind(queue=name, exchange="amq.fanout", routing_key=""), commands.Queue.BindOk)
        wire.publish(1, "amq.fanout", "", b"x", PERSISTENT)
        wire.rpc(1, commands.Queue.Unbind(queue="stays", exchange="amq.fanout", routing_key=""), commands.Queue.UnbindOk)
        wire.rpc(1, commands.Queue.Delete(queue="goes"), commands.Queue.DeleteOk)
        wire.rpc(1, commands.Exchange.Delete(exchange="goes"), commands.Exchange.DeleteOk)
        wire.rpc(1, commands.Queue.Purge(queue="stays"), commands.Queue.PurgeOk)
        server.kill()
    server.start()
    with connected(server.address) as wire:
        ok = wire.rpc(1, commands.Queue.Declare(queue="stays", passive=True), commands.Queue.DeclareOk)
        assert ok.message_count == 0
        wire.publish(1, "amq.fanout", "", b"x", PERSISTENT)
        ok = wire.rpc(1, commands.Queue.Declare(queue="stays", passive=True), commands.Queue.DeclareOk)
        assert ok.message_count == 0
        for gone in (commands.Queue.Declare(queue="goes", passive=True),
                     commands.Exchange.Declare(exchange="goes", passive=True)):
            wire.send_method(1, gone)
            wire.expect_channel_close(1, 404)
            wire.open_channel(1)


@pytest.mark.parametrize("size", [40_000, 200_000, 3_000_000])
def test_long_messages_are_read_back_from_the_disk(start_weir, size):
    """So long that they do not lie in one of the windows that are read."""
    server = start_weir()
    count = 60_000_000 // size
    with connected(server.address, confirms=True) as wire:
        wire.rpc(1, commands.Queue.Declare(queue="q", durable=True), commands.Queue.DeclareOk)
        for number in range(count):
            wire.send(publish_frames(1, "", "q", b"%08d" % number + bytes(size - 8), PERSISTENT))
        confirmed = 0
        while confirmed < count:
            ack = wire.next_method(commands.Basic.Ack)
            confirmed = ack.delivery_tag if ack.multiple else confirmed + 1
    server.kill()
    server.start()
    with connected(server.address) as wire:
        wire.rpc(1, commands.Basic.Qos(prefetch_count=10), commands.Basic.QosOk)
        wire.rpc(1, commands.Basic.Consume(queue="q", consumer_tag="c"), commands.Basic.ConsumeOk)
        for number in range(count):
            got = wire.next_content()
            assert len(got.body) == size and int(got.body[:8]) == number
            wire.send_method(1, commands.Basic.Ack(delivery_tag=got.method.delivery_tag))


def test_many_deep_queues_are_read_back_at_the_same_time(start_weir):
    server = start_weir()
    queues, depth = 60, 40
    body = bytes(20_000)
    with connected(server.address, confirms=True) as wire:
        for queue in range(queues):
            wire.rpc(1, commands.Queue.Declare(queue=f"q{queue}", durable=True), commands.Queue.DeclareOk)
        for number in range(depth):
            for queue in range(queues):
                wire.send(publish_frames(1, "", f"q{queue}", b"%08d" % number + body, PERSISTENT))
        confirmed = 0
        while confirmed < queues * depth:
            ack = wire.next_method(commands.Basic.Ack)
            confirmed = ack.delivery_tag if ack.multiple else confirmed + 1
    server.kill()
    server.start()
    with connected(server.address) as wire:
        for queue in range(queues):
            wire.send_method(1, commands.Basic.Consume(queue=f"q{queue}", consumer_tag=f"{queue}", no_ack=True, nowait=True))
        seen = {f"{queue}": 0 for queue in range(queues)}
        for _ in range(queues * depth):
            got = wire.next_content()
            assert int(got.body[:8]) == seen[got.method.consumer_tag]
            seen[got.method.consumer_tag] += 1


# --- clients that connect again by themselves ---


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_aio_pika_s_robust_connection_goes_on_after_a_restart(start_weir):
    server = start_weir(f"listeners.amqp=127.0.0.1:{free_port()}")
    port = server.ports["amqp"]

    async def run():
        connection = await aio_pika.connect_robust(host="127.0.0.1", port=port, reconnect_interval=0.1)
        channel = await connection.channel()
        queue = await channel.declare_queue("robust", durable=True)
        taken = asyncio.Queue()

        async def take(message):
            async with message.process():
                await taken.put(message.body)

        await queue.consume(take)
        message = aio_pika.Message(b"before", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "robust")
        assert await asyncio.wait_for(taken.get(), 5) == b"before"
        await asyncio.get_running_loop().run_in_executor(None, server.kill)
        await asyncio.get_running_loop().run_in_executor(None, server.start)
        with connected(server.address) as wire:
            wire.publish(1, "", "robust", b"after", PERSISTENT)
            wire.close()
        got = await asyncio.wait_for(taken.get(), 10)
        if got == b"before":  # its acknowledgement was not on the disk yet
            got = await asyncio.wait_for(taken.get(), 10)
        assert got == b"after"
        await connection.close()

    asyncio.run(run())


def test_kombu_retries_until_the_broker_is_back(start_weir):
    server = start_weir(f"listeners.amqp=127.0.0.1:{free_port()}")
    url = f"amqp://guest:guest@127.0.0.1:{server.ports['amqp']}//"
    queue = Queue("jobs", Exchange("jobs", "direct", durable=True), "job", durable=True)
    with KombuConnection(url, transport_options={"confirm_publish": True}) as connection:
        producer = Producer(connection)
        policy = {"interval_start": 0, "interval_step": 0.1, "interval_max": 0.2, "max_retries": 100}
        producer.publish({"n": 1}, exchange=queue.exchange, routing_key="job", declare=[queue], retry=True,
                         retry_policy=policy, delivery_mode=2)
        server.kill()
        back = threading.Timer(0.3, server.start)
        back.start()
        producer.publish({"n": 2}, exchange=queue.exchange, routing_key="job", declare=[queue], retry=True,
                         retry_policy=policy, delivery_mode=2)
        back.join()
    got = []
    with KombuConnection(url) as connection:
        with Consumer(connection, [queue], callbacks=[lambda body, message: (got.append(body), message.ack())],
                      accept=["json"]):
            wait_until(lambda: connection.drain_events(timeout=2) or len(got) >= 2, "both came")
    assert [body["n"] for body in got][:2] == [1, 2]
