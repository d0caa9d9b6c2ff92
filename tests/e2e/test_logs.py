"""What the log has of connections and of what users do, as JSON with fields, and how much of it."""

import json
import socket

import pytest
from pamqp.commands import Basic, Exchange, Queue

from harness.management import Management
from harness.waiting import wait_until
from harness.wire import connected

pytestmark = pytest.mark.usefixtures("weir_alone")


class Log:
    def __init__(self, server):
        self.server = server

    def lines(self, component):
        lines = [json.loads(line) for line in self.server.log().splitlines()]
        return [line for line in lines if line["component"] == component]

    def events(self, event, **fields):
        return [line for line in self.lines("connection") if line.get("event") == event and matches(line, fields)]

    def event(self, event, **fields):
        return wait_until(lambda: self.events(event, **fields), f"{event} {fields}")[-1]

    def audited(self, **fields):
        return [line for line in self.lines("audit") if matches(line, fields)]

    def audit(self, **fields):
        return wait_until(lambda: self.audited(**fields), f"an audit of {fields}")[-1]


def matches(line, fields):
    return all(line.get(name) == value for name, value in fields.items())


@pytest.fixture
def start(start_weir):
    def start(*settings):
        server = start_weir("log.format=json", *settings)
        return server, Log(server)
    return start


def test_a_connection_has_a_line_when_it_comes_is_let_in_and_goes(start):
    server, log = start()
    with connected(server.address) as wire:
        peer = "{}:{}".format(*wire.socket.getsockname())
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        for _ in range(3):
            wire.publish(1, "", "q", b"hello")
        wire.rpc(1, Basic.Consume(queue="q", no_ack=True), Basic.ConsumeOk)
        for _ in range(3):
            wire.next_content()
        wire.close()
    opened = log.event("connection_opened", peer=peer)
    assert opened["protocol"] == "AMQP 0-9-1" and opened["level"] == "info" and "user" not in opened
    authenticated = log.event("connection_authenticated", peer=peer)
    assert matches(authenticated, {"user": "guest", "vhost": "/", "mechanism": "PLAIN", "client": "wire"})
    closed = log.event("connection_closed", peer=peer)
    assert closed["reason"] == "closed by the client: 200 bye" and closed["level"] == "info"
    assert (closed["messages_in"], closed["messages_out"]) == (3, 3)
    assert closed["bytes_in"] > 100 and closed["bytes_out"] > 100 and 0 < closed["duration_s"] < 10
    for event in ("connection_opened", "connection_authenticated", "connection_closed"):
        assert len(log.events(event, peer=peer)) == 1


def test_the_reason_of_the_end_is_told(start):
    server, log = start("amqp.handshake_timeout_ms=200")
    connected(server.address).drop()
    assert log.event("connection_closed", user="guest")["reason"].startswith("without connection.close")

    wire = connected(server.address)
    wire.send_method(1, Basic.Publish(exchange="", routing_key="q"))
    wire.send_method(1, Basic.Publish(exchange="", routing_key="q"))
    wire.expect_connection_close(505)
    wire.drop()
    line = log.event("connection_closed", level="warning", user="guest")
    assert line["reason"].startswith("UNEXPECTED_FRAME")

    with socket.create_connection(("127.0.0.1", server.address.port)) as other:
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
        other.settimeout(5)
        while other.recv(100):
            pass
    log.event("connection_closed", reason="another protocol, or another version of it")

    with socket.create_connection(("127.0.0.1", server.address.port)) as silent:
        log.event("connection_closed", reason="handshake timeout in state header")
        silent.close()

    wire = connected(server.address)
    peer = "{}:{}".format(*wire.socket.getsockname())
    admin = Management(server.ports["admin"])
    name = wait_until(lambda: admin.get("/connections"), "the connection")[0]["name"]
    admin.request("DELETE", "/connections/" + name.replace(" ", "%20").replace(">", "%3E"),
                  headers={"X-Reason": "for a test"})
    wire.expect_connection_close(320)
    wire.drop()
    assert "for a test" in log.event("connection_closed", peer=peer)["reason"]


def test_a_refused_login_is_told_without_the_password(start):
    server, log = start()
    with pytest.raises(AssertionError):
        connected(server.address.but(user="mallory\n\"", password="guess-me"))
    refused = log.event("login_refused", user="mallory\n\"")
    assert refused["level"] == "warning" and refused["mechanism"] == "PLAIN" and refused["reason"]
    assert "guess-me" not in server.log()
    assert log.event("connection_closed", user="mallory\n\"")["messages_in"] == 0


