"""Traces of messages, as a collector gets them over OTLP/HTTP."""

import secrets
import struct

import pytest
from pamqp.commands import Basic, Exchange, Queue

from harness.collector import Collector
from harness.waiting import wait_until
from harness.wire import connected, long_string, short_string

pytestmark = pytest.mark.usefixtures("weir_alone")


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    assert not collector.faults, collector.faults
    collector.close()


@pytest.fixture
def start(start_weir, collector):
    def start(*settings):
        return start_weir(f"tracing.otlp_url={collector.url}", *settings)
    return start


def text_entry(name, value):
    return short_string(name) + b"S" + long_string(value)


def properties(headers, message_id=None):
    """Persistent, with these headers."""
    content = b"".join(text_entry(name, value) for name, value in headers.items())
    flags = 0x2000 | 0x1000 | (0x0080 if message_id else 0)
    out = struct.pack(">H", flags) + struct.pack(">I", len(content)) + content + b"\x02"
    return out + (short_string(message_id) if message_id else b"")


def some_trace(sampled=True):
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-{'01' if sampled else '00'}"


def spans_of(collector, trace, operations):
    """By operation, once all of these have come."""
    def all_there():
        spans = {span.operation: span for span in collector.of(trace)}
        return spans if set(spans) >= set(operations) else None
    return wait_until(all_there, f"the spans {operations} of {trace}")


def test_a_message_is_followed_from_its_publish_to_its_settlement(start, collector):
    server = start("tracing.service_name=shop-broker")
    trace, producer, traceparent = some_trace()
    with connected(server.address, confirms=True) as wire:
        wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        wire.publish(1, "", "q", b"hello", properties({"traceparent": traceparent, "tracestate": "a=1,b=2"}, "m-1"))
        wire.next_method(Basic.Ack)
        wire.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
        got = wire.next_content()
        assert traceparent.encode() in got.properties and b"a=1,b=2" in got.properties
        wire.send_method(1, Basic.Ack(delivery_tag=got.method.delivery_tag))
        wire.rpc(1, Queue.Declare(queue="q", passive=True), Queue.DeclareOk)
    spans = spans_of(collector, trace, ["publish", "enqueue", "deliver", "settle"])
    publish, enqueue, deliver, settle = (spans[of] for of in ("publish", "enqueue", "deliver", "settle"))
    assert len(collector.of(trace)) == 4
    assert publish.parent == enqueue.parent == deliver.parent == producer
    assert settle.parent == deliver.id
    assert [(link["traceId"], link["spanId"]) for link in deliver.links] == [(trace, producer)]
    assert len({span.id for span in spans.values()} | {producer}) == 5
    assert all(span.state == "a=1,b=2" for span in spans.values())
    assert publish.attributes["messaging.destination.name"] == "amq.default"
    assert publish.attributes["messaging.rabbitmq.destination.routing_key"] == "q"
    assert publish.attributes["weir.outcome"] == "confirmed" and enqueue.attributes["weir.outcome"] == "durable"
    assert settle.attributes["weir.outcome"] == "ack" and deliver.attributes["weir.waited_ms"] >= 0
    for span in (enqueue, deliver, settle):
        assert span.attributes["messaging.destination.name"] == "q"
    for span in spans.values():
        assert span.attributes["messaging.system"] == "weir" and span.attributes["weir.vhost"] == "/"
        assert span.attributes["messaging.message.body.size"] == 5
        assert span.resource["service.name"] == "shop-broker" and span.resource["service.instance.id"]
    for span in (publish, deliver, settle):
        assert span.attributes["messaging.message.id"] == "m-1"
    assert publish.start <= enqueue.start <= enqueue.end <= publish.end + 10**9
    assert deliver.end <= settle.end and publish.start <= deliver.start


def test_what_is_not_sampled_leaves_no_span_and_no_change(start, collector):
    server = start("tracing.sample_ratio=1")
    unsampled, _, traceparent = some_trace(sampled=False)
    sampled, _, marker = some_trace()
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        for text in (traceparent, "garbage", marker):
            wire.publish(1, "", "q", b"x", properties({"traceparent": text}))
        wire.rpc(1, Basic.Consume(queue="q", no_ack=True), Basic.ConsumeOk)
        for text in (traceparent, "garbage", marker):
            assert wire.next_content().properties == properties({"traceparent": text})
    spans_of(collector, sampled, ["publish", "enqueue", "deliver"])
    assert {span.trace for span in collector.spans} == {sampled}


def test_a_message_without_a_trace_starts_one_where_that_is_wanted(start, collector):
    server = start("tracing.sample_ratio=1")
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        wire.publish(1, "", "q", b"one", properties({"mine": "stays"}))
        wire.publish(1, "", "q", b"two")
        wire.rpc(1, Basic.Consume(queue="q", no_ack=True), Basic.ConsumeOk)
        first, second = wire.next_content(), wire.next_content()
    assert b"stays" in first.properties
    for got in (first, second):
        at = got.properties.index(b"traceparent") + len(b"traceparent") + 5
        version, trace, span, flags = got.properties[at:at + 55].decode().split("-")
        assert (version, flags) == ("00", "01")
        spans = spans_of(collector, trace, ["publish", "enqueue", "deliver"])
        assert spans["publish"].parent is None and spans["publish"].id == span
        assert spans["enqueue"].parent == spans["deliver"].parent == span


