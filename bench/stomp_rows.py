"""What `scripts/bench stomp` measures."""

from checks import Check
from rows import Row, ratio, times
from turns import Variant

VARIANTS = {
    "weir": Variant("weir", "weir", []),
    "rabbitmq": Variant("rabbitmq", "RabbitMQ", []),
    "activemq": Variant("activemq", "ActiveMQ", []),
}

# The same for every broker; see rows.py for the backlog.
LOAD = ["--prefetch", "1000", "--backlog", "50000"]
DURABLE = [*LOAD, "--ack", "client-individual"]
TRANSIENT = [*LOAD, "--transient", "--no-receipts"]


def row(name, title, options, checks):
    return Row(name, title, options, checks, variants=list(VARIANTS), load="stomp")


def faster():
    return [times(8, ["rabbitmq"], broker=""), times(5, ["activemq"], broker="")]


def no_later(text, metric):
    return Check(f"p99 {text} <= the best of the others", ratio(metric, ["rabbitmq", "activemq"], best=min), 1,
                 at_least=False)


ROWS = [
    row("transient-1k", "transient, without receipts, ack:auto: 1 producer, 1 consumer, 1 KiB",
        ["--size", "1024", *TRANSIENT, "--ack", "auto"], faster()),
    row("transient-acks-1k", "transient, without receipts, ack:client-individual: 1 producer, 1 consumer, 1 KiB",
        ["--size", "1024", *TRANSIENT, "--ack", "client-individual"], faster()),
    row("durable-1k", "durable, a receipt for each, ack:client-individual: 1 producer, 1 consumer, 1 KiB",
        ["--size", "1024", *DURABLE], faster()),
    row("durable-8q", "durable, a receipt for each, ack:client-individual: 8 producers, 8 consumers, 8 queues, 1 KiB",
        ["--size", "1024", "--producers", "8", "--consumers", "8", "--queues", "8", *DURABLE, "--window", "250"],
        faster()),
    row("latency-5k", "durable, a receipt for each, 5,000 messages/s, 1 KiB: latency",
        ["--size", "1024", *DURABLE, "--rate", "5000"],
        [no_later("send->receipt", "confirm_p99_us"), no_later("send->message", "deliver_p99_us")]),
]
