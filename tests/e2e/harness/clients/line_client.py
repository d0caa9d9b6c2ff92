"""What it is: clients that are programs of their own (Node.js, C), told what to do in lines of text.

We write "<number> <command> <channel> name=value ...", the program answers "<number> ok name=value ...",
"<number> channel code=... text=..." or "<number> connection code=... text=...", and says of itself
"* delivery <channel> ...", "* cancelled <channel> tag=...". Values are percent-encoded.
"""

import os
import queue
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from harness.clients.base import SECONDS, ChannelFailed, ConnectionFailed, Delivery, Refused, Returned
from harness.waiting import Late

E2E = Path(__file__).resolve().parents[2]


def encode(value):
    if isinstance(value, bool):
        return "1" if value else "0"
    return quote(value if isinstance(value, bytes) else str(value), safe="")


def decode(fields):
    found = {}
    for field in fields:
        name, value = field.split("=", 1)
        found[name] = unquote_to_bytes(value)
    return found


def flatten(prefix, table):
    """Tables and property values as name=value; the type is told by a letter: s(tring), i(nteger), b(oolean), t(able)."""
    for name, value in (table or {}).items():
        if isinstance(value, dict):
            yield from flatten(f"{prefix}{name}.", value)
        else:
            letter = "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "s"
            yield f"{prefix}{quote(name, safe='')}:{letter}", value


class LineClient:
    """One program, one connection."""

    def __init__(self, command, address):
        self.program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lock = threading.Lock()
        self.answers = {}
        self.channels = {}
        self.numbers = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.call("connect", 0, host=address.host, port=address.port, user=address.user,
                      password=address.password, vhost=address.vhost)
        except BaseException:
            self._end()
            raise

    def _read(self):
        for line in self.program.stdout:
            words = line.decode().split()
            if words[0] == "*":
                channel = self.channels.get(int(words[2]))
                if channel:
                    channel.on_event(words[1], decode(words[3:]))
            else:
                self.answers[int(words[0])].put((words[1], decode(words[2:])))
        for waiting in self.answers.values():
            waiting.put(("gone", {}))

    def call(self, command, channel, **values):
        with self.lock:
            self.numbers += 1
            number = self.numbers
            self.answers[number] = queue.Queue()
            line = f"{number} {command} {channel}"
            for name, value in values.items():
                line += f" {name}={encode(value)}"
            try:
                self.program.stdin.write(line.encode() + b"\n")
                self.program.stdin.flush()
            except BrokenPipeError:
                raise AssertionError(f"the client program ended: {self.program.stderr.read().decode()}") from None
        try:
            kind, fields = self.answers[number].get(timeout=2 * SECONDS)
        except queue.Empty:
            raise Late(f"no answer to {command}") from None
        del self.answers[number]
        if kind == "ok":
            return fields
        if kind == "refused":
            raise Refused
        if kind == "gone":
            raise AssertionError(f"the client program ended: {self.program.stderr.read().decode()}")
        failure = {"channel": ChannelFailed, "connection": ConnectionFailed, "returned": Returned}[kind]
        raise failure(int(fields["code"]), fields["text"].decode())

    def channel(self, confirms=True):
        number = max(self.channels, default=0) + 1
        channel = LineChannel(self, number)
        self.channels[number] = channel
        self.call("channel", number, confirms=confirms)
        return channel

    def close(self):
        try:
            self.call("close", 0)
        finally:
            self._end()

    def _end(self):
        self.program.stdin.close()
        try:
            self.program.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.program.kill()
            self.program.wait()
        self.reader.join()
        self.program.stdout.close()
        self.program.stderr.close()


def properties_from(fields):
    """p.<name>:<letter> and h.<header>:<letter>."""
    properties, headers = {}, {}
    for name, value in fields.items():
        if name[:2] not in ("p.", "h."):
            continue
        plain, letter = name[2:].rsplit(":", 1)
        value = value.decode()
        (headers if name[0] == "h" else properties)[unquote_to_bytes(plain).decode()] = (
            int(value) if letter == "i" else value == "1" if letter == "b" else value)
    if headers:
        properties["headers"] = headers
    return properties


def delivery_from(fields):
    return Delivery(int(fields["delivery"]), fields["body"], fields["redelivered"] == b"1",
                    fields["exchange"].decode(), fields["key"].decode(), properties_from(fields),
                    fields.get("tag", b"").decode())


