"""kill -9 of the real process under load: what was confirmed is there afterwards, in order, and nothing else."""

import os
import signal
import threading

import pytest
from pamqp.commands import Basic, Exchange, Queue

from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected
from ledger import Ledger, ready_count, settled_ready_count

CYCLES = int(os.environ.get("WEIR_CRASH_CYCLES", "5"))
QUEUES = ["orders", "events", "quiet"]
KEPT_MAX = 400_000  # a queue with more is emptied: a consumer may hold a million without acknowledging


@pytest.fixture
def ledgers(tmp_path):
    ledgers = [Ledger(queue, tmp_path) for queue in QUEUES]
    yield ledgers
    for ledger in ledgers:
        ledger.end()


def declare(wire, queues=QUEUES):
    for queue in queues:
        wire.rpc(1, Queue.Declare(queue=queue, durable=True), Queue.DeclareOk)


def define_more(wire):
    """Definitions of every kind that have to be there after a crash, and some that must not."""
    wire.rpc(1, Exchange.Declare(exchange="audit", exchange_type="topic", durable=True), Exchange.DeclareOk)
    wire.rpc(1, Queue.Declare(queue="audited", durable=True, arguments={"x-note": "kept"}), Queue.DeclareOk)
    wire.rpc(1, Queue.Bind(queue="audited", exchange="audit", routing_key="a.*"), Queue.BindOk)
    wire.rpc(1, Exchange.Bind(destination="audit", source="amq.fanout", routing_key=""), Exchange.BindOk)
    wire.rpc(1, Queue.Declare(queue="passing", durable=False), Queue.DeclareOk)
    wire.rpc(1, Exchange.Declare(exchange="passing", exchange_type="fanout", durable=False), Exchange.DeclareOk)


def check_definitions(wire):
    wire.rpc(1, Exchange.Declare(exchange="audit", exchange_type="topic", durable=True), Exchange.DeclareOk)
    wire.rpc(1, Queue.Declare(queue="audited", durable=True, arguments={"x-note": "kept"}), Queue.DeclareOk)
    wire.publish(1, "audit", "a.b", b"by the binding", PERSISTENT)
    wire.publish(1, "amq.fanout", "a.b", b"by both bindings", PERSISTENT)
    wait_until(lambda: ready_count(wire, "audited").message_count == 2, "both messages are in the bound queue")
    wire.rpc(1, Queue.Purge(queue="audited"), Queue.PurgeOk)
    for missing in (Queue.Declare(queue="passing", passive=True), Exchange.Declare(exchange="passing", passive=True)):
        wire.send_method(1, missing)
        wire.expect_channel_close(1, 404)
        wire.open_channel(1)


def load(server, ledgers, cycle, seconds):
    """Publishers and consumers at work until the broker is killed; returns the processes."""
    port = server.ports["amqp"]
    orders, events, quiet = ledgers
    for number in range(2):
        orders.publisher(port, cycle * 10 + number, count=300_000)
        events.publisher(port, cycle * 10 + number, body_bytes_max=64 << 10, window=50)
    quiet.publisher(port, cycle * 10, window=1)
    orders.consumer(port)
    events.consumer(port, prefetch=50, ack_percent=100)
    killer = threading.Timer(seconds, server.kill)
    killer.start()
    killer.join()
    for ledger in ledgers:
        ledger.collect()


@pytest.mark.seconds(60 + 15 * CYCLES)
def test_nothing_confirmed_is_lost_by_kill_9(start_weir, ledgers, dice):
    server = start_weir()
    with connected(server.address) as wire:
        declare(wire)
        define_more(wire)
    for cycle in range(CYCLES):
        load(server, ledgers, cycle, seconds=dice.uniform(0.3, 1.5))
        server.start()
        with connected(server.address) as wire:
            check_definitions(wire)
            # In some cycles all of it stays, so that it has to survive more than one crash.
            ready = {ledger.queue: settled_ready_count(wire, ledger.queue) for ledger in ledgers}
            ack = cycle == CYCLES - 1 or dice.random() < 0.5 or max(ready.values()) > KEPT_MAX
            for ledger in ledgers:
                ledger.drain(server.ports["amqp"], ready[ledger.queue], ack)
                if ack:
                    wait_until(lambda queue=ledger.queue: settled_ready_count(wire, queue) == 0, "it is empty")
            define_more(wire)
    confirmed = sum(ledger.confirmed for ledger in ledgers)
    print(f"{CYCLES} cycles, {confirmed} confirmed messages")
    assert confirmed > 100 * CYCLES, "the load was too small to mean anything"
    assert server.stop() == 0


