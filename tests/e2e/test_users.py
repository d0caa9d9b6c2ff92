"""Virtual hosts, users and permissions, as a definitions file brings them in."""

import base64
import hashlib
import json

import pytest
from pamqp.commands import Basic, Exchange, Queue

from harness.server import run_server_to_its_end
from harness.wire import Wire, connected, method_frame, publish_frames

def rabbitmq_hash(salt, password):
    """As RabbitMQ exports passwords."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


DEFINITIONS = {
    "vhosts": [{"name": "/"}, {"name": "shop"}],
    "users": [
        {"name": "anna", "password": "secret 🔑", "tags": "administrator"},
        {"name": "limited", "password": "l", "tags": ""},
        {"name": "reader", "password": "r", "tags": []},
        {"name": "nowhere", "password": "n", "tags": ""},
        {"name": "moved", "password_hash": rabbitmq_hash(b"\0\1\2\3", "from rabbit"), "tags": "",
         "hashing_algorithm": "rabbit_password_hashing_sha256"},
    ],
    "permissions": [
        {"user": "anna", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
        {"user": "anna", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"},
        {"user": "limited", "vhost": "shop", "configure": "^own\\.", "write": "^(own\\.|orders$|amq\\.default$)",
         "read": "^own\\."},
        {"user": "reader", "vhost": "shop", "configure": "", "write": "", "read": ".*"},
        {"user": "moved", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
    ],
    "exchanges": [{"name": "orders", "vhost": "shop", "type": "topic", "durable": True, "auto_delete": False,
                   "internal": False, "arguments": {}}],
    "queues": [{"name": "incoming", "vhost": "shop", "durable": True, "auto_delete": False, "arguments": {}}],
    "bindings": [{"source": "orders", "vhost": "shop", "destination": "incoming", "destination_type": "queue",
                  "routing_key": "new.#", "arguments": {}}],
}


@pytest.fixture
def shop(start_weir, tmp_path):
    (tmp_path / "definitions.json").write_text(json.dumps(DEFINITIONS))
    return start_weir(f"load_definitions={tmp_path / 'definitions.json'}")


def as_user(server, user, password, vhost="shop"):
    return connected(server.address.but(user=user, password=password, vhost=vhost))


def expect_refused(wire, sent, access, kind, name):
    wire.send(sent if isinstance(sent, bytes) else method_frame(1, sent))
    wire.expect_channel_close(
        1, 403, f"ACCESS_REFUSED - {access} access to {kind} '{name}' in vhost 'shop' refused for user 'limited'")
    wire.open_channel(1)


def test_definitions_of_a_file_are_there(shop):
    with as_user(shop, "anna", "secret 🔑") as wire:
        wire.send(publish_frames(1, "orders", "new.book", b"a book"))
        wire.rpc(1, Basic.Consume(queue="incoming", consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        assert wire.next_content().body == b"a book"


def test_definitions_and_passwords_are_kept_over_restarts_and_loaded_again_without_harm(shop):
    with as_user(shop, "anna", "secret 🔑") as wire:
        wire.rpc(1, Queue.Declare(queue="mine", durable=True), Queue.DeclareOk)
    for stop in (shop.stop, shop.kill):
        stop()
        shop.start()
        with as_user(shop, "anna", "secret 🔑") as wire:
            wire.rpc(1, Queue.Declare(queue="mine", passive=True), Queue.DeclareOk)
            wire.rpc(1, Queue.Declare(queue="incoming", durable=True), Queue.DeclareOk)


def test_a_password_that_rabbitmq_hashed_is_accepted(shop):
    with as_user(shop, "moved", "from rabbit", "/"):
        pass
    with pytest.raises(AssertionError):
        as_user(shop, "moved", "from somewhere", "/")


def test_a_user_does_not_get_into_a_vhost_without_permissions(shop):
    with Wire(shop.address.but(user="nowhere", password="n", vhost="shop")) as wire:
        with pytest.raises(AssertionError, match="530.*access to vhost 'shop' refused for user 'nowhere'"):
            wire.handshake()
    with pytest.raises(AssertionError, match="530"):
        as_user(shop, "limited", "l", "/")


def test_vhosts_do_not_see_each_other(shop):
    with as_user(shop, "anna", "secret 🔑") as inside, as_user(shop, "anna", "secret 🔑", "/") as outside:
        inside.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        inside.publish(1, "", "q", b"inside")
        outside.send_method(1, Queue.Declare(queue="q", passive=True))
        outside.expect_channel_close(1, 404, "NOT_FOUND - no queue 'q' in vhost '/'")


def test_a_limited_user_does_what_the_patterns_allow(shop):
    with as_user(shop, "limited", "l") as wire:
        wire.rpc(1, Queue.Declare(queue="own.q"), Queue.DeclareOk)
        wire.publish(1, "", "own.q", b"x")
        wire.rpc(1, Basic.Consume(queue="own.q", consumer_tag="c"), Basic.ConsumeOk)
        assert wire.next_content().body == b"x"
        wire.rpc(1, Exchange.Declare(exchange="own.x"), Exchange.DeclareOk)
        wire.rpc(1, Queue.Bind(queue="own.q", exchange="own.x", routing_key="k"), Queue.BindOk)
        wire.send(publish_frames(1, "orders", "new.thing", b"x"))
        expect_refused(wire, Queue.Declare(queue="other"), "configure", "queue", "other")
        expect_refused(wire, Queue.Delete(queue="incoming"), "configure", "queue", "incoming")
        expect_refused(wire, Queue.Purge(queue="incoming"), "read", "queue", "incoming")
        expect_refused(wire, Basic.Consume(queue="incoming"), "read", "queue", "incoming")
        expect_refused(wire, Basic.Get(queue="incoming"), "read", "queue", "incoming")
        expect_refused(wire, Exchange.Declare(exchange="other"), "configure", "exchange", "other")
        expect_refused(wire, Exchange.Delete(exchange="orders"), "configure", "exchange", "orders")
        expect_refused(wire, Queue.Bind(queue="own.q", exchange="orders", routing_key="k"), "read", "exchange", "orders")
        expect_refused(wire, Queue.Bind(queue="incoming", exchange="own.x", routing_key="k"), "write", "queue", "incoming")
        expect_refused(wire, publish_frames(1, "amq.topic", "k", b"x"), "write", "exchange", "amq.topic")


def test_a_reader_may_only_read(shop):
    with as_user(shop, "reader", "r") as wire:
        wire.rpc(1, Basic.Consume(queue="incoming", consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        wire.send(publish_frames(1, "orders", "new.x", b"x"))
        wire.expect_channel_close(1, 403)
        wire.open_channel(1)
        wire.send_method(1, Queue.Declare(queue="q"))
        wire.expect_channel_close(1, 403)


def test_another_default_user_replaces_guest(start_weir):
    server = start_weir("default_user=root", "default_pass=toor")
    with connected(server.address.but(user="root", password="toor")):
        pass
    with pytest.raises(AssertionError, match="403"):
        connected(server.address)


def test_guest_is_let_in_from_all_of_the_loopback_range(start_weir):
    server = start_weir("listeners.amqp=127.0.0.2:0")
    with connected(server.address.but(host="127.0.0.2")):
        pass


BAD_DEFINITIONS = {
    "no json": ("{", "definitions.json"),
    "a queue without a name": ('{"queues": [{"name": "a", "vhost": "/"}, {"vhost": "/"}]}', "queues[1]"),
    "a queue in a missing vhost": ('{"queues": [{"name": "a", "vhost": "mars"}]}', "mars"),
    "a pattern that is none": (
        '{"permissions": [{"user": "guest", "vhost": "/", "configure": "(", "write": "", "read": ""}]}', "("),
}


@pytest.mark.parametrize("what", BAD_DEFINITIONS)
def test_a_definitions_file_with_a_fault_is_refused_with_its_place(weir, tmp_path, what):
    text, place = BAD_DEFINITIONS[what]
    (tmp_path / "definitions.json").write_text(text)
    code, output = run_server_to_its_end(
        ["server", "--data-dir", "d", "--set", "listeners.amqp=127.0.0.1:0", "--set",
         "load_definitions=definitions.json"], tmp_path)
    assert code == 78, output
    assert place in output
