"""What it is: the protocols that exchange messages here, one class each, all on the topic exchange amq.topic. A further
protocol is one more class, and a row in PARTIES.

A party subscribes to a routing key and publishes to one. `carries` says what of a Message its protocol has a place for;
headers are texts where `typed_headers` is False.
"""

import queue
import urllib.parse
from dataclasses import dataclass, field

import paho.mqtt.client as paho
import pika
import stomp
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harness.waiting import wait_until

SECONDS = 10
EXCHANGE = "amq.topic"
WHOLE = {"content_type", "correlation_id", "reply_to", "ttl_ms", "headers"}


@dataclass
class Message:
    """reply_to is a routing key. A field that is None, or empty, is not there."""

    body: bytes = b""
    key: str = ""
    persistent: bool = True
    content_type: str | None = None
    correlation_id: str | bytes | None = None
    reply_to: str | None = None
    ttl_ms: int | None = None
    headers: dict = field(default_factory=dict)
    more: dict = field(default_factory=dict)  # what only the protocol has


def swapped(text):
    """A routing key of AMQP as a topic of MQTT, and back."""
    return text.translate(str.maketrans("/.", "./"))


class Party:
    """One client. A name makes a subscription that is there again after a restart of the broker."""

    name = ""
    carries = WHOLE
    typed_headers = False

    def __init__(self, server, name=None):
        self.server = server
        self.subscription = name
        self.arrived = queue.Queue()
        self.connect()

    def next(self):
        return self.arrived.get(timeout=SECONDS)

    def nothing_waits(self):
        return self.arrived.empty()

    def reply(self, request, message):
        """As a program of the protocol answers."""
        self.publish(request.reply_to, message)


class Amqp(Party):
    name = "amqp091"
    typed_headers = True

    def connect(self):
        address = self.server.address
        self.connection = pika.BlockingConnection(pika.ConnectionParameters(
            address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password),
            heartbeat=0))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.queue = None

    def subscribe(self, key):
        kept = self.subscription is not None
        self.queue = self.channel.queue_declare(self.subscription or "", durable=kept, exclusive=not kept).method.queue
        if key is not None:
            self.channel.queue_bind(self.queue, EXCHANGE, key)
        self.channel.basic_consume(self.queue, self.take, auto_ack=False)

    def take(self, channel, method, properties, body):
        channel.basic_ack(method.delivery_tag)
        known = {"content_type", "correlation_id", "reply_to", "expiration", "headers", "delivery_mode"}
        names = [name for name in pika.BasicProperties().__class__.__dict__ if name.startswith("FLAG_")]
        named = [name[len("FLAG_"):].lower() for name in names]
        more = {name: getattr(properties, name) for name in named
                if name not in known and getattr(properties, name, None) is not None}
        self.arrived.put(Message(
            body, method.routing_key, properties.delivery_mode == 2, properties.content_type,
            properties.correlation_id, properties.reply_to, properties.expiration and int(properties.expiration),
            properties.headers or {}, more))

    def publish(self, key, message):
        self.publish_on(self.channel, key, message)

    @staticmethod
    def publish_on(channel, key, message):
        channel.basic_publish(EXCHANGE, key, message.body, pika.BasicProperties(
            content_type=message.content_type, correlation_id=message.correlation_id, reply_to=message.reply_to,
            expiration=message.ttl_ms and str(message.ttl_ms), headers=message.headers or None,
            delivery_mode=2 if message.persistent else 1, **message.more))

    def publish_quickly(self, key, messages):
        hasty = self.connection.channel()
        for message in messages:
            self.publish_on(hasty, key, message)
        hasty.close()

    def reply(self, request, message):
        # A reply-to of STOMP is a destination, as with RabbitMQ.
        self.publish(urllib.parse.unquote(request.reply_to.removeprefix("/topic/")), message)

    def next(self):
        wait_until(lambda: self.connection.process_data_events(0.005) or not self.arrived.empty(), "a message", SECONDS)
        return self.arrived.get_nowait()

    def nothing_waits(self):
        self.connection.process_data_events(0.05)
        return self.arrived.empty()

    def close(self):
        if self.connection.is_open:
            self.connection.close()


