"""What it is: py-amqp, the transport of kombu and Celery."""

import socket
from collections import deque

import amqp
from amqp import exceptions

from harness.clients.base import (PROPERTY_NAMES, SECONDS, ChannelFailed, ConnectionFailed, Delivery, Refused,
                                  Returned)
from harness.waiting import Late, wait_until

PY_NAMES = {"headers": "application_headers"}
NAMES = {ours: theirs for theirs, ours in PY_NAMES.items()}


def translated(call):
    def run(*arguments, **options):
        try:
            return call(*arguments, **options)
        except exceptions.MessageNacked:
            raise Refused from None
        except exceptions.ChannelError as error:
            raise ChannelFailed(error.reply_code, error.reply_text) from None
        except exceptions.ConnectionError as error:
            raise ConnectionFailed(error.reply_code, error.reply_text) from None

    return run


def properties_of(message):
    return {NAMES.get(name, name): value for name, value in message.properties.items()
            if NAMES.get(name, name) in PROPERTY_NAMES}


def body_of(message):
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body or b"")


class PyAmqpClient:
    name = "py-amqp"

    def __init__(self, address, **options):
        options.setdefault("heartbeat", 0)
        self.connection = amqp.Connection(
            host=f"{address.host}:{address.port}", userid=address.user, password=address.password,
            virtual_host=address.vhost, connect_timeout=SECONDS, **options)
        try:
            self.connection.connect()
        except exceptions.AMQPError as error:
            raise ConnectionFailed(error.reply_code, error.reply_text) from None

    def channel(self, confirms=True):
        return PyAmqpChannel(self.connection, confirms)

    def close(self):
        if self.connection.connected:
            self.connection.close()


class PyAmqpChannel:
    def __init__(self, connection, confirms):
        self.connection = connection
        self.channel = connection.channel()
        self.confirms = confirms
        self.deliveries = deque()
        self.cancelled = deque()
        self.returned = deque()
        self.channel.events["basic_return"].add(lambda *details: self.returned.append(details))

    @translated
    def declare_queue(self, name="", durable=False, exclusive=False, auto_delete=False, passive=False,
                      arguments=None):
        ok = self.channel.queue_declare(name, passive=passive, durable=durable, exclusive=exclusive,
                                        auto_delete=auto_delete, arguments=arguments)
        return ok.queue, ok.message_count, ok.consumer_count

    @translated
    def declare_exchange(self, name, kind="direct", durable=False, auto_delete=False, passive=False,
                         arguments=None):
        self.channel.exchange_declare(name, kind, passive=passive, durable=durable, auto_delete=auto_delete,
                                      arguments=arguments)

    @translated
    def delete_exchange(self, name, if_unused=False):
        self.channel.exchange_delete(name, if_unused)

    @translated
    def bind(self, queue, exchange, key="", arguments=None):
        self.channel.queue_bind(queue, exchange, key, arguments=arguments)

    @translated
    def unbind(self, queue, exchange, key="", arguments=None):
        self.channel.queue_unbind(queue, exchange, key, arguments=arguments)

    @translated
    def purge(self, queue):
        return self.channel.queue_purge(queue)

    @translated
    def delete_queue(self, queue, if_unused=False, if_empty=False):
        return self.channel.queue_delete(queue, if_unused, if_empty)

    @translated
    def publish(self, exchange, key, body, properties=None, mandatory=False):
        named = {PY_NAMES.get(name, name): value for name, value in (properties or {}).items()}
        publish = self.channel.basic_publish_confirm if self.confirms else self.channel._basic_publish
        publish(amqp.Message(body, channel=self.channel, **named), exchange, key, mandatory=mandatory)
        if self.returned:
            error = self.returned.popleft()[0]
            raise Returned(error.reply_code, error.reply_text)

    @translated
    def qos(self, count):
        self.channel.basic_qos(0, count, False)

    def _on_delivery(self, message):
        info = message.delivery_info
        self.deliveries.append(Delivery(info["delivery_tag"], body_of(message), info["redelivered"],
                                        info["exchange"], info["routing_key"], properties_of(message),
                                        info["consumer_tag"]))

    @translated
    def consume(self, queue, no_ack=False, exclusive=False):
        return self.channel.basic_consume(queue, no_ack=no_ack, exclusive=exclusive, callback=self._on_delivery,
                                          on_cancel=self.cancelled.append)

    @translated
    def cancel(self, tag):
        self.channel.basic_cancel(tag)

    @translated
    def _next_of(self, events, what, seconds):
        def come():
            if not events:
                try:
                    self.connection.drain_events(timeout=0.02)
                except socket.timeout:
                    pass
            return bool(events)

        wait_until(come, what, seconds, poll_seconds=0)
        return events.popleft()

    def next_delivery(self, seconds=SECONDS):
        return self._next_of(self.deliveries, "a delivery", seconds)

    def next_cancelled(self, seconds=SECONDS):
        return self._next_of(self.cancelled, "word that the consumer was cancelled", seconds)

    def nothing_comes(self, seconds=0.2):
        try:
            self._next_of(self.deliveries, "a delivery", seconds)
            return False
        except Late:
            return True

    @translated
    def get(self, queue, no_ack=False):
        message = self.channel.basic_get(queue, no_ack)
        if message is None:
            return None
        info = message.delivery_info
        return Delivery(info["delivery_tag"], body_of(message), info["redelivered"], info["exchange"],
                        info["routing_key"], properties_of(message))

    @translated
    def ack(self, tag, multiple=False):
        self.channel.basic_ack(tag, multiple)

    @translated
    def nack(self, tag, multiple=False, requeue=True):
        assert not multiple, "py-amqp has no basic.nack"
        self.channel.basic_reject(tag, requeue)

    @translated
    def reject(self, tag, requeue=True):
        self.channel.basic_reject(tag, requeue)

    def close(self):
        if self.channel.is_open:
            self.channel.close()
