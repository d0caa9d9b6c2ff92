"""What `scripts/bench mqtt` measures."""

from checks import Check, get
from rows import Row, ratio
from turns import Variant

VARIANTS = {
    "weir": Variant("weir", "weir", []),
    "mosquitto": Variant("mosquitto", "Mosquitto", []),
}
CROWD = 10_000

# As in rows.py: what is measured can be kept up. It also keeps brokers from throwing QoS 0 away.
ONE_TO_ONE = ["--window", "1000", "--backlog", "10000"]


def row(name, title, options, checks, **more):
    return Row(name, title, options, checks, variants=list(VARIANTS), load="mqtt", **more)


def times(limit, counts="messages"):
    return Check(f"{counts}/s >= {limit:g} x Mosquitto", ratio("throughput_per_s", ["mosquitto"]), limit)


def fanout(subscribers, qos, size, backlog, limit):
    return row(f"fanout-{subscribers}-qos{qos}",
               f"1 publisher, {subscribers:,} subscribers of its topic, QoS {qos}, {size} B (deliveries/s)",
               ["--qos", str(qos), "--size", str(size), "--fanout", str(subscribers), "--window", "1000",
                "--backlog", str(backlog)],
               [times(limit, "deliveries")], counts="deliveries")


def no_later(text, metric):
    return Check(f"p99 {text} <= Mosquitto's", ratio(metric, ["mosquitto"], best=min), 1, at_least=False)


ROWS = [
    # First: memory that other loads have left behind would hide what connections take.
    row("idle-10000", "10,000 connections that do nothing", ["--idle", str(CROWD)],
        [Check("bytes of memory for each <= 4 KiB (KiB)", lambda m: get(m, "weir", "connection_kib"), 4,
               at_least=False),
         Check("all opened in <= 1 s (s)", lambda m: get(m, "weir", "opened_s"), 1, at_least=False)],
        counts="connections",
        columns=[("connections/s", "throughput_per_s"), ("opened in s", "opened_s"),
                 ("KiB each", "connection_kib"), ("broker cores", "broker_cores"),
                 ("generator cores", "generator_cores"), ("RSS MiB", "rss_mib")]),
    row("qos0-16b", "QoS 0: 1 publisher, 1 subscriber, 16 B", ["--qos", "0", "--size", "16", *ONE_TO_ONE],
        [times(4)]),
    row("qos1-1k", "QoS 1 to a clean session: 1 publisher, 1 subscriber, 1 KiB",
        ["--qos", "1", "--size", "1024", *ONE_TO_ONE], [times(3)]),
    row("qos1-1k-v5", "the same with MQTT 5", ["--qos", "1", "--size", "1024", "--mqtt", "5", *ONE_TO_ONE],
        [times(3)]),
    row("qos1-durable-1k", "QoS 1 to a durable session: 1 publisher, 1 subscriber, 1 KiB",
        ["--qos", "1", "--size", "1024", "--durable-session", *ONE_TO_ONE], [times(2)]),
    row("qos2-1k", "QoS 2: 1 publisher, 1 subscriber, 1 KiB", ["--qos", "2", "--size", "1024", *ONE_TO_ONE],
        [times(2)]),
    fanout(100, qos=0, size=16, backlog=100, limit=8),
    fanout(100, qos=1, size=1024, backlog=100, limit=4),
    fanout(CROWD, qos=0, size=16, backlog=4, limit=5),
    row("latency-5k", "QoS 1, 5,000 messages/s, 1 KiB: latency",
        ["--qos", "1", "--size", "1024", *ONE_TO_ONE, "--rate", "5000"],
        [no_later("PUBLISH->delivery", "deliver_p99_us"), no_later("PUBLISH->PUBACK", "confirm_p99_us")]),
]
