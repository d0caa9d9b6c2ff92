"""What is not allowed is answered with the codes and the words that clients of RabbitMQ know, and ends what it has to end:
the request's channel or the whole connection."""

import struct

import pytest
from pamqp.commands import Basic, Channel, Confirm, Connection, Exchange, Queue

from harness.waiting import wait_until
from harness.wire import (BODY, METHOD, PERSISTENT, Wire, body_frames, connected, frame, header_frame, method_frame,
                          publish_frames, short_string)

NO_TABLE = b"\x00\x00\x00\x00"


def exchange_declare(name, kind="fanout", flags=0):
    """Spelled out, because pamqp knows no internal exchanges. Flags: 1 passive, 2 durable, 4 auto-delete, 8 internal."""
    return frame(METHOD, 1, struct.pack(">IH", Exchange.Declare.index, 0) + short_string(name) + short_string(kind)
                 + bytes([flags]) + NO_TABLE)


def declared(wire, queue, **options):
    return wire.rpc(1, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


def alive(broker):
    with connected(broker.address) as other:
        queue = other.rpc(1, Queue.Declare(exclusive=True), Queue.DeclareOk).queue
        other.publish(1, "", queue, b"alive")
        wait_until(lambda: declared(other, queue, passive=True).message_count == 1, "the message arrived")


def missing_queue(name):
    return f"NOT_FOUND - no queue '{name}' in vhost '/'"


def missing_exchange(name):
    return f"NOT_FOUND - no exchange '{name}' in vhost '/'"


CHANNEL_ERRORS = {
    "passive declare of a missing queue": (
        lambda q: Queue.Declare(queue=q + "no", passive=True), 404, lambda q: missing_queue(q + "no")),
    "passive declare of a missing queue, nowait": (
        lambda q: Queue.Declare(queue=q + "no", passive=True, nowait=True), 404, lambda q: missing_queue(q + "no")),
    "passive declare of a missing exchange": (
        lambda q: Exchange.Declare(exchange=q + "no", passive=True), 404, lambda q: missing_exchange(q + "no")),
    "consuming a missing queue": (
        lambda q: Basic.Consume(queue=q + "no"), 404, lambda q: missing_queue(q + "no")),
    "getting from a missing queue": (
        lambda q: Basic.Get(queue=q + "no"), 404, lambda q: missing_queue(q + "no")),
    "purging a missing queue": (
        lambda q: Queue.Purge(queue=q + "no"), 404, lambda q: missing_queue(q + "no")),
    "binding a missing queue": (
        lambda q: Queue.Bind(queue=q + "no", exchange="amq.direct", routing_key="k"), 404,
        lambda q: missing_queue(q + "no")),
    "binding to a missing exchange": (
        lambda q: Queue.Bind(queue=q, exchange=q + "no", routing_key="k"), 404, lambda q: missing_exchange(q + "no")),
    "binding a missing exchange": (
        lambda q: Exchange.Bind(destination=q + "no", source="amq.direct"), 404, lambda q: missing_exchange(q + "no")),
    "binding an exchange to a missing one": (
        lambda q: Exchange.Bind(destination="amq.direct", source=q + "no"), 404, lambda q: missing_exchange(q + "no")),
    "publishing to a missing exchange": (
        lambda q: publish_frames(1, q + "no", "k", b"x"), 404, lambda q: missing_exchange(q + "no")),
    "a queue with a reserved name": (
        lambda q: Queue.Declare(queue="amq.mine"), 403,
        lambda q: "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"),
    "an exchange with a reserved name": (
        lambda q: Exchange.Declare(exchange="amq.mine"), 403,
        lambda q: "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'"),
    "deleting the default exchange": (
        lambda q: Exchange.Delete(exchange=""), 403,
        lambda q: "ACCESS_REFUSED - operation not permitted on the default exchange"),
    "declaring the default exchange": (
        lambda q: Exchange.Declare(exchange=""), 403,
        lambda q: "ACCESS_REFUSED - operation not permitted on the default exchange"),
    "binding to the default exchange": (
        lambda q: Queue.Bind(queue=q, exchange="", routing_key="k"), 403,
        lambda q: "ACCESS_REFUSED - operation not permitted on the default exchange"),
    "deleting a predeclared exchange": (
        lambda q: Exchange.Delete(exchange="amq.direct"), 403,
        lambda q: "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed"),
    "a queue that is durable already": (
        lambda q: Queue.Declare(queue=q), 406,
        lambda q: f"PRECONDITION_FAILED - inequivalent arg 'durable' for queue '{q}' in vhost '/': "
                  "received 'false' but current is 'true'"),
    "a queue that is not auto-delete": (
        lambda q: Queue.Declare(queue=q, durable=True, auto_delete=True), 406,
        lambda q: f"PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue '{q}' in vhost '/': "
                  "received 'true' but current is 'false'"),
    "a queue that is not exclusive": (
        lambda q: Queue.Declare(queue=q, durable=True, exclusive=True), 405,
        lambda q: f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{q}' in vhost '/'. It could be "
                  "originally declared on another connection or the exclusive property value does not match that of "
                  "the original declaration."),
    "a queue of other arguments": (
        lambda q: Queue.Declare(queue=q, durable=True, arguments={"x-expires": 70000}), 406, None),
    "a time to live that is no number": (
        lambda q: Queue.Declare(queue=q + "2", arguments={"x-message-ttl": "soon"}), 406, None),
    "an exchange of another type": (
        lambda q: Exchange.Declare(exchange="amq.direct", exchange_type="fanout", durable=True), 406,
        lambda q: "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': "
                  "received 'fanout' but current is 'direct'"),
    "acknowledging what was not delivered": (
        lambda q: Basic.Ack(delivery_tag=5), 406, lambda q: "PRECONDITION_FAILED - unknown delivery tag 5"),
    "acknowledging up to what was not delivered": (
        lambda q: Basic.Ack(delivery_tag=5, multiple=True), 406,
        lambda q: "PRECONDITION_FAILED - unknown delivery tag 5"),
    "rejecting what was not delivered": (
        lambda q: Basic.Reject(delivery_tag=1), 406, lambda q: "PRECONDITION_FAILED - unknown delivery tag 1"),
    "nacking what was not delivered": (
        lambda q: Basic.Nack(delivery_tag=1), 406, lambda q: "PRECONDITION_FAILED - unknown delivery tag 1"),
    "an expiration that is no number": (
        lambda q: publish_frames(1, "", q, b"", b"\x01\x00" + short_string("abc")), 406,
        lambda q: "PRECONDITION_FAILED - invalid expiration 'abc': no_integer"),
    "publishing in another user's name": (
        lambda q: publish_frames(1, "", q, b"", b"\x00\x10" + short_string("nobody")), 406,
        lambda q: "PRECONDITION_FAILED - user_id property set to 'nobody' but authenticated user was 'guest'"),
}


@pytest.mark.parametrize("what", CHANNEL_ERRORS)
def test_an_error_that_closes_the_channel(wires, name, what):
    request, code, text = CHANNEL_ERRORS[what]
    wire = wires()
    declared(wire, name(), durable=True)
    wire.open_channel(2)
    sent = request(name())
    wire.send(sent if isinstance(sent, bytes) else method_frame(1, sent))
    close = wire.expect_channel_close(1, code, text and text(name()))
    if not isinstance(sent, bytes):
        assert (close.class_id, close.method_id) == (sent.index >> 16, sent.index & 0xFFFF)
    else:
        assert (close.class_id, close.method_id) == (60, 40)
    wire.rpc(2, Queue.Declare(queue=name(), passive=True), Queue.DeclareOk)  # the neighbour lives
    wire.open_channel(1)  # the number can be used again
    wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
    wire.close()


CONNECTION_ERRORS = {
    "opening a channel twice": (
        lambda q: method_frame(1, Channel.Open()), 504, "CHANNEL_ERROR - second 'channel.open' seen"),
    "a channel that was not opened": (
        lambda q: method_frame(7, Queue.Declare(queue=q)), 504, "CHANNEL_ERROR - expected 'channel.open'"),
    "a channel's method on channel 0": (
        lambda q: method_frame(0, Queue.Declare(queue=q)), 504,
        "CHANNEL_ERROR - unexpected method in connection state running"),
    "start-ok a second time": (
        lambda q: method_frame(0, Connection.StartOk()), 504,
        "CHANNEL_ERROR - unexpected method in connection state running"),
    "a method that only servers send": (
        lambda q: method_frame(1, Queue.DeclareOk(queue=q, message_count=1, consumer_count=1)), 503,
        "COMMAND_INVALID - unimplemented method"),
    "an unknown type of exchange": (
        lambda q: method_frame(1, Exchange.Declare(exchange=q, exchange_type="round")), 503, None),
    "using a consumer tag again": (
        lambda q: method_frame(1, Basic.Consume(queue=q, consumer_tag="t")) * 2, 530,
        "NOT_ALLOWED - attempt to reuse consumer tag 't'"),
    "an immediate message": (
        lambda q: method_frame(1, Basic.Publish(exchange="", routing_key=q, immediate=True)) + header_frame(1, 0),
        540, "NOT_IMPLEMENTED - immediate=true"),
    "a prefetch in bytes": (
        lambda q: method_frame(1, Basic.Qos(prefetch_size=10)), 540, "NOT_IMPLEMENTED - prefetch_size!=0 (10)"),
    "a body without a method": (
        lambda q: frame(BODY, 1, b"xx"), 505,
        "UNEXPECTED_FRAME - expected method frame, got non method frame instead"),
    "a header without a method": (
        lambda q: header_frame(1, 5), 505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead"),
    "a body without a header": (
        lambda q: method_frame(1, Basic.Publish(exchange="", routing_key=q)) + frame(BODY, 1, b"xx"), 505,
        "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead"),
    "a method in the middle of a message": (
        lambda q: method_frame(1, Basic.Publish(exchange="", routing_key=q))
        + method_frame(1, Queue.Declare(queue=q)), 505, None),
}


@pytest.mark.parametrize("what", CONNECTION_ERRORS)
def test_an_error_that_closes_the_connection(wires, broker, name, what):
    request, code, text = CONNECTION_ERRORS[what]
    other = wires()
    declared(other, name())
    wire = wires()
    wire.send(request(name()))
    while True:  # what was answered before the error
        got = wire.next_frame()
        if got.channel == 0:
            break
    wire.waiting.insert(0, got)
    wire.expect_connection_close(code, text)
    assert declared(other, name()).queue == name()  # nobody else is harmed
    other.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
    alive(broker)


def test_the_queue_declared_last_needs_no_name(wires, name):
    wire = wires()
    queue = declared(wire, "", exclusive=True).queue
    wire.rpc(1, Queue.Bind(queue="", exchange="amq.direct", routing_key=name()), Queue.BindOk)
    wire.publish(1, "amq.direct", name(), b"x")
    wire.send_method(1, Basic.Get(queue="", no_ack=True))
    assert wire.next_content(Basic.GetOk).body == b"x"
    wire.open_channel(2)
    wire.send_method(2, Queue.Bind(queue="", exchange="amq.direct", routing_key=""))
    wire.expect_channel_close(2, 404, "NOT_FOUND - no previously declared queue")
    assert declared(wire, queue, passive=True).message_count == 0


def test_publishing_to_an_internal_exchange_is_refused(wires, name):
    wire = wires()
    wire.send(exchange_declare(name(), flags=8))
    wire.next_method(Exchange.DeclareOk)
    wire.send(publish_frames(1, name(), "", b"x"))
    wire.expect_channel_close(1, 403, f"ACCESS_REFUSED - cannot publish to internal exchange '{name()}' in vhost '/'")


def test_an_exchange_in_use_is_not_deleted_if_asked_so(wires, name):
    wire = wires()
    wire.rpc(1, Exchange.Declare(exchange=name("x"), exchange_type="fanout"), Exchange.DeclareOk)
    queue = declared(wire, "", exclusive=True).queue
    wire.rpc(1, Queue.Bind(queue=queue, exchange=name("x"), routing_key=""), Queue.BindOk)
    wire.send_method(1, Exchange.Delete(exchange=name("x"), if_unused=True))
    wire.expect_channel_close(1, 406, f"PRECONDITION_FAILED - exchange '{name('x')}' in vhost '/' in use")


@pytest.mark.parametrize("first, second", [(False, True), (True, False)])
def test_an_exclusive_consumer_suffers_no_other(wires, name, first, second):
    wire = wires()
    wire.open_channel(2)
    declared(wire, name(), exclusive=True)
    wire.rpc(1, Basic.Consume(queue=name(), consumer_tag="one", exclusive=first), Basic.ConsumeOk)
    wire.send_method(2, Basic.Consume(queue=name(), consumer_tag="two", exclusive=second))
    wire.expect_channel_close(2, 403, f"ACCESS_REFUSED - queue '{name()}' in vhost '/' in exclusive use")


def test_acknowledging_twice_closes_the_channel(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    wire.publish(1, "", name(), b"x")
    wire.rpc(1, Basic.Consume(queue=name(), consumer_tag="t"), Basic.ConsumeOk)
    assert wire.next_content().body == b"x"
    wire.send_method(1, Basic.Ack(delivery_tag=1))
    wire.send_method(1, Basic.Ack(delivery_tag=1))
    wire.expect_channel_close(1, 406, "PRECONDITION_FAILED - unknown delivery tag 1")


def test_deleting_and_unbinding_what_is_not_there_succeeds(wires, name):
    wire = wires()
    assert wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk).message_count == 0
    wire.rpc(1, Exchange.Delete(exchange=name()), Exchange.DeleteOk)
    wire.rpc(1, Queue.Unbind(queue=name(), exchange="amq.direct", routing_key="k"), Queue.UnbindOk)
    wire.rpc(1, Basic.Cancel(consumer_tag="nobody"), Basic.CancelOk)


def test_a_channel_that_failed_gives_back_what_it_held(wires, name):
    wire = wires()
    declared(wire, name(), exclusive=True)
    for body in (b"1", b"2"):
        wire.publish(1, "", name(), body)
    wire.open_channel(2)
    wire.rpc(2, Basic.Consume(queue=name(), consumer_tag="t"), Basic.ConsumeOk)
    assert [wire.next_content().body for _ in range(2)] == [b"1", b"2"]
    wire.send_method(2, Basic.Ack(delivery_tag=99))
    wire.expect_channel_close(2, 406)
    wire.rpc(1, Basic.Consume(queue=name(), consumer_tag="t"), Basic.ConsumeOk)
    again = [wire.next_content() for _ in range(2)]
    assert [(one.body, one.method.redelivered) for one in again] == [(b"1", True), (b"2", True)]


def test_what_was_on_its_way_to_a_failed_channel_is_ignored(wires, name):
    """Between our channel.close and the client's close-ok everything on that channel is thrown away."""
    wire = wires()
    declared(wire, name(), exclusive=True)
    wire.send(publish_frames(1, name("missing"), "", b"x") + publish_frames(1, "", name(), b"too late")
              + method_frame(1, Queue.Declare(queue=name("late"))))
    wire.expect_channel_close(1, 404)
    wire.open_channel(1)
    assert declared(wire, name(), exclusive=True).message_count == 0
    wire.send_method(1, Queue.Declare(queue=name("late"), passive=True))
    wire.expect_channel_close(1, 404)


def test_an_unconfirmed_message_to_a_missing_exchange_is_not_confirmed(wires, name):
    wire = wires(confirms=True)
    wire.send(publish_frames(1, name("missing"), "", b"x", PERSISTENT))
    wire.expect_channel_close(1, 404)


def test_a_wrong_password_is_told_to_clients_that_can_hear_it(broker):
    for address in (broker.address.but(password="wrong"), broker.address.but(user="nobody")):
        with Wire(address) as wire:
            with pytest.raises(AssertionError, match="'reply_code': 403, 'reply_text': 'ACCESS_REFUSED - Login was refused "
                                                     "using authentication mechanism PLAIN. For details see the broker "
                                                     "logfile.'"):
                wire.handshake()
        with Wire(address) as wire:  # to others it is just the end
            with pytest.raises(AssertionError, match="the peer"):
                wire.handshake(capabilities={})


def test_a_virtual_host_that_is_not_there_is_refused(broker):
    with Wire(broker.address.but(vhost="nowhere")) as wire:
        with pytest.raises(AssertionError, match="530, 'reply_text': 'NOT_ALLOWED - vhost nowhere not found'"):
            wire.handshake()


@pytest.mark.parametrize("asked", [{"frame_max": 200000}, {"frame_max": 100}, {"channel_max": 5000}])
def test_tuning_beyond_what_was_offered_is_refused(broker, asked):
    with Wire(broker.address) as wire:
        with pytest.raises(AssertionError, match="the peer|'reply_code': 530"):
            wire.handshake(**asked)


def test_a_smaller_frame_size_is_respected(wires, name):
    wire = wires(frame_max=4096)
    declared(wire, name(), exclusive=True)
    body = bytes(range(256)) * 64
    wire.publish(1, "", name(), body)
    wire.send_method(1, Basic.Get(queue=name(), no_ack=True))
    assert wire.next_content(Basic.GetOk).body == body  # next_content checks the frames' sizes
    wire.send(method_frame(1, Basic.Publish(exchange="", routing_key=name())) + header_frame(1, len(body))
              + body_frames(1, body, 8192))
    wire.expect_connection_close(501)


def test_channels_beyond_the_negotiated_number_are_refused(weir):
    """What counts is how many are open, not their numbers: RabbitMQ's clients pick any."""
    with connected(weir.address, channel_max=3) as wire:
        wire.open_channel(2)
        wire.open_channel(400)
        wire.send_method(3, Channel.Open())
        wire.expect_connection_close(530)


def test_confirms_can_be_asked_for_twice(wires, name):
    wire = wires(confirms=True)
    wire.rpc(1, Confirm.Select(), Confirm.SelectOk)
    queue = declared(wire, name(), exclusive=True).queue
    wire.publish(1, "", queue, b"x")
    assert wire.next_method(Basic.Ack).delivery_tag == 1