def test_messages_and_queues_that_are_not_durable_do_not_come_back(start_weir):
    server = start_weir()
    with connected(server.address, confirms=True) as wire:
        declare(wire, ["kept"])
        wire.rpc(1, Queue.Declare(queue="lost"), Queue.DeclareOk)
        for number in range(20):
            wire.publish(1, "", "kept", b"%d" % number, PERSISTENT if number % 2 else b"\x00\x00")
            wire.publish(1, "", "lost", b"%d" % number, PERSISTENT)
        confirmed = 0
        while confirmed < 40:
            ack = wire.next_method(Basic.Ack)
            confirmed = ack.delivery_tag if ack.multiple else confirmed + 1
        server.kill()
    server.start()
    with connected(server.address) as wire:
        assert ready_count(wire, "kept").message_count == 10
        wire.rpc(1, Basic.Consume(queue="kept", consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        assert [wire.next_content().body for _ in range(10)] == [b"%d" % number for number in range(1, 20, 2)]
        wire.send_method(1, Queue.Declare(queue="lost", passive=True))
        wire.expect_channel_close(1, 404)


def test_what_was_delivered_and_not_acknowledged_comes_again_and_says_so(start_weir):
    server = start_weir()
    with connected(server.address, confirms=True) as wire:
        declare(wire, ["q"])
        for number in range(10):
            wire.publish(1, "", "q", b"%d" % number, PERSISTENT)
        wait_until(lambda: ready_count(wire, "q").message_count == 10, "all are there")
        wire.rpc(1, Basic.Qos(prefetch_count=4), Basic.QosOk)
        with connected(server.address) as other:
            other.rpc(1, Basic.Qos(prefetch_count=4), Basic.QosOk)
            other.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
            assert [other.next_content().body for _ in range(4)] == [b"0", b"1", b"2", b"3"]
            server.kill()
    server.start()
    with connected(server.address) as wire:
        wire.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
        taken = [wire.next_content() for _ in range(10)]
        assert [one.body for one in taken] == [b"%d" % number for number in range(10)]
        assert all(one.method.redelivered for one in taken[:4])


def test_a_stop_by_sigterm_keeps_what_was_confirmed_and_acknowledged(start_weir, tmp_path):
    server = start_weir()
    ledger = Ledger("q", tmp_path)
    with connected(server.address) as wire:
        declare(wire, ["q"])
    try:
        for number in range(3):
            ledger.publisher(server.ports["amqp"], number)
        ledger.consumer(server.ports["amqp"])
        wait_until(lambda: server.disk_mib() > 12, "there is something on the disk", 20)
        assert server.stop() == 0
        ledger.collect()
        server.start()
        with connected(server.address) as wire:
            ledger.drain(server.ports["amqp"], settled_ready_count(wire, "q"), ack=True)
            assert settled_ready_count(wire, "q") == 0
        assert server.stop() == 0
        server.start()
        with connected(server.address) as wire:
            assert ready_count(wire, "q").message_count == 0, "what was acknowledged before a clean stop has come back"
    finally:
        ledger.end()


@pytest.mark.seconds(120)
def test_kill_9_while_it_recovers_loses_nothing(start_weir, tmp_path, dice):
    server = start_weir()
    ledger = Ledger("q", tmp_path)
    with connected(server.address) as wire:
        declare(wire, ["q"])
    try:
        for number in range(2):
            ledger.publisher(server.ports["amqp"], number, body_bytes_max=32 << 10, count=40_000)
        ledger.consumer(server.ports["amqp"], ack_percent=30)
        wait_until(lambda: server.disk_mib() > 60, "there is something to recover", 30)
        server.kill()
        ledger.collect()
        ready_after = None
        for _ in range(12):
            server.spawn()
            # Most are killed before they are ready.
            killer = threading.Timer(dice.uniform(0, 0.15), server.kill)
            killer.start()
            killer.join()
        server.start()
        ready_after = server.ready_after_s
        with connected(server.address) as wire:
            found = ledger.drain(server.ports["amqp"], settled_ready_count(wire, "q"), ack=True)
        print(f"{len(found)} messages left after 12 interrupted starts, ready in {ready_after:.3f} s")
        assert found
    finally:
        ledger.end()


def test_a_paused_process_goes_on_where_it_was(start_weir, tmp_path):
    """SIGSTOP for some seconds: publishers wait, and nothing is lost or doubled."""
    server = start_weir()
    ledger = Ledger("q", tmp_path)
    with connected(server.address) as wire:
        declare(wire, ["q"])
    try:
        clients = [ledger.publisher(server.ports["amqp"], number) for number in range(2)]
        consumer = ledger.consumer(server.ports["amqp"], ack_percent=100)
        wait_until(lambda: server.disk_mib() > 12, "it is at work", 20)
        server.process.send_signal(signal.SIGSTOP)
        resume = threading.Timer(3, server.process.send_signal, [signal.SIGCONT])
        resume.start()
        resume.join()
        for client in clients:
            client.stop()
        for client in clients:
            client.process.wait(30)
        with connected(server.address) as wire:
            wait_until(lambda: ready_count(wire, "q").message_count == 0, "the consumer has taken all", 20)
            consumer.stop()
            ledger.collect()
            left = settled_ready_count(wire, "q")  # delivered, and not yet read when it was told to stop
        ledger.drain(server.ports["amqp"], left, ack=True)
        for messages in ledger.sent.values():
            assert set(messages.states) == {ord("c")}, "a publisher that could finish has every message confirmed"
            assert all(messages.seen)
    finally:
        ledger.end()
