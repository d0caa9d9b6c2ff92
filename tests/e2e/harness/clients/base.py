"""What it is: what all clients have in common.

A client has channel(confirms=True) and close(). A channel has, each call waiting for the broker's answer:
  declare_queue(name, durable, exclusive, auto_delete, passive, arguments) -> (name, messages, consumers)
  declare_exchange(name, kind, durable, auto_delete, passive, arguments), delete_exchange(name, if_unused)
  bind(queue, exchange, key, arguments), unbind(...)
  purge(queue) -> messages, delete_queue(queue, if_unused, if_empty) -> messages
  publish(exchange, key, body, properties, mandatory): on a confirming channel it waits for the confirm and raises
    Returned or Refused
  qos(count), consume(queue, no_ack, exclusive) -> tag, cancel(tag)
  next_delivery(seconds) -> Delivery, nothing_comes(seconds), next_cancelled(seconds) -> tag of a consumer
  get(queue, no_ack) -> Delivery or None
  ack(tag, multiple), nack(tag, multiple, requeue), reject(tag, requeue)
  close()

Properties are a dict of AMQP's own names with underscores (content_type, headers, ...).
"""

from dataclasses import dataclass, field

SECONDS = 10


@dataclass
class Delivery:
    tag: int
    body: bytes
    redelivered: bool = False
    exchange: str = ""
    routing_key: str = ""
    properties: dict = field(default_factory=dict)
    consumer: str = ""


class BrokerSaid(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class ChannelFailed(BrokerSaid):
    pass


class ConnectionFailed(BrokerSaid):
    pass


class Returned(BrokerSaid):
    """A mandatory message that no queue took."""


class Refused(Exception):
    """The broker nacked a publish."""


PROPERTY_NAMES = ("content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id",
                  "reply_to", "expiration", "message_id", "timestamp", "type", "user_id", "app_id", "cluster_id")
