"""What `scripts/bench amqp` measures: one row is one load, put on each variant of each broker in turn."""

from dataclasses import dataclass, field

from checks import Check, get
from turns import Variant

VARIANTS = {
    "weir": Variant("weir", "weir", []),
    "quorum": Variant("rabbitmq", "RabbitMQ quorum", ["--queue-type", "quorum"]),
    "classic": Variant("rabbitmq", "RabbitMQ classic", ["--queue-type", "classic"]),
}

# The same for every broker. The bounded backlog makes publishers and consumers run at one speed: what is measured can
# be kept up, and no broker has to carry a queue that grows with the length of the run.
DURABLE = ["--ack-every", "1", "--prefetch", "1000", "--backlog", "50000"]


@dataclass
class Row:
    name: str
    title: str
    options: list
    checks: list
    variants: list = field(default_factory=lambda: ["weir", "quorum", "classic"])
    # A second load, of which each result is divided by the first one's: {"name": options}.
    beside: dict = field(default_factory=dict)
    seconds_max: float = 60
    load: str = "amqp"  # which `weir bench` puts it on
    counts: str = "messages"
    columns: list = field(default_factory=list)  # [(title, metric)]; none: report.COLUMNS


def ratio(metric, peers, best=max):
    """Weir's figure over the best of the peers'."""
    def value(medians):
        weir = get(medians, "weir", metric)
        others = [x for x in (get(medians, peer, metric) for peer in peers) if x]
        return weir / best(others) if weir and others else None
    return value


def times(limit, peers, metric="throughput_per_s", counts="messages", broker="RabbitMQ "):
    return Check(f"{counts}/s >= {limit:g} x {broker}{' and '.join(peers)}", ratio(metric, peers), limit)


def fraction(text, metric, limit):
    return Check(text, ratio(metric, ["quorum", "classic"], best=min), limit, at_least=False)


def sync_excess(medians):
    """Microseconds by which the synchronous publisher's median is above two raw syncs."""
    p50 = get(medians, "weir", "confirm_p50_us")
    raw = get(medians, "raw", "sync_p50_us")
    return p50 - 2 * raw if p50 and raw else None


def raw_share(medians):
    ours = get(medians, "weir", "confirmed_mb_per_s")
    raw = get(medians, "raw", "write_mb_per_s")
    return ours / raw if ours and raw else None


ROWS = [
    Row("durable-1k", "durable, confirms, manual acks: 1 producer, 1 consumer, 1 KiB", ["--size", "1024", *DURABLE],
        [times(10, ["quorum"])]),
    Row("durable-16b", "the same, 16 B", ["--size", "16", *DURABLE], [times(12, ["quorum"])]),
    Row("durable-64k", "the same, 64 KiB",
        ["--size", "65536", *DURABLE, "--window", "100", "--prefetch", "100", "--backlog", "1000"],
        [times(1.5, ["classic"])]),
    Row("durable-8q", "durable, confirms, manual acks: 8 producers, 8 consumers, 8 queues, 1 KiB",
        ["--size", "1024", "--producers", "8", "--consumers", "8", "--queues", "8", *DURABLE, "--window", "250"],
        [times(10, ["quorum"])]),
    Row("transient-1k", "transient, without confirms, manual acks: 1 producer, 1 consumer, 1 KiB",
        ["--size", "1024", *DURABLE, "--transient", "--transient-queue", "--no-confirm"],
        [times(6, ["classic"])], variants=["weir", "classic"]),
    Row("fanout-10", "durable, confirms: 1 producer, a fanout to 10 queues, 1 KiB (deliveries/s)",
        ["--size", "1024", "--fanout", "10", *DURABLE, "--backlog", "5000"], [times(8, ["quorum", "classic"])]),
    Row("sync-1k", "durable, one publisher that waits for each confirm, 1 KiB",
        ["--size", "1024", *DURABLE, "--window", "1"],
        [times(4, ["quorum", "classic"]),
         Check("p50 publish->confirm <= 2 raw syncs + 100 us: above them by (us)", sync_excess, 100, at_least=False)]),
    Row("latency-5k", "durable, 5,000 messages/s, 1 KiB: latency",
        ["--size", "1024", *DURABLE, "--rate", "5000"],
        [fraction("p99 publish->confirm <= 1/5 of RabbitMQ's better one", "confirm_p99_us", 0.2),
         fraction("p99 publish->deliver <= 1/5 of RabbitMQ's better one", "deliver_p99_us", 0.2)]),
    Row("bytes-16k", "durable, confirms, publishing alone, 16 KiB: bytes/s confirmed",
        ["--size", "16384", "--consumers", "0"],
        [Check("confirmed bytes/s >= 0.8 x the raw writer (1 MiB, 2 in flight)", raw_share, 0.8)], seconds_max=3),
    Row("queues-100", "durable, confirms, 1 producer, 1 consumer: 100 queues against 1, 1 KiB",
        ["--size", "1024", "--queues", "100", *DURABLE],
        [Check("100 queues >= 0.8 x one queue", lambda m: get(m, "weir", "share_of_one-queue"), 0.8)],
        beside={"one-queue": ["--size", "1024", *DURABLE]}),
    Row("prefetch-1", "durable, confirms, a prefetch of 1: 1 producer, 1 consumer, 1 KiB",
        ["--size", "1024", *DURABLE, "--prefetch", "1", "--backlog", "1000"], [times(5, ["quorum", "classic"])]),
    Row("tx-100", "durable, transactions of 100 messages, 1 KiB",
        ["--size", "1024", *DURABLE, "--tx", "--window", "100"], [times(5, ["classic"])],
        variants=["weir", "classic"]),
    Row("topic-10", "durable, confirms: 1 producer, a topic exchange to 10 queues by patterns, 1 KiB (deliveries/s)",
        ["--size", "1024", *DURABLE, "--queues", "10", "--exchange", "weir-bench-topic", "--exchange-type", "topic",
         "--routing-key", "a.b.c.d", "--binding-key", "a.*.#.d", "--backlog", "5000"],
        [times(5, ["quorum", "classic"])]),
    Row("queues-1000", "durable, confirms, 1 producer, 1 consumer, 1,000 queues, 1 KiB",
        ["--size", "1024", "--queues", "1000", *DURABLE], [times(5, ["classic"])], variants=["weir", "classic"]),
    Row("declare-churn", "durable queues declared and deleted, 8 connections", ["--what", "queues"],
        [times(5, ["classic"], counts="queues")], variants=["weir", "classic"], load="churn", counts="queues"),
    Row("connection-churn", "connections with a channel opened and closed, 8 at a time", ["--what", "connections"],
        [times(5, ["classic"], counts="connections")], variants=["weir", "classic"], load="churn",
        counts="connections"),
]
