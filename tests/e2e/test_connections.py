"""Connections: many of them, idle ones, encrypted ones, ones that end badly."""

import json
import resource
import socket
import ssl
import subprocess
import time

import amqp
import pika
import pytest
from kombu import Connection as KombuConnection
from pamqp.commands import Basic, Channel, Connection, Queue

from harness.certificates import Certificates
from harness.clients.pika_client import parameters
from harness.waiting import Late, wait_until
from harness.wire import HEARTBEAT, PROTOCOL_HEADER, Wire, connected, frame, method_frame


def declared(wire, queue="", channel=1, **options):
    return wire.rpc(channel, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


def test_the_server_says_what_it_can(wires):
    wire = wires()
    capabilities = wire.server_properties["capabilities"]
    for capability in ("publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
                       "connection.blocked", "authentication_failure_close", "per_consumer_qos"):
        assert capabilities[capability] is True, capability
    assert {"product", "version", "platform", "cluster_name"} <= set(wire.server_properties)
    assert (wire.tune.channel_max, wire.tune.frame_max, wire.tune.heartbeat) == (2047, 131072, 60)


def test_all_channels_of_a_connection_can_be_open(wires, name):
    wire = wires()
    last = wire.tune.channel_max
    wire.send(b"".join(method_frame(number, Channel.Open()) for number in range(2, last + 1)))
    opened = set()
    while len(opened) < last - 1:
        got = wire.next_frame()
        assert isinstance(got.method(), Channel.OpenOk)
        opened.add(got.channel)
    declared(wire, name(), exclusive=True)
    for number in (2, 1000, last):
        wire.publish(number, "", name(), b"from %d" % number)
        wire.rpc(number, Basic.Consume(queue=name(), consumer_tag=f"c{number}", no_ack=True), Basic.ConsumeOk)
        got = wire.next_content()
        assert (got.body, got.method.consumer_tag) == (b"from %d" % number, f"c{number}")
        wire.rpc(number, Basic.Cancel(consumer_tag=f"c{number}"), Basic.CancelOk)
    wire.close()


def test_500_connections_work_at_the_same_time(broker, name):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    wires = []
    try:
        for _ in range(500):
            wires.append(connected(broker.address, confirms=True))
        declared(wires[0], name(), durable=True)
        for number, wire in enumerate(wires):
            wire.publish(1, "", name(), b"%d" % number)
        for wire in wires:
            assert wire.next_method(Basic.Ack).delivery_tag == 1
        for wire in wires:
            wire.send_method(1, Basic.Consume(queue=name(), consumer_tag="c"))
            wire.send_method(1, Basic.Qos(prefetch_count=1))
        assert declared(wires[0], name("other"), channel=1, exclusive=True).message_count == 0
    finally:
        for wire in wires:
            wire.drop()
    with connected(broker.address) as wire:
        wait_until(lambda: declared(wire, name(), passive=True).consumer_count == 0, "the consumers are gone")
        assert declared(wire, name(), passive=True).message_count == 500
        wire.rpc(1, Queue.Delete(queue=name()), Queue.DeleteOk)
    if hasattr(broker, "open_files"):
        wait_until(lambda: broker.open_files() < 100, "the broker has closed the sockets")


def test_an_idle_client_with_heartbeats_stays_connected(broker, name):
    """pika sends heartbeats while it processes events; the broker's come between ours."""
    connection = pika.BlockingConnection(parameters(broker.address, heartbeat=1))
    channel = connection.channel()
    channel.queue_declare(name(), exclusive=True)
    until = time.monotonic() + 3.5
    while time.monotonic() < until:
        connection.process_data_events(time_limit=0.5)
    channel.basic_publish("", name(), b"still here")
    assert channel.basic_get(name(), True)[2] == b"still here"
    connection.close()


def test_the_broker_sends_heartbeats_to_a_silent_connection(broker):
    with connected(broker.address, heartbeat=1) as wire:
        got = wire.read_frame(2.5)
        assert (got.type, got.channel, got.payload) == (HEARTBEAT, 0, b"")
        wire.send(frame(HEARTBEAT, 0, b""))


def test_a_client_that_promised_heartbeats_and_is_silent_is_dropped(broker, name):
    with connected(broker.address, heartbeat=1) as wire:
        declared(wire, name(), exclusive=True)
        began = time.monotonic()
        wire.expect_end(6)
        assert 1 < time.monotonic() - began < 5
    with connected(broker.address) as wire:

        def queue_is_gone():
            wire.send_method(1, Queue.Declare(queue=name(), passive=True))
            code = wire.find_close(Channel.Close, 1).reply_code
            wire.send_method(1, Channel.CloseOk())
            wire.open_channel(1)
            return code == 404

        wait_until(queue_is_gone, "its exclusive queue is gone")


def test_a_client_without_heartbeats_may_be_silent(broker, name):
    with connected(broker.address, heartbeat=0) as silent, connected(broker.address, heartbeat=1) as measured:
        measured.expect_end(6)
        assert declared(silent, name(), exclusive=True).queue == name()


def test_closing_a_connection_closes_what_it_owned(broker, wires, name):
    wire = connected(broker.address)
    declared(wire, name(), exclusive=True)
    wire.close()
    other = wires()
    other.send_method(1, Queue.Declare(queue=name(), passive=True))
    other.expect_channel_close(1, 404)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_tls_by_pika_py_amqp_and_kombu(start_weir, certificates, name):
    server = start_weir(*certificates.server_settings())
    address = server.address.but(port=server.ports["amqps"])
    options = pika.SSLOptions(certificates.client_context(), "localhost")
    connection = pika.BlockingConnection(parameters(address, ssl_options=options))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(name(), durable=True)
    body = bytes(range(256)) * 8192
    channel.basic_publish("", name(), body)
    assert channel.basic_get(name(), True)[2] == body
    connection.close()
    tls = {"ca_certs": certificates.path("ca.pem"), "cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "localhost"}
    with amqp.Connection(f"127.0.0.1:{address.port}", ssl=tls) as connection:
        assert connection.channel().queue_declare(name(), passive=True).message_count == 0
    with KombuConnection(f"amqps://guest:guest@127.0.0.1:{address.port}//", ssl=tls) as connection:
        queue = connection.SimpleQueue(name("simple"))
        queue.put({"over": "tls"})
        message = queue.get(timeout=5)
        assert message.payload == {"over": "tls"}
        message.ack()
        queue.close()


def test_tls_and_plain_text_do_not_mix(start_weir, certificates):
    server = start_weir(*certificates.server_settings())
    with socket.create_connection(("127.0.0.1", server.ports["amqps"]), 5) as plain:
        plain.sendall(PROTOCOL_HEADER)
        answer = plain.recv(100)
        assert not answer.startswith(b"\x01")  # a TLS alert, or nothing
    with socket.create_connection(("127.0.0.1", server.ports["amqp"]), 5) as secure:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            certificates.client_context().wrap_socket(secure, server_hostname="localhost")
    with connected(server.address.but(port=server.ports["amqp"])):
        pass


def test_half_a_tls_handshake_is_not_waited_for_long(start_weir, certificates):
    server = start_weir(*certificates.server_settings(), "amqp.handshake_timeout_ms=300")
    with socket.create_connection(("127.0.0.1", server.ports["amqps"]), 5) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        assert sock.recv(100) in (b"", b"\x15\x03\x01\x00\x02\x02\x46")


def test_a_client_certificate_can_be_required(start_weir, certificates):
    server = start_weir(*certificates.server_settings(), f"tls.ca_file={certificates.path('ca.pem')}",
                        "tls.require_client_certificate=true")
    address = server.address.but(port=server.ports["amqps"])
    with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
        with Wire(address, tls=certificates.client_context()) as wire:
            wire.handshake()
    with Wire(address, tls=certificates.client_context(with_certificate=True)) as wire:
        wire.handshake()


def test_a_client_certificate_may_be_so_far_from_the_authority(start_weir, certificates):
    certificates.make_chain()
    context = certificates.client_context(with_certificate=True, name="deep")
    for depth, good in ((0, False), (1, True)):
        server = start_weir(*certificates.server_settings(), f"tls.ca_file={certificates.path('ca.pem')}",
                            "tls.require_client_certificate=true", f"tls.verify_depth={depth}")
        address = server.address.but(port=server.ports["amqps"])
        if not good:
            with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
                with Wire(address, tls=context) as wire:
                    wire.handshake()
        else:
            with Wire(address, tls=context) as wire:
                wire.handshake()
        server.stop()


@pytest.mark.parametrize("login_from,user", [("distinguished_name", "CN=client"), ("common_name", "client")])
def test_pika_logs_in_by_its_certificate(start_weir, certificates, name, tmp_path, login_from, user):
    definitions = tmp_path / "definitions.json"
    definitions.write_text(json.dumps({
        "vhosts": [{"name": "/"}], "users": [{"name": user, "password_hash": "", "tags": ""}],
        "permissions": [{"user": user, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}))
    server = start_weir(*certificates.server_settings(), f"tls.ca_file={certificates.path('ca.pem')}",
                        f"tls.login_from={login_from}", f"load_definitions={definitions}")
    address = server.address.but(port=server.ports["amqps"])

    def connect(with_certificate):
        options = pika.SSLOptions(certificates.client_context(with_certificate), "localhost")
        return pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", address.port, credentials=pika.credentials.ExternalCredentials(), ssl_options=options))

    connection = connect(True)
    channel = connection.channel()
    channel.queue_declare(name(), exclusive=True)
    channel.confirm_delivery()
    channel.basic_publish("", name(), b"mine", pika.BasicProperties(user_id=user))
    connection.close()
    with pytest.raises(pika.exceptions.AMQPError):
        connect(False)


def test_old_versions_of_tls_are_refused(start_weir, certificates):
    server = start_weir(*certificates.server_settings(), "tls.minimum_version=TLSv1.3")
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.ports['amqps']}", "-tls1_2"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10, check=False)
    assert done.returncode != 0
    with Wire(server.address.but(port=server.ports["amqps"]), tls=certificates.client_context()) as wire:
        wire.handshake()
        assert wire.socket.version() == "TLSv1.3"


def test_nothing_comes_before_the_client_has_spoken(broker):
    with Wire(broker.address) as wire:
        with pytest.raises(Late):
            wire.read_frame(0.3)
