"""What it is: pika's BlockingConnection."""

import re
from collections import deque

import pika
from pika import exceptions

from harness.clients.base import (PROPERTY_NAMES, SECONDS, ChannelFailed, ConnectionFailed, Delivery, Refused,
                                  Returned)
from harness.waiting import Late, wait_until


def parameters(address, **options):
    options.setdefault("heartbeat", 0)
    return pika.ConnectionParameters(
        host=address.host, port=address.port, virtual_host=address.vhost,
        credentials=pika.PlainCredentials(address.user, address.password), socket_timeout=SECONDS,
        stack_timeout=2 * SECONDS, blocked_connection_timeout=None, **options)


def translated(call):
    def run(*arguments, **options):
        try:
            return call(*arguments, **options)
        except exceptions.ChannelClosedByBroker as error:
            raise ChannelFailed(error.reply_code, error.reply_text) from None
        except exceptions.ConnectionClosedByBroker as error:
            raise ConnectionFailed(error.reply_code, error.reply_text) from None

    return run


def properties_of(basic):
    return {name: getattr(basic, name) for name in PROPERTY_NAMES if getattr(basic, name) is not None}


class PikaClient:
    name = "pika"

    def __init__(self, address, **options):
        try:
            self.connection = pika.BlockingConnection(parameters(address, **options))
        except exceptions.ProbableAuthenticationError as error:
            code, text = re.search(r"\((\d+)\) '(.*)'", str(error)).groups()
            raise ConnectionFailed(int(code), text) from None
        except exceptions.ConnectionClosedByBroker as error:
            raise ConnectionFailed(error.reply_code, error.reply_text) from None

    def channel(self, confirms=True):
        return PikaChannel(self.connection, confirms)

    def close(self):
        if self.connection.is_open:
            self.connection.close()


class PikaChannel:
    def __init__(self, connection, confirms):
        self.connection = connection
        self.channel = connection.channel()
        self.confirms = confirms
        self.deliveries = deque()
        self.cancelled = deque()
        self.channel.add_on_cancel_callback(lambda frame: self.cancelled.append(frame.method.consumer_tag))
        if confirms:
            self.channel.confirm_delivery()

    @translated
    def declare_queue(self, name="", durable=False, exclusive=False, auto_delete=False, passive=False,
                      arguments=None):
        ok = self.channel.queue_declare(name, passive=passive, durable=durable, exclusive=exclusive,
                                        auto_delete=auto_delete, arguments=arguments).method
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
        self.channel.queue_bind(queue, exchange, key, arguments)

    @translated
    def unbind(self, queue, exchange, key="", arguments=None):
        self.channel.queue_unbind(queue, exchange, key, arguments)

    @translated
    def purge(self, queue):
        return self.channel.queue_purge(queue).method.message_count

    @translated
    def delete_queue(self, queue, if_unused=False, if_empty=False):
        return self.channel.queue_delete(queue, if_unused, if_empty).method.message_count

    @translated
    def publish(self, exchange, key, body, properties=None, mandatory=False):
        try:
            self.channel.basic_publish(exchange, key, body, pika.BasicProperties(**(properties or {})), mandatory)
        except exceptions.UnroutableError as error:
            method = error.messages[0].method
            raise Returned(method.reply_code, method.reply_text) from None
        except exceptions.NackError:
            raise Refused from None

    @translated
    def qos(self, count):
        self.channel.basic_qos(prefetch_count=count)

    def _on_delivery(self, _channel, method, properties, body):
        self.deliveries.append(Delivery(method.delivery_tag, body, method.redelivered, method.exchange,
                                        method.routing_key, properties_of(properties), method.consumer_tag))

    @translated
    def consume(self, queue, no_ack=False, exclusive=False):
        return self.channel.basic_consume(queue, self._on_delivery, auto_ack=no_ack, exclusive=exclusive)

    @translated
    def cancel(self, tag):
        self.channel.basic_cancel(tag)

    @translated
    def _next_of(self, events, what, seconds):
        def come():
            if not events:
                self.connection.process_data_events(time_limit=0)
            return bool(events)

        wait_until(come, what, seconds)
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
        method, properties, body = self.channel.basic_get(queue, no_ack)
        if method is None:
            return None
        return Delivery(method.delivery_tag, body, method.redelivered, method.exchange, method.routing_key,
                        properties_of(properties))

    @translated
    def ack(self, tag, multiple=False):
        self.channel.basic_ack(tag, multiple)

    @translated
    def nack(self, tag, multiple=False, requeue=True):
        self.channel.basic_nack(tag, multiple, requeue)

    @translated
    def reject(self, tag, requeue=True):
        self.channel.basic_reject(tag, requeue)

    def close(self):
        if self.channel.is_open:
            self.channel.close()
