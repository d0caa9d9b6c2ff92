"""Who gets which message when, in the words of the protocol."""

import pytest
from pamqp.commands import Basic, Channel, Confirm, Exchange, Queue

from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected, method_frame, publish_frames


def declared(wire, queue="", channel=1, **options):
    return wire.rpc(channel, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


def consume(wire, queue, tag="c", channel=1, **options):
    return wire.rpc(channel, Basic.Consume(queue=queue, consumer_tag=tag, **options), Basic.ConsumeOk)


def ready(wire, queue, channel=1):
    return declared(wire, queue, channel, passive=True).message_count


def filled(wire, queue, count, **options):
    declared(wire, queue, **options)
    wire.send(b"".join(publish_frames(1, "", queue, b"%d" % number) for number in range(count)))
    wait_until(lambda: ready(wire, queue) == count, "all are in the queue")


def bodies(wire, count):
    return [int(wire.next_content().body) for _ in range(count)]


def settled_up_to(wire, last):
    """Takes confirms until all up to `last` are there; returns the tags. Each may be confirmed by itself once."""
    tags, begin = set(), 1
    while begin <= last:
        ack = wire.next_method(Basic.Ack)
        assert ack.delivery_tag >= begin and ack.delivery_tag not in tags, "confirmed twice"
        tags.update(range(begin if ack.multiple else ack.delivery_tag, ack.delivery_tag + 1))
        while begin in tags:
            begin += 1
    return sorted(tags)


@pytest.mark.parametrize("properties", [b"\x00\x00", PERSISTENT], ids=["transient", "persistent"])
def test_every_publish_is_confirmed_once(wires, name, properties):
    wire = wires(confirms=True)
    declared(wire, name(), durable=True)
    for number in range(0, 10_000, 500):
        wire.send(b"".join(publish_frames(1, "", name(), b"%d" % at, properties) for at in range(number, number + 500)))
    tags = settled_up_to(wire, 10_000)
    assert tags == list(range(1, 10_001))
    assert wire.quiet(0.1)
    assert ready(wire, name()) == 10_000
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)


def test_confirms_are_counted_per_channel(wires, name):
    wire = wires(confirms=True)
    wire.open_channel(2, confirms=True)
    declared(wire, name(), exclusive=True)
    for _ in range(3):
        wire.publish(1, "", name(), b"x")
    assert settled_up_to(wire, 3) == [1, 2, 3]
    wire.publish(2, "", name(), b"x")
    assert wire.next_method(Basic.Ack, channel=2).delivery_tag == 1