def test_without_a_ratio_nothing_starts_a_trace(start, collector):
    server = start()
    trace, _, traceparent = some_trace()
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        wire.publish(1, "", "q", b"x")
        wire.publish(1, "", "q", b"y", properties({"traceparent": traceparent}))
        wire.rpc(1, Basic.Consume(queue="q", no_ack=True), Basic.ConsumeOk)
        assert wire.next_content().properties == b"\x00\x00"
        wire.next_content()
    spans_of(collector, trace, ["publish", "enqueue", "deliver"])
    assert {span.trace for span in collector.spans} == {trace}


def test_what_becomes_of_a_message_is_in_its_spans(start, collector):
    server = start()
    with connected(server.address) as wire:
        wire.rpc(1, Exchange.Declare(exchange="dead", exchange_type="fanout"), Exchange.DeclareOk)
        wire.rpc(1, Queue.Declare(queue="last", exclusive=True), Queue.DeclareOk)
        wire.rpc(1, Queue.Bind(queue="last", exchange="dead", routing_key=""), Queue.BindOk)
        wire.rpc(1, Queue.Declare(queue="q", durable=True, arguments={"x-dead-letter-exchange": "dead"}), Queue.DeclareOk)

        unroutable, _, traceparent = some_trace()
        wire.publish(1, "", "nowhere", b"x", properties({"traceparent": traceparent}))
        assert spans_of(collector, unroutable, ["publish"])["publish"].attributes["weir.outcome"] == "unroutable"

        rejected, _, traceparent = some_trace()
        wire.publish(1, "", "q", b"x", properties({"traceparent": traceparent}))
        got = wait_until(lambda: get(wire, "q"), "the message")
        wire.send_method(1, Basic.Reject(delivery_tag=got, requeue=True))
        got = wait_until(lambda: get(wire, "q"), "the message again")
        wire.send_method(1, Basic.Reject(delivery_tag=got, requeue=False))
        wait_until(lambda: len(collector.of(rejected)) == 7, "all of its spans")
    outcomes = [(span.operation, span.attributes["messaging.destination.name"], span.attributes["weir.outcome"])
                for span in sorted(collector.of(rejected), key=lambda span: (span.end, span.operation))]
    assert set(outcomes) == {("publish", "amq.default", "routed"), ("enqueue", "q", "durable"),
                             ("deliver", "q", "delivered"), ("settle", "q", "failed"), ("deliver", "q", "redelivered"),
                             ("settle", "q", "reject"), ("enqueue", "last", "in memory")}
    assert next(span for span in collector.of(rejected) if span.attributes["weir.outcome"] == "failed").status["code"] == 2


def get(wire, queue):
    got = wire.rpc(1, Basic.Get(queue=queue), (Basic.GetOk, Basic.GetEmpty))
    if isinstance(got, Basic.GetEmpty):
        return None
    wire.next_frame()
    wire.next_frame()
    return got.delivery_tag


def test_large_messages_are_traced_too(start, collector):
    server = start()
    trace, _, traceparent = some_trace()
    body = b"x" * 700_000
    with connected(server.address, confirms=True) as wire:
        wire.rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
        wire.publish(1, "", "q", body, properties({"traceparent": traceparent}))
        wire.next_method(Basic.Ack)
        wire.rpc(1, Basic.Consume(queue="q", no_ack=True), Basic.ConsumeOk)
        assert wire.next_content().body == body
    spans = spans_of(collector, trace, ["publish", "enqueue", "deliver"])
    assert spans["publish"].attributes["messaging.message.body.size"] == 700_000
    assert spans["deliver"].attributes["messaging.message.body.size"] == 700_000


def test_a_collector_that_is_away_costs_nothing_but_spans(start_weir):
    away = Collector()
    url, port = away.url, away.port
    away.close()
    server = start_weir(f"tracing.otlp_url={url}", "tracing.sample_ratio=1")
    with connected(server.address, confirms=True) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        for _ in range(100):
            wire.publish(1, "", "q", b"x")
        wait_until(lambda: "spans can't be sent" in server.log(), "a line in the log")
        wire.rpc(1, Queue.Declare(queue="q", passive=True), Queue.DeclareOk)
        # When it comes back, what is kept is sent.
        collector = Collector(port)
        wait_until(lambda: collector.spans, "spans", 30)
        assert not collector.faults
    assert server.stop() == 0
    collector.close()


def test_what_is_there_at_the_end_is_sent(start, collector):
    server = start("tracing.sample_ratio=1")
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        wire.publish(1, "", "q", b"x")
        wire.rpc(1, Queue.Declare(queue="q", passive=True), Queue.DeclareOk)
    assert server.stop() == 0
    assert {span.operation for span in collector.spans} == {"publish", "enqueue"}


@pytest.mark.parametrize("setting", ["tracing.otlp_url=grpc://x:4317", "tracing.sample_ratio=1.5",
                                     "tracing.sample_ratio=-1", "tracing.sample_ratio=much"])
def test_settings_that_make_no_sense_stop_the_start(start_weir, setting):
    server = start_weir(setting, started=False)
    server.spawn()
    assert server.process.wait(10) == 78
    assert "tracing" in server.log()
