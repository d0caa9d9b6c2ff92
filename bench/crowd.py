"""Loads of very many things that are there at once: connections with their channels, bindings."""

import base64
import socket
import statistics
import struct
import threading
import time
import urllib.request

from pika import frame, spec

from generator import figures

MIB = 2**20
FRAME_HEADER = struct.Struct(">BHI")
BINDINGS_PER_WRITE = 2_000
BOUND_QUEUES = 10
EXCHANGE = "crowd"
KEY = "eu.{:09}.orders"


class Line:
    """One connection, of which only the number of answers is looked at."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.received = b""
        self.socket.sendall(frame.ProtocolHeader().marshal())
        self.answers(1)  # connection.start
        self.send(0, spec.Connection.StartOk({}, "PLAIN", "\0guest\0guest", "en_US"))
        self.answers(1)  # connection.tune
        self.send(0, spec.Connection.TuneOk(2047, 131_072, 0), spec.Connection.Open("/"))
        self.answers(1)  # connection.open-ok

    def send(self, channel, *methods):
        self.socket.sendall(b"".join(frame.Method(channel, method).marshal() for method in methods))

    def answers(self, count):
        while count > 0:
            if len(self.received) >= FRAME_HEADER.size:
                kind, _, size = FRAME_HEADER.unpack_from(self.received)
                if kind != 1:
                    raise ValueError(f"a frame of type {kind} came instead of a method")
                if len(self.received) >= FRAME_HEADER.size + size + 1:
                    self.received = self.received[FRAME_HEADER.size + size + 1:]
                    count -= 1
                    continue
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionError("the broker has closed the connection")
            self.received += more

    def open_channels(self, count):
        self.socket.sendall(b"".join(frame.Method(number, spec.Channel.Open()).marshal()
                                     for number in range(1, count + 1)))
        self.answers(count)

    def close(self):
        self.socket.close()


def idle_connections(load, count, channels):
    """Resident bytes of connections that do nothing, without and with channels."""
    load.broker.start()
    lines = [Line(load.broker.port)]  # what the first one costs is not each one's cost
    before = load.rss_mib()
    begin = time.monotonic()
    try:
        for _ in range(count):
            lines.append(Line(load.broker.port))
        opened_s = time.monotonic() - begin
        connected = load.rss_mib()
        for line in lines:
            line.open_channels(channels)
        with_channels = load.rss_mib()
    finally:
        for line in lines:
            line.close()
    return {load.variant: {
        "connected_per_s": count / opened_s, "rss_mib": with_channels,
        "connection_kib": (connected - before) * 1024 / count,
        "channel_kib": (with_channels - connected) * 1024 / count / channels}}


def bindings(load, count):
    """Durable bindings of a topic exchange, one method after the other, then kill -9."""
    load.broker.start()
    line = Line(load.broker.port)
    line.open_channels(1)
    line.send(1, spec.Exchange.Declare(exchange=EXCHANGE, type="topic", durable=True))
    line.answers(1)
    for number in range(BOUND_QUEUES):
        line.send(1, spec.Queue.Declare(queue=f"crowd.{number}", durable=True))
        line.answers(1)
    before = load.rss_mib()
    key = KEY.format(0)
    methods = [frame.Method(1, spec.Queue.Bind(queue=f"crowd.{number}", exchange=EXCHANGE,
                                               routing_key=key)).marshal() for number in range(BOUND_QUEUES)]
    begin = time.monotonic()
    for first in range(0, count, BINDINGS_PER_WRITE):
        these = range(first, min(first + BINDINGS_PER_WRITE, count))
        line.socket.sendall(b"".join(methods[n % BOUND_QUEUES].replace(key.encode(), KEY.format(n).encode())
                                     for n in these))
        line.answers(len(these))
    bound_s = time.monotonic() - begin
    values = {"bound_per_s": count / bound_s, "rss_mib": load.rss_mib(),
              "binding_bytes": (load.rss_mib() - before) * MIB / count, "disk_mib": load.broker.disk_bytes() / MIB}
    line.close()
    values["serving_s"] = load.restart("crowd.0", 0)
    values["restarted_rss_mib"] = load.rss_mib()
    return {load.variant: values}


# --- looking on ---

LOOKS = 7  # of which the median counts


def get(port, path):
    """What it took, and how much came."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={
        "Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()})
    begin = time.monotonic()
    with urllib.request.urlopen(request, timeout=60) as answer:
        size = len(answer.read())
    return time.monotonic() - begin, size


class Scraper:
    """Asks for /metrics every second, while it is entered."""

    def __init__(self, port):
        self.port = port
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.ended.wait(1):
            get(self.port, "/metrics")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def management(load, queues, connections, seconds):
    """The management API and metrics with very much to tell of, and what a scrape costs who publishes."""
    load.broker.settings = ["listeners.admin=127.0.0.1:0", "listeners.metrics=127.0.0.1:0"]
    load.broker.start()
    admin, metrics = load.broker.ports["admin"], load.broker.ports["metrics"]
    rates = {False: [], True: []}
    options = ["--seconds", str(seconds), "--warmup", "1", "--backlog", "50000"]
    load.declare(queues, "idle")
    for scraped in (False, True, True, False, False, True):
        if scraped:
            with Scraper(metrics):
                result = load.end(load.begin(options), seconds, "publishing and consuming")
        else:
            result = load.end(load.begin(options), seconds, "publishing and consuming")
        rates[scraped].append(figures(result)["throughput_per_s"])
    lines = [Line(load.broker.port) for _ in range(connections)]
    try:
        values = {}
        for name, port, path in (("queues_page", admin, "/api/queues?page=1&page_size=100"),
                                 ("connections_page", admin, "/api/connections?page=1&page_size=100"),
                                 ("overview", admin, "/api/overview"), ("metrics", metrics, "/metrics"),
                                 ("per_object", metrics, "/metrics/per-object")):
            values[f"{name}_ms"] = statistics.median(get(port, path)[0] for _ in range(LOOKS)) * 1_000
    finally:
        for line in lines:
            line.close()
    return {load.variant: values | {
        "throughput_per_s": statistics.median(rates[False]), "rss_mib": load.rss_mib(),
        "scraped_share": statistics.median(rates[True]) / statistics.median(rates[False])}}