class LineChannel:
    def __init__(self, client, number):
        self.client = client
        self.number = number
        self.deliveries = queue.Queue()
        self.cancelled = queue.Queue()

    def on_event(self, kind, fields):
        if kind == "delivery":
            self.deliveries.put(delivery_from(fields))
        elif kind == "cancelled":
            self.cancelled.put(fields["tag"].decode())

    def call(self, command, **values):
        return self.client.call(command, self.number, **values)

    def declare_queue(self, name="", durable=False, exclusive=False, auto_delete=False, passive=False,
                      arguments=None):
        ok = self.call("declare-queue", queue=name, durable=durable, exclusive=exclusive, auto_delete=auto_delete,
                       passive=passive, **dict(flatten("h.", arguments)))
        return ok["queue"].decode(), int(ok["messages"]), int(ok["consumers"])

    def declare_exchange(self, name, kind="direct", durable=False, auto_delete=False, passive=False,
                         arguments=None):
        self.call("declare-exchange", exchange=name, kind=kind, durable=durable, auto_delete=auto_delete,
                  passive=passive, **dict(flatten("h.", arguments)))

    def delete_exchange(self, name, if_unused=False):
        self.call("delete-exchange", exchange=name, if_unused=if_unused)

    def bind(self, queue_name, exchange, key="", arguments=None):
        self.call("bind", queue=queue_name, exchange=exchange, key=key, **dict(flatten("h.", arguments)))

    def unbind(self, queue_name, exchange, key="", arguments=None):
        self.call("unbind", queue=queue_name, exchange=exchange, key=key, **dict(flatten("h.", arguments)))

    def purge(self, queue_name):
        return int(self.call("purge", queue=queue_name)["messages"])

    def delete_queue(self, queue_name, if_unused=False, if_empty=False):
        return int(self.call("delete-queue", queue=queue_name, if_unused=if_unused, if_empty=if_empty)["messages"])

    def publish(self, exchange, key, body, properties=None, mandatory=False):
        properties = dict(properties or {})
        headers = properties.pop("headers", None)
        self.call("publish", exchange=exchange, key=key, body=body, mandatory=mandatory,
                  **dict(flatten("p.", properties)), **dict(flatten("h.", headers)))

    def qos(self, count):
        self.call("qos", count=count)

    def consume(self, queue_name, no_ack=False, exclusive=False):
        return self.call("consume", queue=queue_name, no_ack=no_ack, exclusive=exclusive)["tag"].decode()

    def cancel(self, tag):
        self.call("cancel", tag=tag)

    def _next_of(self, events, what, seconds):
        try:
            return events.get(timeout=seconds)
        except queue.Empty:
            raise Late(f"after {seconds} s still not: {what}") from None

    def next_delivery(self, seconds=SECONDS):
        return self._next_of(self.deliveries, "a delivery", seconds)

    def next_cancelled(self, seconds=SECONDS):
        return self._next_of(self.cancelled, "word that the consumer was cancelled", seconds)

    def nothing_comes(self, seconds=0.2):
        try:
            self.next_delivery(seconds)
            return False
        except Late:
            return True

    def get(self, queue_name, no_ack=False):
        fields = self.call("get", queue=queue_name, no_ack=no_ack)
        return delivery_from(fields) if "delivery" in fields else None

    def ack(self, tag, multiple=False):
        self.call("ack", delivery=tag, multiple=multiple)

    def nack(self, tag, multiple=False, requeue=True):
        self.call("nack", delivery=tag, multiple=multiple, requeue=requeue)

    def reject(self, tag, requeue=True):
        self.call("reject", delivery=tag, requeue=requeue)

    def close(self):
        self.call("close-channel")


class AmqplibClient(LineClient):
    name = "amqplib"

    def __init__(self, address):
        super().__init__(["node", str(E2E / "node/line_client.js")], address)


class LibrabbitmqClient(LineClient):
    name = "librabbitmq"

    def __init__(self, address):
        super().__init__([str(c_program("line_client"))], address)


_compiled = {}


def c_program(name):
    """tests/e2e/c/<name>.c as the build made it, else compiled here and now."""
    built = Path(os.environ.get("WEIR_BUILD_DIR", "/nonexistent")) / f"e2e_{name}"
    if built.exists():
        return built
    if name not in _compiled:
        folder = tempfile.mkdtemp(prefix="weir-e2e-c-")
        target = Path(folder) / name
        compiler = next(found for found in map(shutil.which, ("cc", "clang-19", "gcc")) if found)
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", str(target), str(E2E / f"c/{name}.c"), "-lrabbitmq"],
                       check=True)
        _compiled[name] = target
    return _compiled[name]


def remove_compiled():
    for path in _compiled.values():
        shutil.rmtree(path.parent, ignore_errors=True)
    _compiled.clear()
