"""Messages that come back to a quorum queue and wait before they are delivered again."""

import time

import pytest
from pamqp.commands import Basic, Queue

from harness.wire import PERSISTENT, connected, publish_frames


def retrying(type_, minimum, **more):
    return {"x-queue-type": "quorum", "x-delayed-retry-type": type_, "x-delayed-retry-min": minimum, **more}


def consume(wire, queue):
    wire.rpc(1, Basic.Consume(queue=queue, consumer_tag="c"), Basic.ConsumeOk)
    return wire.next_content()


@pytest.fixture
def queue(weir):
    return "retried"


def declare(wire, queue, arguments):
    wire.rpc(1, Queue.Delete(queue=queue), Queue.DeleteOk)
    wire.rpc(1, Queue.Declare(queue=queue, durable=True, arguments=arguments), Queue.DeclareOk)


def test_a_rejected_message_comes_again_later_and_later(weir, queue):
    with connected(weir.address) as wire:
        declare(wire, queue, retrying("all", 150))
        wire.send(publish_frames(1, "", queue, b"again", PERSISTENT))
        delivery = consume(wire, queue)
        for times in (1, 2):
            began = time.monotonic()
            wire.send_method(1, Basic.Reject(delivery_tag=delivery.method.delivery_tag, requeue=True))
            delivery = wire.next_content(seconds=10)
            assert delivery.body == b"again" and delivery.method.redelivered
            assert time.monotonic() - began >= times * 0.15 - 0.01


def test_what_is_given_back_is_not_what_failed(weir, queue):
    with connected(weir.address) as wire:
        declare(wire, queue, retrying("failed", 60_000))
        wire.send(publish_frames(1, "", queue, b"a", PERSISTENT))
        delivery = consume(wire, queue)
        wire.send_method(1, Basic.Nack(delivery_tag=delivery.method.delivery_tag, requeue=True))
        delivery = wire.next_content()
        wire.send_method(1, Basic.Reject(delivery_tag=delivery.method.delivery_tag, requeue=True))
        assert wire.quiet()


def test_a_client_that_is_lost_has_failed_and_the_wait_outlives_kill_9(start_weir, queue):
    weir = start_weir()
    with connected(weir.address) as wire:
        declare(wire, queue, retrying("failed", 60_000))
        wire.send(publish_frames(1, "", queue, b"a", PERSISTENT))
        lost = connected(weir.address)
        consume(lost, queue)
        lost.drop()
        wire.open_channel(2, confirms=True)
        # What was settled before is durable with the next commit.
        wire.send(publish_frames(2, "", queue, b"b", PERSISTENT))
        wire.find_method(Basic.Ack, 2)
        wire.send_method(1, Basic.Get(queue=queue))
        assert wire.next_content(Basic.GetOk).body == b"b"
    weir.kill()
    weir.start()
    with connected(weir.address) as wire:
        wire.send_method(1, Basic.Get(queue=queue))
        assert wire.next_content(Basic.GetOk).body == b"b"
        wire.send_method(1, Basic.Get(queue=queue))
        wire.next_method(Basic.GetEmpty, 1)
