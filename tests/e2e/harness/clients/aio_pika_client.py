"""What it is: aio-pika, its event loop on a thread of its own."""

import asyncio
import datetime
import queue
import threading

import aio_pika
import aiormq.exceptions

from harness.clients.base import SECONDS, ChannelFailed, ConnectionFailed, Delivery, Refused, Returned
from harness.waiting import Late, wait_until

FIELDS = {"content_type": "content_type", "content_encoding": "content_encoding", "headers": "headers",
          "delivery_mode": "delivery_mode", "priority": "priority", "correlation_id": "correlation_id",
          "reply_to": "reply_to", "message_id": "message_id", "timestamp": "timestamp", "type": "type",
          "user_id": "user_id", "app_id": "app_id"}


def properties_of(message):
    found = {name: getattr(message, theirs) for name, theirs in FIELDS.items()
             if getattr(message, theirs) not in (None, {})}
    if "timestamp" in found:
        found["timestamp"] = int(found["timestamp"].replace(tzinfo=datetime.timezone.utc).timestamp())
    if "delivery_mode" in found:
        found["delivery_mode"] = int(found["delivery_mode"])
    return found


def broker_said(kind, error):
    arguments = error.args
    if len(arguments) >= 2:
        return kind(arguments[0], arguments[1])
    return kind(getattr(error, "code", None), str(error))


CODES = {aiormq.exceptions.ChannelNotFoundEntity: 404, aiormq.exceptions.ChannelLockedResource: 405,
         aiormq.exceptions.ChannelPreconditionFailed: 406, aiormq.exceptions.ChannelAccessRefused: 403}


class Loop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, awaitable, seconds=2 * SECONDS):
        async def wait():
            return await awaitable

        future = asyncio.run_coroutine_threadsafe(wait(), self.loop)
        try:
            return future.result(seconds)
        except aiormq.exceptions.PublishError as error:
            raise Returned(error.message.delivery.reply_code, error.message.delivery.reply_text) from None
        except aiormq.exceptions.DeliveryError:
            raise Refused from None
        except aiormq.exceptions.ChannelClosed as error:
            code = CODES.get(type(error))
            raise (ChannelFailed(code, error.args[0]) if code else broker_said(ChannelFailed, error)) from None
        except aiormq.exceptions.ConnectionClosed as error:
            raise broker_said(ConnectionFailed, error) from None
        except aiormq.exceptions.AMQPConnectionError as error:
            raise ConnectionFailed(403, str(error)) from None

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SECONDS)
        self.loop.close()


class AioPikaClient:
    name = "aio-pika"

    def __init__(self, address, **options):
        self.loop = Loop()
        try:
            self.connection = self.loop.run(aio_pika.connect(
                host=address.host, port=address.port, login=address.user, password=address.password,
                virtualhost=address.vhost, timeout=SECONDS, **options))
        except BaseException:
            self.loop.end()
            raise

    def channel(self, confirms=True):
        return AioPikaChannel(self.loop, self.loop.run(
            self.connection.channel(publisher_confirms=confirms, on_return_raises=confirms)))

    def close(self):
        if self.loop.loop.is_closed():
            return
        try:
            self.loop.run(self.connection.close())
        finally:
            self.loop.end()


class AioPikaChannel:
    def __init__(self, loop, channel):
        self.loop = loop
        self.channel = channel
        self.deliveries = queue.Queue()
        self.consumers = set()
        self.unsettled = {}

    async def _queue(self, name):
        return await self.channel.get_queue(name, ensure=False)

    async def _exchange(self, name):
        return await self.channel.get_exchange(name, ensure=False) if name else self.channel.default_exchange

    def declare_queue(self, name="", durable=False, exclusive=False, auto_delete=False, passive=False,
                      arguments=None):
        declared = self.loop.run(self.channel.declare_queue(
            name or None, durable=durable, exclusive=exclusive, auto_delete=auto_delete, passive=passive,
            arguments=arguments))
        result = declared.declaration_result
        return result.queue, result.message_count, result.consumer_count

    def declare_exchange(self, name, kind="direct", durable=False, auto_delete=False, passive=False,
                         arguments=None):
        self.loop.run(self.channel.declare_exchange(name, kind, durable=durable, auto_delete=auto_delete,
                                                    passive=passive, arguments=arguments))

    def delete_exchange(self, name, if_unused=False):
        self.loop.run(self.channel.exchange_delete(name, if_unused=if_unused))

    def bind(self, queue_name, exchange, key="", arguments=None):
        async def bind():
            await (await self._queue(queue_name)).bind(exchange, key, arguments=arguments)

        self.loop.run(bind())

    def unbind(self, queue_name, exchange, key="", arguments=None):
        async def unbind():
            await (await self._queue(queue_name)).unbind(exchange, key, arguments=arguments)

        self.loop.run(unbind())

    def purge(self, queue_name):
        async def purge():
            return (await (await self._queue(queue_name)).purge()).message_count

        return self.loop.run(purge())

    def delete_queue(self, queue_name, if_unused=False, if_empty=False):
        return self.loop.run(self.channel.queue_delete(queue_name, if_unused=if_unused,
                                                       if_empty=if_empty)).message_count

    def publish(self, exchange, key, body, properties=None, mandatory=False):
        async def publish():
            message = aio_pika.Message(body, **(properties or {}))
            await (await self._exchange(exchange)).publish(message, key, mandatory=mandatory)

        self.loop.run(publish())

    def qos(self, count):
        self.loop.run(self.channel.set_qos(prefetch_count=count))

    def _delivery(self, message):
        if message.delivery_tag is not None:
            self.unsettled[message.delivery_tag] = message
        return Delivery(message.delivery_tag, message.body, message.redelivered, message.exchange or "",
                        message.routing_key or "", properties_of(message), message.consumer_tag or "")

    def consume(self, queue_name, no_ack=False, exclusive=False):
        async def consume():
            return await (await self._queue(queue_name)).consume(self._arrive, no_ack=no_ack, exclusive=exclusive)

        tag = self.loop.run(consume())
        self.consumers.add(tag)
        return tag

    async def _arrive(self, message):
        self.deliveries.put(self._delivery(message))

    def cancel(self, tag):
        async def cancel():
            await (await self._queue("")).cancel(tag)

        self.loop.run(cancel())
        self.consumers.discard(tag)

    def next_delivery(self, seconds=SECONDS):
        try:
            return self.deliveries.get(timeout=seconds)
        except queue.Empty:
            raise Late(f"after {seconds} s still not: a delivery") from None

    def next_cancelled(self, seconds=SECONDS):
        """The library tells nobody: it only forgets the consumer."""
        def forgotten():
            return self.consumers - set(self.channel.channel.consumers)

        tag = wait_until(forgotten, "the cancelled consumer is forgotten", seconds).pop()
        self.consumers.discard(tag)
        return tag

    def nothing_comes(self, seconds=0.2):
        try:
            self.next_delivery(seconds)
            return False
        except Late:
            return True

    def get(self, queue_name, no_ack=False):
        async def get():
            return await (await self._queue(queue_name)).get(no_ack=no_ack, fail=False)

        message = self.loop.run(get())
        return None if message is None else self._delivery(message)

    def ack(self, tag, multiple=False):
        self.loop.run(self.unsettled.pop(tag).ack(multiple))

    def nack(self, tag, multiple=False, requeue=True):
        self.loop.run(self.unsettled.pop(tag).nack(multiple, requeue))

    def reject(self, tag, requeue=True):
        self.loop.run(self.unsettled.pop(tag).reject(requeue))

    def close(self):
        if not self.channel.is_closed:
            self.loop.run(self.channel.close())
