"""What it is: the books of what clients were promised, and the check of what a broker has after a crash against them.

The clients are processes (tests/e2e/c/ledger.c) that outlive the broker."""

import struct
import subprocess
from collections import defaultdict
from typing import NamedTuple

from pamqp.commands import Queue

from harness.clients.line_client import c_program
from harness.waiting import wait_until

DELIVERY = struct.Struct("=IIBBBB")
CLIENT_SECONDS = 60


class Client:
    """One ledger process."""

    def __init__(self, out, role, *arguments):
        self.out = out
        self.process = subprocess.Popen([str(c_program("ledger")), role, *map(str, arguments), str(out)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ready(self):
        line = self.process.stdout.readline()
        assert line == b"ready\n", self.process.communicate()[1].decode()
        return self

    def stop(self):
        self.process.terminate()

    def book(self):
        """What it wrote down; waits for its end."""
        _, errors = self.process.communicate(timeout=CLIENT_SECONDS)
        assert self.process.returncode == 0, errors.decode()
        return self.out.read_bytes()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Delivery(NamedTuple):
    publisher: int
    seq: int
    redelivered: int
    acked: int
    right: int
    spare: int = 0


def read_deliveries(book):
    return [Delivery._make(fields) for fields in DELIVERY.iter_unpack(book)]


class Messages:
    """Of one publisher, a byte for each."""

    def __init__(self, states):
        self.states = states  # as its book has them
        self.acked = bytearray(len(states))  # an acknowledgement was sent, it may or may not have arrived
        self.seen = bytearray(len(states))  # delivered at least once
        self.settled = False  # every confirmed one is acknowledged

    def lost(self, found):
        """The confirmed ones that are neither acknowledged nor among the found."""
        if self.settled:
            return []
        open_ones = [seq for seq, (state, acked) in enumerate(zip(self.states, self.acked))
                     if state == ord("c") and not acked]
        self.settled = not open_ones
        return [seq for seq in open_ones if seq not in found]


class Ledger:
    """Of one queue, over any number of crashes."""

    def __init__(self, queue, folder):
        self.queue = queue
        self.folder = folder
        self.sent = {}  # publisher -> Messages
        self.confirmed = 0
        self.clients = []
        self.numbers = 0

    def _out(self):
        self.numbers += 1
        return self.folder / f"{self.queue}-{self.numbers}"

    def publisher(self, port, number, body_bytes_max=4096, count=100_000, window=200):
        client = Client(self._out(), "publish", port, self.queue, number, body_bytes_max, count, window)
        client.number = number
        self.clients.append(client)
        return client.ready()

    def consumer(self, port, prefetch=500, ack_percent=70, count=0):
        client = Client(self._out(), "consume", port, self.queue, prefetch, ack_percent, count)
        client.number = None
        self.clients.append(client)
        return client.ready()

    def collect(self):
        """Takes over the books of all clients, after they were told to stop or their broker has ended."""
        for client in self.clients:
            if client.number is not None:
                book = client.book()
                assert client.number not in self.sent, "publishers' numbers are used once"
                self.sent[client.number] = Messages(book)
                self.confirmed += book.count(b"c")
        for client in self.clients:
            if client.number is None:
                deliveries = read_deliveries(client.book())
                self.check_deliveries(deliveries)
                self.note(deliveries)
        self.clients.clear()

    def note(self, deliveries):
        for delivery in deliveries:
            messages = self.sent[delivery.publisher]
            messages.seen[delivery.seq] = 1
            messages.acked[delivery.seq] |= delivery.acked

    def check_deliveries(self, deliveries):
        """Of one consumer that gives nothing back: every body is one that was sent, each publisher's come in order."""
        last = defaultdict(lambda: -1)
        for delivery in deliveries:
            messages = self.sent.get(delivery.publisher)
            assert messages, f"{self.queue}: a message of nobody: {delivery}"
            assert delivery.seq < len(messages.states), f"{self.queue}: it was never sent: {delivery}"
            assert delivery.right, f"{self.queue}: not the body that was sent: {delivery}"
            assert delivery.seq > last[delivery.publisher], (
                f"{self.queue}: {delivery} came after number {last[delivery.publisher]}")
            last[delivery.publisher] = delivery.seq
            assert delivery.redelivered or not messages.seen[delivery.seq], (
                f"{self.queue}: it was delivered before and does not say so: {delivery}")

    def drain(self, port, ready, ack):
        """Takes all that is ready, checks it against the books; returns it."""
        consumer = self.consumer(port, prefetch=0, ack_percent=100 if ack else 0, count=ready) if ready else None
        deliveries = read_deliveries(consumer.book()) if consumer else []
        self.clients.clear()
        self.check_deliveries(deliveries)
        found = defaultdict(set)
        for delivery in deliveries:
            found[delivery.publisher].add(delivery.seq)
        for publisher, messages in self.sent.items():
            lost = messages.lost(found[publisher])
            assert not lost, (f"{self.queue}: {len(lost)} confirmed messages of publisher {publisher} are lost, "
                              f"the first is {lost[0]}, the last {lost[-1]} of {len(messages.states)}")
        self.note(deliveries)
        return deliveries

    def end(self):
        for client in self.clients:
            client.end()


def ready_count(wire, queue):
    return wire.rpc(1, Queue.Declare(queue=queue, passive=True), Queue.DeclareOk)


def settled_ready_count(wire, queue):
    """How many are ready once no consumer is left that could hold some."""
    return wait_until(lambda: (ok := ready_count(wire, queue)).consumer_count == 0 and ok, "no consumers").message_count
