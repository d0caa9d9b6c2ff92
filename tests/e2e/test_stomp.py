"""STOMP with a real client, stomp.py, in each version of the protocol, beside clients of AMQP."""

import threading

import pika
import pytest
import stomp

from harness.waiting import wait_until

VERSIONS = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}


class Client(stomp.ConnectionListener):
    """A connection with what has come to it."""

    def __init__(self, address, version="1.2", user="guest", password="guest", **options):
        self.version = version
        self.messages, self.receipts, self.errors = [], [], []
        self.lock = threading.Lock()
        if version != "1.0":
            options.setdefault("vhost", "/")
        self.connection = VERSIONS[version]([(address.host, address.port)], **options)
        self.connection.set_listener("client", self)
        self.connection.connect(user, password, wait=True)
        self.numbers = iter(range(1, 1_000_000))

    def on_message(self, frame):
        with self.lock:
            self.messages.append(frame)

    def on_receipt(self, frame):
        self.receipts.append(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.append(frame)

    def receipt(self):
        return f"receipt-{next(self.numbers)}"

    def has(self, receipt):
        wait_until(lambda: receipt in self.receipts or self.errors, f"receipt {receipt}")
        assert not self.errors, self.errors[0].body

    def send(self, destination, body, safe=True, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if not safe:
            return self.connection.send(destination, body, headers=named)
        receipt = self.receipt()
        self.connection.send(destination, body, headers={"persistent": "true", "receipt": receipt, **named})
        return self.has(receipt)

    def subscribe(self, destination, number="1", ack="auto", **headers):
        receipt = self.receipt()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.subscribe(destination, number, ack, headers={"receipt": receipt, **named})
        self.has(receipt)

    def unsubscribe(self, number="1", **headers):
        receipt = self.receipt()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.unsubscribe(number, headers={"receipt": receipt, **named})
        self.has(receipt)

    def ack(self, message, transaction=None):
        if self.version == "1.2":
            self.connection.ack(message.headers["ack"], transaction=transaction)
        elif self.version == "1.1":
            self.connection.ack(message.headers["message-id"], message.headers["subscription"], transaction=transaction)
        else:
            self.connection.ack(message.headers["message-id"], transaction=transaction)

    def nack(self, message, **headers):
        if self.version == "1.2":
            self.connection.nack(message.headers["ack"], **headers)
        else:
            self.connection.nack(message.headers["message-id"], message.headers["subscription"], **headers)

    def got(self, count):
        wait_until(lambda: len(self.messages) >= count or self.errors, f"{count} messages")
        assert not self.errors, self.errors[0].body
        return [message.body for message in self.messages]

    def error(self):
        wait_until(lambda: self.errors, "an error")
        return self.errors[0].headers["message"], self.errors[0].body

    def close(self):
        self.connection.remove_listener("client")
        self.connection.disconnect()


@pytest.fixture
def stomps(weir):
    """stomps(version="1.2", **options): one more client."""
    clients = []

    def connect(version="1.2", **options):
        clients.append(Client(weir.stomp, version, **options))
        return clients[-1]

    yield connect
    for client in clients:
        if client.connection.is_connected():
            client.close()


@pytest.fixture
def channel(weir):
    address = weir.address
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    if connection.is_open:
        connection.close()


def depth(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


@pytest.mark.parametrize("version", list(VERSIONS))
def test_what_is_sent_to_a_queue_is_received_in_order(stomps, name, version):
    queue = "/queue/" + name("orders")
    sender, receiver = stomps(version), stomps(version)
    receiver.subscribe(queue)
    for number in range(100):
        sender.send(queue, f"order {number}: ü", content_type="text/plain", colour="red")
    assert receiver.got(100) == [f"order {number}: ü" for number in range(100)]
    headers = receiver.messages[0].headers
    assert headers["destination"] == queue and headers["subscription"] == "1"
    assert headers["content-type"] == "text/plain" and headers["colour"] == "red"
    assert headers["persistent"] == "true" and headers["redelivered"] == "false"
    assert len({message.headers["message-id"] for message in receiver.messages}) == 100


@pytest.mark.parametrize("version", list(VERSIONS))
def test_messages_that_are_not_acknowledged_come_again(stomps, name, channel, version):
    queue = "/queue/" + name("work")
    sender, crashing, next_one = stomps(version), stomps(version), stomps(version)
    crashing.subscribe(queue, ack="client" if version == "1.0" else "client-individual", prefetch_count=2)
    for number in range(4):
        sender.send(queue, str(number))
    assert crashing.got(2) == ["0", "1"]
    crashing.ack(crashing.messages[0])
    assert crashing.got(3) == ["0", "1", "2"]
    crashing.connection.transport.disconnect_socket()
    wait_until(lambda: depth(channel, name("work")) == 3, "what it had to be back")
    next_one.subscribe(queue)
    assert next_one.got(3) == ["1", "2", "3"]
    assert [message.headers["redelivered"] for message in next_one.messages] == ["true", "true", "false"]


def test_an_acknowledgement_in_the_client_mode_is_for_all_before_it(stomps, name, channel):
    queue = name("work")
    sender, receiver = stomps(), stomps()
    receiver.subscribe("/queue/" + queue, ack="client")
    for number in range(5):
        sender.send("/queue/" + queue, str(number))
    receiver.got(5)
    receiver.ack(receiver.messages[2])
    receiver.unsubscribe()
    wait_until(lambda: depth(channel, queue) == 2, "the others to be back")
    assert channel.basic_get(queue, auto_ack=True)[2] == b"3"


def test_a_nack_gives_back_or_throws_away(stomps, name):
    queue = "/queue/" + name("work")
    client = stomps()
    client.subscribe(queue, ack="client-individual")
    client.send(queue, "again")
    client.got(1)
    client.nack(client.messages[0])
    assert client.got(2) == ["again", "again"]
    assert client.messages[1].headers["redelivered"] == "true"
    client.nack(client.messages[1], requeue="false")
    client.send(queue, "next")
    assert client.got(3)[2] == "next"


def test_topics_reach_all_who_subscribed_with_wildcards(stomps, name):
    prefix = name("t")
    client, all_of_it, one = stomps(), stomps("1.1"), stomps("1.0")
    all_of_it.subscribe(f"/topic/{prefix}.#")
    one.subscribe(f"/topic/{prefix}.*.new")
    client.send(f"/topic/{prefix}.order.new", "a")
    client.send(f"/topic/{prefix}.order.paid", "b")
    client.send(f"/topic/{prefix}.user.new", "c")
    assert all_of_it.got(3) == ["a", "b", "c"]
    assert one.got(2) == ["a", "c"]
    assert one.messages[0].headers["destination"] == f"/topic/{prefix}.order.new"


def test_a_durable_subscription_of_a_topic_waits_for_its_client(stomps, name):
    topic = "/topic/" + name("news")
    durable = {"durable": "true", "auto_delete": "false"}
    reader = stomps()
    reader.subscribe(topic, "mine", **durable)
    reader.close()
    sender = stomps()
    sender.send(topic, "while you were away")
    again = stomps()
    again.subscribe(topic, "mine", **durable)
    assert again.got(1) == ["while you were away"]
    again.unsubscribe("mine", **durable)
    sender.send(topic, "nobody gets it")
    last = stomps()
    last.subscribe(topic, "mine", **durable)
    sender.send(topic, "new")
    assert last.got(1) == ["new"]
    last.unsubscribe("mine", **durable)


def test_exchanges_are_sent_to_and_subscribed_to(stomps, name, channel):
    exchange = name("logs")
    channel.exchange_declare(exchange, "direct")
    client = stomps()
    client.subscribe(f"/exchange/{exchange}/error")
    client.send(f"/exchange/{exchange}/info", "not for us")
    client.send(f"/exchange/{exchange}/error", "for us")
    assert client.got(1) == ["for us"]
    assert client.messages[0].headers["destination"] == f"/exchange/{exchange}/error"
    channel.exchange_delete(exchange)


def test_a_transaction_takes_effect_as_a_whole(stomps, name, channel):
    source, target = name("in"), name("out")
    client = stomps()
    client.send("/queue/" + source, "work")
    client.subscribe("/queue/" + source, ack="client-individual")
    client.got(1)
    channel.queue_declare(target, durable=True)
    client.connection.begin("t1")
    client.send("/queue/" + target, "result", safe=False, transaction="t1", persistent="true")
    client.ack(client.messages[0], transaction="t1")
    client.connection.abort("t1")
    client.connection.begin("t2")
    client.send("/queue/" + target, "result 2", safe=False, transaction="t2", persistent="true")
    client.ack(client.messages[0], transaction="t2")
    assert depth(channel, target) == 0
    receipt = client.receipt()
    client.connection.commit("t2", headers={"receipt": receipt})
    client.has(receipt)
    client.close()
    assert channel.basic_get(target, auto_ack=True)[2] == b"result 2"
    assert depth(channel, target) == 0 and depth(channel, source) == 0


def test_replies_come_to_a_queue_of_the_connections_own(stomps, name):
    service, asker = stomps(), stomps()
    service.subscribe("/queue/" + name("rpc"))
    for number in range(3):
        asker.send("/queue/" + name("rpc"), "?", reply_to="/temp-queue/mine", correlation_id=str(number))
    service.got(3)
    for request in service.messages:
        assert request.headers["reply-to"].startswith("/reply-queue/")
        service.send(request.headers["reply-to"], "!", correlation_id=request.headers["correlation-id"])
    asker.got(3)
    assert [reply.headers["correlation-id"] for reply in asker.messages] == ["0", "1", "2"]
    assert {reply.headers["subscription"] for reply in asker.messages} == {"/temp-queue/mine"}


def test_amqp_clients_read_what_stomp_clients_send(stomps, name, channel):
    queue = name("shared")
    stomps("1.1").send("/queue/" + queue, "body", content_type="text/plain", correlation_id="c", amqp_message_id="m",
                       priority="3", expiration="60000", type="t", colour="red: blue")
    _, properties, body = channel.basic_get(queue, auto_ack=True)
    assert body == b"body"
    assert (properties.content_type, properties.correlation_id, properties.message_id) == ("text/plain", "c", "m")
    assert (properties.delivery_mode, properties.priority, properties.expiration) == (2, 3, "60000")
    assert properties.type == "t" and properties.headers["colour"] == "red: blue"


@pytest.mark.parametrize("version", list(VERSIONS))
def test_stomp_clients_read_what_amqp_clients_publish(stomps, name, channel, version):
    queue = name("shared")
    channel.queue_declare(queue, durable=True)
    channel.basic_publish("", queue, b"body", pika.BasicProperties(
        content_type="text/plain", delivery_mode=2, correlation_id="c", message_id="m", priority=3,
        headers={"colour": "red:blue", "size": 5, "destination": "/queue/forged", "list": [1, 2]}))
    client = stomps(version)
    client.subscribe("/amq/queue/" + queue)
    assert client.got(1) == ["body"]
    headers = client.messages[0].headers
    assert headers["content-type"] == "text/plain" and headers["amqp-message-id"] == "m"
    assert (headers["colour"], headers["size"], headers["priority"]) == ("red:blue", "5", "3")
    assert headers["destination"] == "/queue/" + queue and "list" not in headers


def test_headers_exchanges_look_at_the_headers_of_stomp(stomps, name, channel):
    exchange, queue = name("by-header"), name("red")
    channel.exchange_declare(exchange, "headers")
    channel.queue_declare(queue)
    channel.queue_bind(queue, exchange, arguments={"x-match": "all", "colour": "red"})
    client = stomps()
    client.send(f"/exchange/{exchange}", "red", colour="red")
    client.send(f"/exchange/{exchange}", "blue", colour="blue")
    assert depth(channel, queue) == 1
    channel.exchange_delete(exchange)


def test_queues_are_made_with_the_arguments_that_headers_name(stomps, name, channel):
    queue = name("short")
    client = stomps()
    client.subscribe("/queue/" + queue, x_max_length="2", x_dead_letter_exchange="", x_dead_letter_routing_key=name("dead"),
                     ack="client-individual", prefetch_count="1")
    channel.queue_declare(queue, durable=True, arguments={
        "x-max-length": 2, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": name("dead")})
    dead = stomps()
    dead.subscribe("/queue/" + name("dead"))
    for number in range(4):
        client.send("/queue/" + queue, str(number))
    assert dead.got(1) == ["1"]
    assert dead.messages[0].headers["x-first-death-reason"] == "maxlen"
    assert dead.messages[0].headers["x-first-death-queue"] == queue


@pytest.mark.parametrize("size", [0, 1, 100_000, 300_000, 5_000_000])
@pytest.mark.parametrize("persistent", ["true", "false"])
def test_bodies_of_every_size_go_through(stomps, name, size, persistent):
    queue = "/queue/" + name("large")
    body = ("0123456789\0" * (size // 11 + 1))[:size]
    sender, receiver = stomps(), stomps()
    receiver.subscribe(queue, ack="client-individual")
    sender.send(queue, body, persistent=persistent)
    sender.send(queue, "behind it")
    assert receiver.got(2) == [body, "behind it"]


def test_a_client_that_does_not_get_in_is_told_why(weir):
    client = None
    with pytest.raises(stomp.exception.ConnectFailedException):
        client = Client(weir.stomp, password="wrong")
    assert client is None


def test_the_management_api_shows_stomp_connections(stomps, admin, name):
    client = stomps()
    client.subscribe("/queue/" + name("q"))
    shown = [one for one in admin.get("/connections") if one["protocol"] == "STOMP 1.2"]
    assert shown and shown[0]["user"] == "guest" and shown[0]["state"] == "running"
    admin.done("DELETE", "/connections/" + shown[0]["name"].replace(" ", "%20").replace(">", "%3E"))
    assert client.error()[0] == "Connection closed"
