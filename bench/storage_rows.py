"""What `scripts/bench storage` measures, and what Weir has to reach."""

from dataclasses import dataclass, field
from typing import Callable

import crowd
from checks import Check, get

MESSAGES = 1_000_000
IDLE_QUEUES = 10_000
MANY_QUEUES = 1_000
CROWD_QUEUES = 100_000
BINDINGS = 1_000_000
CONNECTIONS = 10_000
LOOKED_AT = 1_000
CHANNELS = 10


@dataclass
class Row:
    name: str
    title: str
    run: Callable  # (load, plan, turn) -> {label: figures}
    checks: list
    columns: list
    variants: list = field(default_factory=lambda: ["weir"])
    rounds: int = 1
    # Labels of the figures are not the variants of brokers.
    weir_only: bool = False


@dataclass
class Plan:
    """How large and how long; a quick run has other figures than the targets are meant for."""
    messages: int       # of 0: the row's own
    seconds: float      # the same
    quick: bool = False

    def depth(self, of_row):
        return self.messages or (of_row // 10 if self.quick else of_row)

    def time(self, of_row):
        return self.seconds or (of_row / 5 if self.quick else of_row)

    def queues(self, of_row):
        return of_row // 10 if self.quick else of_row

    def lines(self):
        """What differs from what the rows' titles say."""
        told = ["a tenth of the messages and queues, a fifth of the time"] if self.quick else []
        told += [f"{self.messages:,} messages"] if self.messages else []
        told += [f"{self.seconds:g} s"] if self.seconds else []
        return [f"**Other amounts than the titles say: {', '.join(told)}.**", ""] if told else []


def at_most(text, metric, limit, label="weir"):
    return Check(text, lambda medians: get(medians, label, metric), limit, at_least=False)


def at_least(text, metric, limit, label="weir"):
    return Check(text, lambda medians: get(medians, label, metric), limit)


def cleaner_ratio(metric, suffix=""):
    def value(medians):
        on, off = (get(medians, f"cleaner {state}{suffix}", metric) for state in ("on", "off"))
        return on / off if on and off else None
    return value


DEPTH_COLUMNS = [
    ("published/s", "publish_per_s"), ("confirm p99 us", "confirm_p99_us"), ("RSS MiB", "rss_mib"),
    ("peak RSS MiB", "peak_rss_mib"), ("disk MiB", "disk_mib"), ("empty start s", "empty_start_s"),
    ("kill -9 to serving s", "serving_s"), ("RSS MiB then", "restarted_rss_mib"), ("drained/s", "drain_per_s"),
    ("bytes read/msg", "read_per_message"), ("RSS MiB after", "drained_rss_mib"),
    ("disk given back s", "give_back_s"), ("disk MiB left", "left_mib"),
]
FLOW_COLUMNS = [
    ("messages/s", "throughput_per_s"), ("confirm p50 us", "confirm_p50_us"), ("confirm p99 us", "confirm_p99_us"),
    ("deliver p99 us", "deliver_p99_us"), ("broker CPU us/msg", "broker_us_per_message"), ("unread", "unread"),
    ("largest disk MiB", "disk_mib"), ("RSS MiB", "rss_mib"),
]


def depth_row(name, messages, rss_mib, serving_s, variants, rounds):
    return Row(
        name, f"{messages:,} persistent messages of 1 KiB in one queue, kill -9, drain",
        lambda load, plan, turn: load.depth(plan.depth(messages)),
        [at_most(f"RSS <= {rss_mib} MiB", "rss_mib", rss_mib),
         at_most(f"kill -9 to serving <= {serving_s} s", "serving_s", serving_s),
         at_least("drained/s >= 0.8 x published/s", "drain_share", 0.8),
         at_most("disk of what was acknowledged is given back within 60 s", "give_back_s", 60)],
        DEPTH_COLUMNS, variants, rounds)


ROWS = [
    depth_row("depth-1m", MESSAGES, 150, 1, ["weir", "quorum", "classic"], 1),
    depth_row("depth-10m", 10 * MESSAGES, 250, 3, ["weir"], 3),
    Row("many-queues-drain", "1,000,000 persistent messages of 1 KiB interleaved over 1,000 queues, kill -9, drain",
        lambda load, plan, turn: load.many_queues(plan.depth(MESSAGES), plan.queues(MANY_QUEUES)), [],
        [("published/s", "publish_per_s"), ("RSS MiB", "rss_mib"), ("kill -9 to serving s", "serving_s"),
         ("drained/s", "drain_per_s"), ("bytes read/msg", "read_per_message"),
         ("broker CPU us/msg", "drain_us_per_message"), ("RSS MiB after", "drained_rss_mib")],
        ["weir", "classic"]),
    Row("idle-queues", "10,000 durable queues without messages",
        lambda load, plan, turn: load.idle_queues(plan.queues(IDLE_QUEUES)),
        [at_most("10,000 queues take <= 60 MiB", "more_rss_mib", 60)],
        [("RSS MiB more", "more_rss_mib"), ("RSS MiB", "rss_mib"), ("declared/s", "declared_per_s"),
         ("disk MiB", "disk_mib"), ("kill -9 to serving s", "serving_s"), ("RSS MiB then", "restarted_rss_mib")],
        ["weir", "classic"]),
    Row("queues-100k", "100,000 durable queues without messages",
        lambda load, plan, turn: load.idle_queues(plan.queues(CROWD_QUEUES)),
        [at_least("durable queues declared/s >= 5,000", "declared_per_s", 5_000)],
        [("RSS MiB more", "more_rss_mib"), ("RSS MiB", "rss_mib"), ("declared/s", "declared_per_s"),
         ("disk MiB", "disk_mib"), ("kill -9 to serving s", "serving_s"), ("RSS MiB then", "restarted_rss_mib")],
        ["weir"]),
    Row("bindings-1m", "1,000,000 durable bindings of a topic exchange to 10 queues, kill -9",
        lambda load, plan, turn: crowd.bindings(load, plan.depth(BINDINGS)),
        [at_least("durable bindings/s >= 5,000", "bound_per_s", 5_000)],
        [("bindings/s", "bound_per_s"), ("RSS MiB", "rss_mib"), ("bytes each", "binding_bytes"),
         ("disk MiB", "disk_mib"), ("kill -9 to serving s", "serving_s"), ("RSS MiB then", "restarted_rss_mib")]),
    Row("idle-connections", "10,000 connections that do nothing, then 10 channels on each",
        lambda load, plan, turn: crowd.idle_connections(load, plan.queues(CONNECTIONS), CHANNELS),
        [at_most("a connection takes <= 20 KiB", "connection_kib", 20)],
        [("connections/s", "connected_per_s"), ("KiB each", "connection_kib"), ("KiB a channel", "channel_kib"),
         ("RSS MiB", "rss_mib")], ["weir", "classic"]),
    Row("management", "the management API and metrics of a broker with 10,000 queues and 1,000 connections; a scrape "
        "every second beside 1 producer and 1 consumer",
        lambda load, plan, turn: crowd.management(load, plan.queues(IDLE_QUEUES), plan.queues(LOOKED_AT), plan.time(5)),
        [at_most("a page of 100 queues in <= 50 ms", "queues_page_ms", 50),
         at_most("/metrics in <= 300 ms", "metrics_ms", 300),
         at_least("messages/s while scraped >= 0.98 x", "scraped_share", 0.98)],
        [("queues page ms", "queues_page_ms"), ("connections page ms", "connections_page_ms"),
         ("overview ms", "overview_ms"), ("/metrics ms", "metrics_ms"), ("per-object ms", "per_object_ms"),
         ("messages/s", "throughput_per_s"), ("share while scraped", "scraped_share"), ("RSS MiB", "rss_mib")]),
    Row("delayed", "10,000,000 messages that are delayed by 1 to 90 days, kill -9, then 2,000 more by 1 to 10 s",
        lambda load, plan, turn: load.delayed(plan.depth(10 * MESSAGES)),
        [at_most("RSS <= 200 MiB", "rss_mib", 200), at_most("RSS after kill -9 <= 200 MiB", "restarted_rss_mib", 200),
         at_most("late p99 <= 20 ms", "late_p99_ms", 20)],
        [("published/s", "publish_per_s"), ("RSS MiB", "rss_mib"), ("RSS MiB more", "more_rss_mib"),
         ("disk MiB", "disk_mib"), ("kill -9 to serving s", "serving_s"), ("RSS MiB then", "restarted_rss_mib"),
         ("late p50 ms", "late_p50_ms"), ("late p99 ms", "late_p99_ms")],
        ["weir"]),
    Row("steady-cleaner", "publishing and consuming flat out (then 5,000/s), one message in 1,000 for a queue that "
        "nobody reads: with the cleaner and without",
        lambda load, plan, turn: load.steady(plan.time(5), turn),
        [Check("messages/s with the cleaner >= 0.9 x without", cleaner_ratio("throughput_per_s"), 0.9),
         Check("p99 publish->confirm with the cleaner <= 1.5 x without", cleaner_ratio("confirm_p99_us"), 1.5,
               at_least=False),
         Check("the same at 5,000/s <= 1.5 x", cleaner_ratio("confirm_p99_us", ", 5,000/s"), 1.5, at_least=False)],
        FLOW_COLUMNS, rounds=3, weir_only=True),
    Row("mixed-ages", "the same load flat out for a minute: what the disk holds",
        lambda load, plan, turn: load.mixed_ages(plan.time(60)),
        [at_most("largest disk - 2 x live <= 2,048 MiB", "above_twice_live_mib", 2048)],
        [*FLOW_COLUMNS, ("live MiB", "live_mib"), ("disk - 2 x live, MiB", "above_twice_live_mib"),
         ("kill -9 to serving s", "serving_s"), ("disk given back s", "give_back_s"),
         ("disk MiB left after 60 s", "left_mib")],
        weir_only=True),
]
