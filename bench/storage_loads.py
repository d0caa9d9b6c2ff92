"""What `scripts/bench storage` does to a broker: each load returns {label: figures} and fails with LoadError."""

import random
import time

import pika

import delayed_client
import watch
from generator import GeneratorRun, figures

MIB = 2**20
BODY_BYTES = 1024
FLOW = ["--size", str(BODY_BYTES), "--ack-every", "1", "--prefetch", "1000"]
BACKLOG = 50_000
UNREAD_SHARE = 1000  # one message of so many is for a queue that nobody reads
GIVE_BACK_S_MAX = 60
FREE_MIB = 1024  # what a broker may keep of files that hold nothing that is needed
# A queue is on one shard, which its name decides: of so many, every shard has some, and so both kinds of message.
MIXED_QUEUES = 8
DAY_MS = 24 * 3_600 * 1_000
DELAYED_BODY_BYTES = 16
DELAYED_DUE = 2_000  # so many become due while we look


class LoadError(Exception):
    pass


class Load:
    """One load on one variant of a broker."""

    def __init__(self, arguments, directory, broker, variant, options):
        self.arguments = arguments
        self.directory = directory
        self.broker = broker
        self.variant = variant
        self.options = options  # of the generator, for this variant
        self.series = {}        # label: samples over time, for the results

    # --- steps ---

    def begin(self, options, queues=1, name="load"):
        return GeneratorRun(self.arguments.weir, self.directory, self.broker,
                            [*FLOW, "--queues", str(queues), "--name", name, "--keep", "--drain-idle", "60",
                             *self.options, *options])

    def end(self, run, seconds, what):
        try:
            result, failure = run.finish(seconds)
        finally:
            run.end()
        if failure:
            raise LoadError(f"{what}: {failure}")
        return result

    def generate(self, options, what, seconds=0, queues=1, name="load"):
        with watch.Watch(self.broker, every_s=0.25) as seen:
            run = self.begin(options, queues, name)
            try:
                result = self.end(run, seconds, what)
            except LoadError as error:
                if seen.over_limit:
                    raise LoadError(f"{what}: more than {watch.DISK_BYTES_MAX >> 30} GiB of disk") from error
                raise
        return result, seen

    def fill(self, messages, queues=1, name="load"):
        options = ["--consumers", "0", "--messages", str(messages)]
        result, _ = self.generate(options, "publishing", messages / 2000, queues, name)
        return result

    def drain(self, messages, queues=1, name="load"):
        """Takes what fill() left, and verifies that it is all there, once and in order."""
        options = ["--producers", "0", "--filled-by", "1", "--messages", str(messages)]
        before = self.broker.read_bytes()
        result, _ = self.generate(options, "draining", messages / 2000, queues, name)
        return {"drain_per_s": result["consumed_per_s"],
                "drain_us_per_message": figures(result)["broker_us_per_message"],
                "read_per_message": (self.broker.read_bytes() - before) / messages,
                "drained_rss_mib": self.rss_mib()}

    def restart(self, queue, messages, seconds_max=300):
        """kill -9, then the seconds from the new start until the queue tells its depth."""
        self.broker.kill()
        begin = time.monotonic()
        self.broker.start(keep=True)
        if not watch.wait_for_depth(self.broker, queue, messages, seconds_max):
            depth = watch.queue_depth(self.broker.port, queue)
            raise LoadError(f"after kill -9 {queue} has {depth} messages instead of {messages}")
        return time.monotonic() - begin

    def rss_mib(self):
        return self.broker.resident_bytes() / MIB

    # --- loads ---

    def depth(self, messages):
        self.broker.start()
        empty_disk = self.broker.disk_bytes()
        filled = self.fill(messages)
        values = {"publish_per_s": filled["confirmed_per_s"], "confirm_p99_us": filled["latency_us"]["confirm"]["p99"],
                  "rss_mib": self.rss_mib(), "peak_rss_mib": self.broker.peak_resident_bytes() / MIB,
                  "disk_mib": self.broker.disk_bytes() / MIB, "empty_start_s": self.broker.start_seconds}
        values["serving_s"] = self.restart("load.00000", messages)
        values["restarted_rss_mib"] = self.rss_mib()
        values |= self.drain(messages)
        values["drain_share"] = values["drain_per_s"] / values["publish_per_s"]
        values["give_back_s"] = watch.wait_for_disk(self.broker, empty_disk + FREE_MIB * MIB, GIVE_BACK_S_MAX)
        values["left_mib"] = self.broker.disk_bytes() / MIB
        return {self.variant: values}

    def many_queues(self, messages, queues):
        self.broker.start()
        filled = self.fill(messages, queues)
        values = {"publish_per_s": filled["confirmed_per_s"], "rss_mib": self.rss_mib()}
        last = messages // queues + (1 if messages % queues == queues - 1 else 0)
        values["serving_s"] = self.restart(f"load.{queues - 1:05}", last)
        values |= self.drain(messages, queues)
        return {self.variant: values}

    def idle_queues(self, queues):
        self.broker.start()
        # The same with one queue: what a run of the generator costs anyway, in memory and in time.
        one_s = self.declare(1, "first")
        before = self.rss_mib()
        all_s = self.declare(queues, "idle")
        values = {"more_rss_mib": self.rss_mib() - before, "rss_mib": self.rss_mib(),
                  "declared_per_s": (queues - 1) / max(all_s - one_s, 1e-3),
                  "disk_mib": self.broker.disk_bytes() / MIB}
        values["serving_s"] = self.restart(f"idle.{queues - 1:05}", 0)
        values["restarted_rss_mib"] = self.rss_mib()
        return {self.variant: values}

    def delayed(self, messages):
        """Messages that wait for days, and a few on top that become due, one here and one there, while we look."""
        self.broker.start()
        connection = watch.connect(self.broker.port)
        delayed_client.declare(connection.channel())
        connection.close()
        empty = self.rss_mib()
        begin = time.monotonic()
        delayed_client.fill(self.broker.port, messages, DELAYED_BODY_BYTES, DAY_MS, 90 * DAY_MS)
        values = {"publish_per_s": messages / (time.monotonic() - begin), "rss_mib": self.rss_mib(),
                  "more_rss_mib": self.rss_mib() - empty, "disk_mib": self.broker.disk_bytes() / MIB}
        values["serving_s"] = self.restart(delayed_client.QUEUE, 0)
        values["restarted_rss_mib"] = self.rss_mib()
        late_ms = self._lateness(DELAYED_DUE)
        values |= {"late_p50_ms": late_ms[len(late_ms) // 2], "late_p99_ms": late_ms[len(late_ms) * 99 // 100]}
        return {self.variant: values}

    def _lateness(self, messages):
        """Of messages that wait for one to ten seconds. Due is: so long after the confirm of the publish was asked for."""
        connection = watch.connect(self.broker.port)
        channel = connection.channel()
        randomly = random.Random(2)
        for _ in range(messages):
            delay = randomly.randrange(1_000, 10_000)
            due = time.time() + delay / 1_000
            channel.basic_publish(delayed_client.EXCHANGE, delayed_client.KEY, repr(due).encode(),
                                  pika.BasicProperties(delivery_mode=2, headers={"x-delay": delay}))
        late_ms = []
        for _, _, body in channel.consume(delayed_client.QUEUE, auto_ack=True, inactivity_timeout=30):
            if body is None:
                raise LoadError(f"{messages - len(late_ms)} messages that are due have not come")
            late_ms.append((time.time() - float(body)) * 1_000)
            if len(late_ms) == messages:
                break
        connection.close()
        return sorted(late_ms)

    def declare(self, queues, name):
        begin = time.monotonic()
        self.end(self.begin(["--consumers", "0", "--messages", "1"], queues, name), 60, "declaring")
        return time.monotonic() - begin

    def steady(self, seconds, turn):
        """With the cleaner and without it, in turn."""
        values = {}
        for cleaner in (True, False) if turn % 2 == 0 else (False, True):
            self.broker.settings = [f"journal.cleaner={'true' if cleaner else 'false'}"]
            try:
                values |= self._steady_one("cleaner on" if cleaner else "cleaner off", seconds)
            finally:
                self.broker.stop()
                self.broker.settings = []
        return values

    def _steady_one(self, label, seconds):
        self.broker.start()
        rate = self._flat_out_rate()
        figures_of = {}
        for name, of_flow, per_s in ((label, [], rate), (f"{label}, 5,000/s", ["--rate", "5000"], 5000)):
            flow, unread, seen = self._flow_with_unread(seconds, per_s, of_flow, f"unread{len(figures_of)}")
            figures_of[name] = figures(flow) | {"unread": unread, "disk_mib": seen.largest("disk_mib"),
                                                "rss_mib": self.rss_mib()}
        self._drain_unread([int(values["unread"]) for values in figures_of.values()])
        return figures_of

    def _drain_unread(self, counts):
        """What nobody read is all there, wherever the cleaner has put it, and after a crash, too."""
        serving_s = self.restart("unread0.00000", -(-counts[0] // MIXED_QUEUES))
        drained = [self.drain(count, MIXED_QUEUES, f"unread{i}") for i, count in enumerate(counts)]
        return serving_s, drained[0]["drain_per_s"]

    def _flat_out_rate(self):
        options = ["--seconds", "1", "--warmup", "1", "--backlog", str(BACKLOG)]
        return self.generate(options, "a first run", 2, MIXED_QUEUES)[0]["throughput_per_s"]

    def _flow_with_unread(self, seconds, per_s, options, unread_name):
        """Publishing and consuming, and beside it every thousandth message for a queue without a consumer."""
        warmup = 1
        unread = self.begin(["--consumers", "0", "--seconds", str(seconds + warmup), "--warmup", "0", "--rate",
                             str(max(per_s / UNREAD_SHARE, 1)), "--threads", "1"], MIXED_QUEUES, unread_name)
        try:
            queues = [f"{name}.{i:05}" for name in ("load", unread_name) for i in range(MIXED_QUEUES)]
            with watch.Watch(self.broker, queues) as seen:
                flow = self.begin(["--seconds", str(seconds), "--warmup", str(warmup), "--backlog", str(BACKLOG),
                                   *options], MIXED_QUEUES)
                try:
                    result = self.end(flow, seconds, "publishing and consuming")
                except LoadError as error:
                    if seen.over_limit:
                        raise LoadError(f"more than {watch.DISK_BYTES_MAX >> 30} GiB of disk") from error
                    raise
            left = self.end(unread, seconds, "publishing what nobody reads")
        finally:
            unread.end()
        return result, left["total"]["published"], seen

    def mixed_ages(self, seconds):
        self.broker.start()
        empty_disk = self.broker.disk_bytes()
        rate = self._flat_out_rate()
        flow, unread, seen = self._flow_with_unread(seconds, rate, [], "unread0")
        live_mib = [sample["messages"] * BODY_BYTES / MIB for sample in seen.samples]
        above = [sample["disk_mib"] - 2 * live for sample, live in zip(seen.samples, live_mib)]
        if not above:
            raise LoadError("nothing was sampled")
        values = figures(flow) | {"unread": unread, "live_mib": max(live_mib), "disk_mib": seen.largest("disk_mib"),
                                  "above_twice_live_mib": max(above), "rss_mib": seen.largest("rss_mib")}
        self.series[self.variant] = seen.samples
        values["serving_s"], values["unread_drain_per_s"] = self._drain_unread([unread])
        values["give_back_s"] = watch.wait_for_disk(self.broker, empty_disk + FREE_MIB * MIB, GIVE_BACK_S_MAX)
        time.sleep(max(0, GIVE_BACK_S_MAX - values["give_back_s"]))
        values["left_mib"] = self.broker.disk_bytes() / MIB
        return {self.variant: values}