def test_what_was_published_before_confirm_select_is_not_counted(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    wire.publish(1, "", name(), b"before")
    wire.rpc(1, Confirm.Select(), Confirm.SelectOk)
    wire.publish(1, "", name(), b"after")
    assert wire.next_method(Basic.Ack).delivery_tag == 1
    assert ready(wire, name()) == 2


def test_what_nobody_takes_is_confirmed_too_and_returned_before_if_mandatory(wires, name):
    wire = wires(confirms=True)
    wire.publish(1, "", name("nobody"), b"dropped")
    assert wire.next_method(Basic.Ack).delivery_tag == 1
    properties = b"\x80\x00\x0atext/plain"
    wire.publish(1, "amq.direct", name("nobody"), b"comes back", properties, mandatory=True)
    got = wire.next_content(Basic.Return)
    assert (got.method.reply_code, got.method.reply_text, got.method.exchange, got.method.routing_key) == (
        312, "NO_ROUTE", "amq.direct", name("nobody"))
    assert (got.body, got.properties) == (b"comes back", properties)
    assert wire.next_method(Basic.Ack).delivery_tag == 2


def test_a_publish_that_many_queues_take_is_confirmed_once(wires, name):
    wire = wires(confirms=True)
    wire.rpc(1, Exchange.Declare(exchange=name("x"), exchange_type="fanout"), Exchange.DeclareOk)
    for number in range(20):
        declared(wire, name(f"q{number}"), durable=bool(number % 2))
        wire.rpc(1, Queue.Bind(queue=name(f"q{number}"), exchange=name("x"), routing_key=""), Queue.BindOk)
    for _ in range(50):
        wire.publish(1, name("x"), "", b"for all", PERSISTENT)
    assert settled_up_to(wire, 50) == list(range(1, 51))
    for number in range(20):
        assert ready(wire, name(f"q{number}")) == 50
        wire.rpc(1, Queue.Delete(queue=name(f"q{number}")), Queue.DeleteOk)
    wire.rpc(1, Exchange.Delete(exchange=name("x")), Exchange.DeleteOk)


def test_two_bindings_of_one_queue_give_one_copy(wires, name):
    wire = wires()
    wire.rpc(1, Exchange.Declare(exchange=name("x"), exchange_type="topic"), Exchange.DeclareOk)
    declared(wire, name(), exclusive=True)
    for key in ("a.*", "*.b", "#"):
        wire.rpc(1, Queue.Bind(queue=name(), exchange=name("x"), routing_key=key), Queue.BindOk)
    wire.publish(1, name("x"), "a.b", b"x")
    wait_until(lambda: ready(wire, name()) == 1, "one copy has arrived")
    assert wire.quiet(0.05) and ready(wire, name()) == 1
    wire.rpc(1, Exchange.Delete(exchange=name("x")), Exchange.DeleteOk)


def test_exchanges_can_be_bound_to_exchanges_even_in_a_circle(wires, name):
    wire = wires()
    for exchange in ("a", "b", "c"):
        wire.rpc(1, Exchange.Declare(exchange=name(exchange), exchange_type="fanout"), Exchange.DeclareOk)
    for source, destination in (("a", "b"), ("b", "c"), ("c", "a")):
        wire.rpc(1, Exchange.Bind(destination=name(destination), source=name(source), routing_key=""), Exchange.BindOk)
    declared(wire, name(), exclusive=True)
    wire.rpc(1, Queue.Bind(queue=name(), exchange=name("c"), routing_key=""), Queue.BindOk)
    wire.publish(1, name("a"), "k", b"around")
    wait_until(lambda: ready(wire, name()) == 1, "one copy has come around")
    wire.rpc(1, Exchange.Unbind(destination=name("c"), source=name("b"), routing_key=""), Exchange.UnbindOk)
    wire.publish(1, name("a"), "k", b"not any more")
    assert ready(wire, name()) == 1
    for exchange in ("a", "b", "c"):
        wire.rpc(1, Exchange.Delete(exchange=name(exchange)), Exchange.DeleteOk)


def test_an_auto_delete_exchange_goes_with_its_last_binding(wires, name):
    wire = wires()
    wire.rpc(1, Exchange.Declare(exchange=name("x"), exchange_type="fanout", auto_delete=True), Exchange.DeclareOk)
    declared(wire, name(), exclusive=True)
    wire.rpc(1, Queue.Bind(queue=name(), exchange=name("x"), routing_key=""), Queue.BindOk)
    wire.rpc(1, Queue.Unbind(queue=name(), exchange=name("x"), routing_key=""), Queue.UnbindOk)
    wire.send_method(1, Exchange.Declare(exchange=name("x"), passive=True))
    wire.expect_channel_close(1, 404)


def test_consumers_take_turns(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    for channel, tag in ((2, "a"), (3, "b"), (4, "c")):
        wire.open_channel(channel)
        consume(wire, name(), tag, channel)
    wire.send(b"".join(publish_frames(1, "", name(), b"%d" % number) for number in range(30)))
    got = [wire.next_content() for _ in range(30)]
    counts = {tag: sum(one.method.consumer_tag == tag for one in got) for tag in "abc"}
    assert counts == {"a": 10, "b": 10, "c": 10}


def test_a_cancelled_consumer_gets_nothing_more_and_keeps_what_it_has(wires, name):
    wire = wires()
    filled(wire, name(), 3, exclusive=True)
    wire.rpc(1, Basic.Qos(prefetch_count=2), Basic.QosOk)
    consume(wire, name())
    assert bodies(wire, 2) == [0, 1]
    wire.rpc(1, Basic.Cancel(consumer_tag="c"), Basic.CancelOk)
    wire.send_method(1, Basic.Ack(delivery_tag=1))
    assert wire.quiet()
    assert ready(wire, name()) == 1
    wire.send_method(1, Basic.Nack(delivery_tag=2, requeue=True))
    wait_until(lambda: ready(wire, name()) == 2, "it is back")


def test_the_same_tag_can_be_used_again_after_cancelling(wires, name):
    wire = wires()
    filled(wire, name(), 2, exclusive=True)
    for number in range(2):
        wire.rpc(1, Basic.Qos(prefetch_count=1), Basic.QosOk)
        consume(wire, name())
        assert int(wire.next_content().body) == number
        wire.rpc(1, Basic.Cancel(consumer_tag="c"), Basic.CancelOk)


def test_many_unacknowledged_messages_come_back_in_order(wires, broker, name):
    wire = wires()
    filled(wire, name(), 1000)
    with connected(broker.address) as taking:
        consume(taking, name())
        assert bodies(taking, 1000) == list(range(1000))
        taking.send_method(1, Basic.Ack(delivery_tag=500))
        taking.send_method(1, Basic.Nack(delivery_tag=100, multiple=True, requeue=False))
        taking.close()
    wait_until(lambda: ready(wire, name()) == 899, "the rest is back")
    consume(wire, name())
    got = [wire.next_content() for _ in range(899)]
    assert [int(one.body) for one in got] == [number for number in range(100, 1000) if number != 499]
    assert all(one.method.redelivered for one in got)
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)


def test_requeued_messages_go_before_those_that_came_later(wires, name):
    wire = wires()
    filled(wire, name(), 5, exclusive=True)
    wire.rpc(1, Basic.Qos(prefetch_count=3), Basic.QosOk)
    consume(wire, name())
    assert bodies(wire, 3) == [0, 1, 2]
    wire.rpc(1, Basic.Cancel(consumer_tag="c"), Basic.CancelOk)
    wire.send_method(1, Basic.Nack(delivery_tag=0, multiple=True, requeue=True))
    wait_until(lambda: ready(wire, name()) == 5, "they are back")
    consume(wire, name(), no_ack=True)
    got = [wire.next_content() for _ in range(5)]
    assert [(int(one.body), one.method.redelivered) for one in got] == [
        (0, True), (1, True), (2, True), (3, False), (4, False)]


def test_recover_delivers_again_what_is_unacknowledged(wires, name):
    wire = wires()
    filled(wire, name(), 3, exclusive=True)
    consume(wire, name())
    assert bodies(wire, 3) == [0, 1, 2]
    wire.send_method(1, Basic.Ack(delivery_tag=2))
    wire.rpc(1, Basic.Recover(requeue=True), Basic.RecoverOk)
    got = [wire.next_content() for _ in range(2)]
    assert [(int(one.body), one.method.redelivered, one.method.delivery_tag) for one in got] == [
        (0, True, 4), (2, True, 5)]


def test_a_delivery_is_acknowledged_on_its_own_channel(wires, name):
    wire = wires()
    wire.open_channel(2)
    filled(wire, name(), 1, exclusive=True)
    consume(wire, name())
    assert bodies(wire, 1) == [0]
    wire.send_method(2, Basic.Ack(delivery_tag=1))
    wire.expect_channel_close(2, 406, "PRECONDITION_FAILED - unknown delivery tag 1")


def test_get_says_how_many_are_left(wires, name):
    wire = wires()
    filled(wire, name(), 3, exclusive=True)
    for left in (2, 1, 0):
        wire.send_method(1, Basic.Get(queue=name(), no_ack=True))
        assert wire.next_content(Basic.GetOk).method.message_count == left
    wire.rpc(1, Basic.Get(queue=name()), Basic.GetEmpty)


def test_a_declared_queue_says_what_is_ready_and_who_consumes(wires, name):
    wire = wires()
    filled(wire, name(), 3, exclusive=True)
    ok = declared(wire, name(), exclusive=True)
    assert (ok.message_count, ok.consumer_count) == (3, 0)
    wire.rpc(1, Basic.Qos(prefetch_count=1), Basic.QosOk)
    consume(wire, name())
    bodies(wire, 1)
    ok = declared(wire, name(), exclusive=True)
    assert (ok.message_count, ok.consumer_count) == (2, 1)


def test_prefetch_is_for_consumers_that_come_after_it(wires, name):
    wire = wires()
    filled(wire, name(), 4, exclusive=True)
    wire.rpc(1, Basic.Qos(prefetch_count=1), Basic.QosOk)
    consume(wire, name(), "one")
    wire.rpc(1, Basic.Qos(prefetch_count=2), Basic.QosOk)
    consume(wire, name(), "two")
    got = [wire.next_content() for _ in range(3)]
    assert sorted(one.method.consumer_tag for one in got) == ["one", "two", "two"]
    assert wire.quiet()


def test_no_wait_asks_for_no_answer(wires, name):
    wire = wires()
    wire.send(method_frame(1, Exchange.Declare(exchange=name("x"), exchange_type="fanout", nowait=True))
              + method_frame(1, Queue.Declare(queue=name(), exclusive=True, nowait=True))
              + method_frame(1, Queue.Bind(queue=name(), exchange=name("x"), routing_key="", nowait=True))
              + method_frame(1, Basic.Consume(queue=name(), consumer_tag="c", no_ack=True, nowait=True))
              + publish_frames(1, name("x"), "", b"x"))
    assert wire.next_content().body == b"x"
    wire.send(method_frame(1, Basic.Cancel(consumer_tag="c", nowait=True)) + publish_frames(1, name("x"), "", b"y")
              + method_frame(1, Queue.Purge(queue=name(), nowait=True))
              + method_frame(1, Exchange.Delete(exchange=name("x"), nowait=True))
              + method_frame(1, Queue.Delete(queue=name(), nowait=True))
              + method_frame(1, Queue.Declare(queue=name(), passive=True)))
    wire.expect_channel_close(1, 404)


def test_pipelined_requests_are_answered_in_order(wires, name):
    wire = wires()
    wire.send(b"".join(method_frame(1, Queue.Declare(queue=name(f"q{number}"), exclusive=True))
                       for number in range(200)))
    for number in range(200):
        assert wire.next_method(Queue.DeclareOk).queue == name(f"q{number}")


def test_a_client_that_can_hear_it_is_told_that_its_queue_was_deleted(broker, wires, name):
    wire = wires()
    declared(wire, name())
    with connected(broker.address) as told, connected(broker.address, capabilities={}) as not_told:
        consume(told, name(), "told")
        consume(not_told, name(), "not told")
        wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
        assert told.next_method(Basic.Cancel).consumer_tag == "told"
        assert not_told.quiet()


def test_deleting_a_queue_leaves_others_alone_and_forgets_what_was_in_flight(wires, name):
    wire = wires()
    wire.open_channel(2)
    filled(wire, name("a"), 2, exclusive=True)
    filled(wire, name("b"), 2, exclusive=True)
    consume(wire, name("a"), "a", 2)
    assert bodies(wire, 2) == [0, 1]
    wire.rpc(1, Queue.Delete(queue=name("a")), Queue.DeleteOk)
    assert wire.next_method(Basic.Cancel, channel=2).consumer_tag == "a"
    wire.send_method(2, Basic.Ack(delivery_tag=2, multiple=True))
    consume(wire, name("b"), "b", 2)
    assert bodies(wire, 2) == [0, 1]
    wire.rpc(2, Channel.Close(reply_code=200, reply_text="", class_id=0, method_id=0), Channel.CloseOk)


def test_a_queue_declared_anew_begins_empty(wires, name):
    wire = wires()
    filled(wire, name(), 3, durable=True)
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
    assert declared(wire, name(), durable=True).message_count == 0
    wire.publish(1, "", name(), b"7")
    consume(wire, name())
    assert bodies(wire, 1) == [7]
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)


def test_a_hundred_queues_on_all_shards_each_keep_their_order(wires, name):
    wire = wires(confirms=True)
    for queue in range(100):
        declared(wire, name(str(queue)), exclusive=True, durable=True)
    for number in range(20):
        wire.send(b"".join(publish_frames(1, "", name(str(queue)), b"%d" % number, PERSISTENT) for queue in range(100)))
    assert len(settled_up_to(wire, 2000)) == 2000
    for queue in range(100):
        wire.send_method(1, Basic.Consume(queue=name(str(queue)), consumer_tag=str(queue), nowait=True))
    orders = {str(queue): [] for queue in range(100)}
    for _ in range(2000):
        got = wire.next_content()
        orders[got.method.consumer_tag].append(int(got.body))
    assert all(order == list(range(20)) for order in orders.values())