def test_what_users_change_over_amqp_is_audited_once(start):
    server, log = start()
    with connected(server.address) as wire:
        peer = "{}:{}".format(*wire.socket.getsockname())
        for _ in range(2):
            wire.rpc(1, Exchange.Declare(exchange="x"), Exchange.DeclareOk)
            wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
            wire.rpc(1, Queue.Bind(queue="q", exchange="x", routing_key="k"), Queue.BindOk)
        wire.rpc(1, Queue.Declare(queue="q", passive=True), Queue.DeclareOk)
        wire.rpc(1, Queue.Purge(queue="q"), Queue.PurgeOk)
        wire.rpc(1, Queue.Unbind(queue="q", exchange="x", routing_key="k"), Queue.UnbindOk)
        wire.rpc(1, Queue.Delete(queue="q"), Queue.DeleteOk)
        wire.rpc(1, Queue.Delete(queue="q"), Queue.DeleteOk)
        wire.rpc(1, Exchange.Delete(exchange="x"), Exchange.DeleteOk)
        generated = wire.rpc(1, Queue.Declare(queue="", exclusive=True), Queue.DeclareOk).queue
        wire.close()
    log.event("connection_closed", peer=peer)
    mine = log.audited(peer=peer)
    assert [(line["action"], line["object"]) for line in mine] == [
        ("exchange.declare", "x"), ("queue.declare", "q"), ("bind", "x -> q by k"), ("queue.purge", "q"),
        ("unbind", "x -> q by k"), ("queue.delete", "q"), ("exchange.delete", "x"), ("queue.declare", generated)]
    assert all(matches(line, {"user": "guest", "vhost": "/", "protocol": "AMQP 0-9-1", "outcome": "done"}) for line in mine)


def test_what_is_refused_over_amqp_is_audited_with_the_reason(start):
    server, log = start()
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
        wire.send_method(1, Queue.Declare(queue="q", durable=True))
        wire.expect_channel_close(1, 406)
    line = log.audit(outcome="refused", action="queue.declare", object="q")
    assert "durable" in line["reason"]


def test_what_users_change_over_http_is_audited_with_its_status(start):
    server, log = start()
    admin = Management(server.ports["admin"])
    admin.done("PUT", "/queues/%2F/q", {})
    admin.refused("PUT", "/queues/%2F/q", {"durable": True}, status=400)
    admin.as_user("guest", "wrong").refused("DELETE", "/queues/%2F/q", status=401)
    admin.get("/queues")
    admin.done("POST", "/exchanges/%2F/amq.default/publish",
               {"properties": {}, "routing_key": "q", "payload": "x", "payload_encoding": "string"})
    admin.done("POST", "/bindings/%2F/e/amq.direct/q/q", {"routing_key": "k"})
    admin.done("DELETE", "/queues/%2F/q")
    assert matches(log.audit(action="DELETE", status=204), {"object": "/api/queues/%2F/q", "user": "guest"})
    assert [(line["action"], line["status"], line["outcome"]) for line in log.audited(protocol="HTTP")] == [
        ("PUT", 201, "done"), ("PUT", 400, "refused"), ("DELETE", 401, "refused"), ("POST", 201, "done"),
        ("DELETE", 204, "done")]
    assert not log.audited(protocol="AMQP 0-9-1"), "told twice"


def test_a_flood_of_connections_writes_so_much_and_counts_the_rest(start):
    server, log = start("log.connection_lines_per_second=1", "log.audit_lines_per_second=1")
    connections = 40
    for _ in range(connections):
        with connected(server.address) as wire:
            wire.rpc(1, Queue.Declare(queue="", exclusive=True), Queue.DeclareOk)
            wire.close()
    admin = Management(server.ports["admin"])
    wait_until(lambda: not admin.get("/connections"), "the end of all connections")
    assert server.stop() == 0
    for component, all_lines in (("connection", 3 * connections), ("audit", connections)):
        written = [line for line in log.lines(component) if line.get("event") != "lines_dropped"]
        told = sum(line["lines"] for line in log.lines(component) if line.get("event") == "lines_dropped")
        assert 10 <= len(written) < all_lines / 2
        assert len(written) + told == all_lines


def test_as_text_fields_follow_the_message(start_weir):
    server = start_weir()
    connected(server.address).close()
    line = wait_until(lambda: [line for line in server.log().splitlines() if "event=connection_closed" in line],
                      "the line")[0]
    assert " info    connection: closed event=connection_closed peer=127.0.0.1:" in line
    assert ' user=guest vhost=/ ' in line and ' reason="closed by the client: 200 bye"' in line