class Mqtt(Party):
    """QoS 1 where a message is persistent, else 0."""

    name = "mqtt311"
    version = paho.MQTTv311
    carries = frozenset()
    options = {}

    def connect(self):
        address = self.server.mqtt
        kept = self.subscription is not None
        made = {} if self.version == paho.MQTTv5 else {"clean_session": not kept}
        self.client = paho.Client(self.subscription or "", protocol=self.version, **made)
        self.client.max_inflight_messages_set(1000)  # beyond it, QoS 0 would overtake QoS 1 in the client itself
        self.client.username_pw_set(address.user, address.password)
        self.client.on_message = lambda _client, _data, packet: self.arrived.put(self.message_of(packet))
        self.granted = queue.Queue()
        self.client.on_subscribe = lambda *_arguments: self.granted.put(True)
        self.client.connect(address.host, address.port, **self.session(kept))
        self.client.loop_start()
        wait_until(self.client.is_connected, "the connection of MQTT", SECONDS)

    def session(self, _kept):
        return {}

    def subscribe(self, key):
        self.client.subscribe(swapped(key), qos=1)
        self.granted.get(timeout=SECONDS)

    def message_of(self, packet):
        return Message(packet.payload, swapped(packet.topic), packet.qos > 0)

    def publish(self, key, message):
        self.publish_quickly(key, [message])

    def publish_quickly(self, key, messages):
        for sent in [self.client.publish(swapped(key), message.body, qos=1 if message.persistent else 0,
                                         **self.properties(message)) for message in messages]:
            sent.wait_for_publish(SECONDS)
            assert sent.is_published()

    def properties(self, _message):
        return {}

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Mqtt5(Mqtt):
    """Times to live are whole seconds; the reply-to is the response topic."""

    name = "mqtt5"
    version = paho.MQTTv5
    carries = WHOLE

    def session(self, kept):
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 600 if kept else 0
        return {"clean_start": False, "properties": properties}

    def message_of(self, packet):
        message = super().message_of(packet)
        sent = packet.properties
        message.content_type = getattr(sent, "ContentType", None)
        message.correlation_id = getattr(sent, "CorrelationData", None)
        if hasattr(sent, "ResponseTopic"):
            message.reply_to = swapped(sent.ResponseTopic)
        if hasattr(sent, "MessageExpiryInterval"):
            message.ttl_ms = sent.MessageExpiryInterval * 1000
        message.more = {"pairs": getattr(sent, "UserProperty", [])}
        message.headers = dict(message.more["pairs"])
        return message

    def properties(self, message):
        sent = Properties(PacketTypes.PUBLISH)
        if message.content_type is not None:
            sent.ContentType = message.content_type
        if message.correlation_id is not None:
            sent.CorrelationData = (message.correlation_id if isinstance(message.correlation_id, bytes)
                                    else message.correlation_id.encode())
        if message.reply_to is not None:
            sent.ResponseTopic = swapped(message.reply_to)
        if message.ttl_ms is not None:
            sent.MessageExpiryInterval = message.ttl_ms // 1000
        if message.headers:
            sent.UserProperty = [(name, str(value)) for name, value in message.headers.items()]
        for name, value in message.more.items():
            setattr(sent, name, value)
        return {"properties": sent}


class Stomp(Party, stomp.ConnectionListener):
    name = "stomp"
    properties = {"content-type", "correlation-id", "reply-to", "expiration", "persistent"}
    own = {"destination", "message-id", "subscription", "redelivered", "content-length", "ack"}

    def connect(self):
        address = self.server.stomp
        self.receipts = set()
        self.numbers = iter(range(1, 1_000_000))
        self.errors = []
        self.client = stomp.Connection12([(address.host, address.port)], vhost="/", auto_decode=False)
        self.client.set_listener("party", self)
        self.client.connect(address.user, address.password, wait=True)

    @staticmethod
    def destination(key):
        return "/topic/" + urllib.parse.quote(key, safe="#*")

    def subscribe(self, key):
        headers = {}
        if self.subscription is not None:
            headers = {"durable": "true", "auto-delete": "false", "x-queue-name": self.subscription}
        with_receipt = self.receipt()
        self.client.subscribe(self.destination(key), "1", "auto", headers={"receipt": with_receipt, **headers})
        self.wait_for(with_receipt)

    def publish(self, key, message):
        self.publish_quickly(key, [message])

    def publish_quickly(self, key, messages):
        for receipt in [self.send(key, message) for message in messages]:
            self.wait_for(receipt)

    def send(self, key, message):
        headers = {"persistent": "true"} if message.persistent else {}
        told = {"correlation-id": message.correlation_id, "expiration": message.ttl_ms,
                "reply-to": message.reply_to and self.destination(message.reply_to)}
        headers.update({name: str(value) for name, value in {**told, **message.headers, **message.more}.items()
                        if value is not None})
        receipt = self.receipt()
        self.client.send(self.destination(key), message.body, message.content_type,
                         headers={**headers, "receipt": receipt})
        return receipt

    def reply(self, request, message):
        self.publish(urllib.parse.unquote(request.reply_to.removeprefix("/topic/")), message)

    def receipt(self):
        return f"receipt-{next(self.numbers)}"

    def wait_for(self, receipt):
        wait_until(lambda: receipt in self.receipts or self.errors, f"receipt {receipt}", SECONDS)
        assert not self.errors, self.errors[0].body

    def on_receipt(self, frame):
        self.receipts.add(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.append(frame)

    def on_message(self, frame):
        headers = frame.headers
        body = frame.body if isinstance(frame.body, bytes) else frame.body.encode()
        expiration = headers.get("expiration")
        self.arrived.put(Message(
            body, urllib.parse.unquote(headers["destination"].removeprefix("/topic/")),
            headers.get("persistent") == "true", headers.get("content-type"), headers.get("correlation-id"),
            headers.get("reply-to"), expiration and int(expiration),
            {name: value for name, value in headers.items() if name not in self.own | self.properties}))

    def close(self):
        self.client.remove_listener("party")
        if self.client.is_connected():
            self.client.disconnect()


PARTIES = {party.name: party for party in (Amqp, Mqtt, Mqtt5, Stomp)}
