"""Looks at a broker from outside while it works: how deep its queues are (by a client), its memory and its disk."""

import logging
import threading
import time

import pika

logging.getLogger("pika").setLevel(logging.CRITICAL)  # refused connections while a broker starts are expected

DISK_BYTES_MAX = 20 * 2**30  # of one broker; one that takes more is killed
MIB = 2**20


def connect(port):
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0, socket_timeout=60,
                                                             blocked_connection_timeout=60))


def queue_depth(port, queue):
    """The messages in a queue; None when the broker can't tell yet."""
    try:
        connection = connect(port)
        try:
            return connection.channel().queue_declare(queue, passive=True).method.message_count
        finally:
            if connection.is_open:
                connection.close()
    except (pika.exceptions.AMQPError, OSError):
        return None


def wait_for_depth(broker, queue, depth, seconds_max):
    """True once the queue has so many messages."""
    end = time.monotonic() + seconds_max
    while queue_depth(broker.port, queue) != depth:
        if time.monotonic() > end or not broker.alive():
            return False
        time.sleep(0.005)
    return True


def wait_for_disk(broker, bytes_max, seconds_max):
    """The seconds until the broker's files take no more than that, or those that were spent on waiting for it."""
    begin = time.monotonic()
    while broker.disk_bytes() > bytes_max and time.monotonic() - begin < seconds_max:
        time.sleep(0.1)
    return time.monotonic() - begin


class Watch(threading.Thread):
    """Samples disk, memory and the depth of queues of a broker until it is stopped."""

    def __init__(self, broker, queues=(), every_s=1.0):
        super().__init__(daemon=True)
        self.broker = broker
        self.queues = list(queues)
        self.every_s = every_s
        self.samples = []  # {"t", "disk_mib", "rss_mib", "messages"}
        self.over_limit = False
        self._done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self.join()

    def run(self):
        begin = time.monotonic()
        connection = channel = None
        while not self._done.wait(self.every_s):
            try:
                disk, rss = self.broker.disk_bytes(), self.broker.resident_bytes()
                if disk > DISK_BYTES_MAX:
                    self.over_limit = True
                    self.broker.kill()
                    return
                if self.queues and connection is None:
                    connection = connect(self.broker.port)
                    channel = connection.channel()
                messages = sum(channel.queue_declare(queue, passive=True).method.message_count
                               for queue in self.queues)
            except (pika.exceptions.AMQPError, OSError, AttributeError):
                connection = None  # a queue is not there yet, or the broker is ending
                continue
            self.samples.append({"t": time.monotonic() - begin, "disk_mib": disk / MIB, "rss_mib": rss / MIB,
                                 "messages": messages})
        if connection is not None and connection.is_open:
            connection.close()

    def largest(self, metric):
        return max((sample[metric] for sample in self.samples), default=0)
