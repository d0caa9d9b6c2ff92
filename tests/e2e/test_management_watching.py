"""The management API: what is there and what goes on: overview, nodes, queues, connections, channels, consumers, health."""

from urllib.parse import quote

import pytest
from pamqp.commands import Basic, Queue

from harness.certificates import Certificates
from harness.management import Management, segment
from harness.waiting import wait_until
from harness.wire import connected, publish_frames


@pytest.fixture
def wire(wires):
    return wires()


def connection_of(admin, wire):
    port = wire.socket.getsockname()[1]
    return wait_until(lambda: next((one for one in admin.get("/connections") if one["peer_port"] == port), None),
                      "the connection is listed")


def test_the_overview_counts_what_is_there(admin, wire, name):
    before = admin.get("/overview")
    wire.rpc(1, Queue.Declare(queue=name(), exclusive=True), Queue.DeclareOk)
    wire.send(publish_frames(1, "", name(), b"x") * 3)
    wire.rpc(1, Queue.Declare(queue=name(), passive=True), Queue.DeclareOk)
    after = admin.get("/overview")
    assert after["object_totals"]["queues"] == before["object_totals"]["queues"] + 1
    assert after["queue_totals"]["messages"] >= 3 and "rate" in after["queue_totals"]["messages_details"]
    assert after["message_stats"]["publish"] >= before["message_stats"]["publish"] + 3
    assert after["object_totals"]["connections"] >= 1 and after["object_totals"]["exchanges"] >= 6
    assert {one["protocol"] for one in after["listeners"]} >= {"amqp", "http"}
    assert after["node"] == admin.get("/nodes")[0]["name"]
    assert admin.get("/overview?columns=node,object_totals.queues").keys() == {"node", "object_totals"}


def test_the_node_tells_of_itself(admin):
    (node,) = admin.get("/nodes")
    assert node["running"] and node["uptime"] >= 0 and node["mem_used"] > 1_000_000 and node["disk_free"] > 0
    assert (node["mem_alarm"], node["disk_free_alarm"]) == (False, False)
    assert admin.get(f"/nodes/{segment(node['name'])}")["os_pid"] == node["os_pid"]
    admin.get("/nodes/none", 404)


def test_a_queue_tells_what_is_in_it(admin, wire, name):
    wire.rpc(1, Queue.Declare(queue=name(), exclusive=True), Queue.DeclareOk)
    path = f"/queues/%2F/{segment(name())}"
    empty = admin.get(path)
    assert (empty["messages"], empty["consumers"], empty["consumer_details"], empty["exclusive"]) == (0, 0, [], True)
    wire.send(publish_frames(1, "", name(), b"12345") * 4)
    wire.rpc(1, Basic.Qos(prefetch_count=1), Basic.QosOk)
    wire.rpc(1, Basic.Consume(queue=name(), consumer_tag="c"), Basic.ConsumeOk)
    wire.next_content()
    queue = wait_until(lambda: next((one for one in [admin.get(path)] if one["messages_unacknowledged"] == 1), None),
                       "one message is out")
    assert (queue["messages"], queue["messages_ready"], queue["consumers"]) == (4, 3, 1)
    assert queue["message_stats"]["publish"] == 4 and queue["message_stats"]["deliver"] == 1
    assert queue["message_bytes"] >= 20 and "rate" in queue["messages_details"]
    (consumer,) = queue["consumer_details"]
    assert (consumer["consumer_tag"], consumer["prefetch_count"], consumer["ack_required"]) == ("c", 1, True)
    listed = next(one for one in admin.get("/queues/%2F") if one["name"] == name())
    assert listed["messages_ready"] == 3
    vhost = admin.get("/vhosts/%2F")
    assert vhost["messages"] >= 4 and vhost["message_stats"]["publish"] >= 4
    assert next(one for one in admin.get("/vhosts") if one["name"] == "/")["messages_ready"] >= 3
    page = admin.get(f"/queues?page=1&page_size=1&name={quote(name())}&sort=messages&sort_reverse=true&columns=name,messages")
    assert (page["items"], page["filtered_count"]) == ([{"name": name(), "messages": 4}], 1)


def test_an_exchange_tells_what_went_through_it(admin, wire, name):
    path = f"/exchanges/%2F/{segment(name())}"
    admin.done("PUT", path, {"type": "fanout"})
    assert "message_stats" not in admin.get(path)
    for queue in ("a", "b"):
        wire.rpc(1, Queue.Declare(queue=name(queue), exclusive=True), Queue.DeclareOk)
        wire.rpc(1, Queue.Bind(queue=name(queue), exchange=name(), routing_key=""), Queue.BindOk)
    wire.send(publish_frames(1, name(), "", b"x") * 3)
    wire.rpc(1, Queue.Declare(queue=name("a"), passive=True), Queue.DeclareOk)
    stats = admin.get(path)["message_stats"]
    assert (stats["publish_in"], stats["publish_out"]) == (3, 6) and stats["publish_in_details"]["rate"] > 0
    assert {one["name"]: one.get("message_stats") for one in admin.get("/exchanges/%2F")}[name()]["publish_in"] == 3
    admin.done("DELETE", path)


def test_connections_channels_and_consumers(admin, wire, name):
    wire.rpc(1, Queue.Declare(queue=name(), exclusive=True), Queue.DeclareOk)
    wire.rpc(1, Basic.Consume(queue=name(), consumer_tag="tag"), Basic.ConsumeOk)
    connection = connection_of(admin, wire)
    assert (connection["user"], connection["vhost"], connection["protocol"], connection["channels"]) == (
        "guest", "/", "AMQP 0-9-1", 1)
    assert connection["recv_oct"] > 0 and connection["state"] == "running" and connection["ssl"] is False
    path = f"/connections/{segment(connection['name'])}"
    assert admin.get(path)["connected_at"] == connection["connected_at"]
    (channel,) = admin.get(path + "/channels")
    assert (channel["number"], channel["consumer_count"], channel["name"]) == (1, 1, connection["name"] + " (1)")
    assert admin.get(f"/channels/{segment(channel['name'])}")["connection_details"]["name"] == connection["name"]
    assert channel["name"] in {one["name"] for one in admin.get("/vhosts/%2F/channels")}
    consumer = next(one for one in admin.get("/consumers/%2F") if one["queue"]["name"] == name())
    assert (consumer["consumer_tag"], consumer["exclusive"], consumer["active"]) == ("tag", False, True)
    assert consumer["channel_details"]["connection_name"] == connection["name"]
    assert connection["name"] in {one["name"] for one in admin.get("/connections/username/guest")}
    assert connection["name"] in {one["name"] for one in admin.get("/vhosts/%2F/connections")}
    admin.get("/connections/none", 404)
    admin.get("/channels/none", 404)
    admin.get("/connections/username/nobody", 404)


def test_a_connection_is_closed_by_name(admin, wire):
    connection = connection_of(admin, wire)
    answer = admin.request("DELETE", f"/connections/{segment(connection['name'])}", headers={"X-Reason": "enough"})
    assert answer.status == 204
    wire.expect_connection_close(320, "CONNECTION_FORCED - enough")
    wait_until(lambda: admin.request("GET", f"/connections/{segment(connection['name'])}").status == 404, "it is gone")


def test_users_see_and_close_their_own_connections_alone(admin, weir, wire, name):
    admin.done("PUT", f"/users/{segment(name())}", {"password": "secret", "tags": "management"})
    admin.done("PUT", f"/permissions/%2F/{segment(name())}", {"configure": ".*", "write": ".*", "read": ".*"})
    own = admin.as_user(name(), "secret")
    others = connection_of(admin, wire)
    mine = connected(weir.address.but(user=name(), password="secret"))
    listed = wait_until(lambda: own.get("/connections"), "it is listed")
    assert [one["user"] for one in listed] == [name()]
    path = f"/connections/{segment(others['name'])}"
    assert own.refused("GET", path, status=401) == ("not_authorised", "User not authorised to access object")
    assert own.refused("DELETE", path, status=401)[0] == "not_authorised"
    own.done("DELETE", f"/connections/username/{segment(name())}")
    mine.expect_connection_close(320)
    assert admin.get(path)["name"] == others["name"]
    admin.done("DELETE", f"/users/{segment(name())}")


def test_health(admin, weir):
    for check in ("alarms", "local-alarms", "virtual-hosts", "node-is-quorum-critical", "is-in-service",
                  "ready-to-serve-clients", f"port-listener/{weir.ports['amqp']}", "protocol-listener/amqp",
                  "protocol-listener/http"):
        assert admin.get(f"/health/checks/{check}")["status"] == "ok", check
    assert admin.get("/aliveness-test/%2F") == {"status": "ok"}
    admin.done("DELETE", "/queues/%2F/aliveness-test")
    for check in ("certificate-expiration/2/years", "below-node-connection-limit", "reached-target-cluster-size",
                  "metadata-store/initialized", "metadata-store/initialized/with-data",
                  "quorum-queues-without-elected-leaders/all-vhosts/pattern/.%2A",
                  "quorum-queues-without-elected-leaders/vhost/%2F"):
        assert admin.get(f"/health/checks/{check}")["status"] == "ok", check
    admin.get("/health/checks/quorum-queues-without-elected-leaders/vhost/none", 404)
    node = admin.get("/overview")["node"]
    assert admin.request("POST", f"/vhosts/%2F/start/{segment(node)}").status == 204
    assert admin.request("POST", "/vhosts/%2F/start/none").status == 404
    assert admin.get("/deprecated-features") == admin.get("/deprecated-features/used") == []
    assert admin.get("/all-configuration").keys() == admin.get("/definitions").keys()
    assert admin.get("/health/checks/port-listener/1", 503)["reason"] == "No active listener"
    assert admin.get("/health/checks/protocol-listener/kafka", 503)["missing"] == "kafka"
    assert admin.refused("GET", "/health/checks/port-listener/x") == ("bad_request", "Invalid port")


def test_an_alarm_is_bad_health(start_weir):
    server = start_weir("memory.high_watermark=64MiB", "disk.free_min=1000TiB")
    management = Management(server.ports["admin"])
    alarms = wait_until(lambda: management.request("GET", "/health/checks/alarms").json.get("alarms"), "the alarm is seen")
    assert alarms[0]["resource"] == "disk"
    assert management.get("/nodes")[0]["disk_free_alarm"] is True
    management.done("PUT", "/queues/%2F/q", {"durable": True})
    assert management.refused("POST", "/exchanges/%2F/amq.default/publish", {
        "properties": {}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}, 503) == (
            "service_unavailable", "publishers wait: low on disk")


def test_many_queues_are_paged_without_holding_anybody_up(start_weir):
    server = start_weir()
    management = Management(server.ports["admin"])
    with connected(server.address) as wire:
        for i in range(2_000):
            wire.send_method(1, Queue.Declare(queue=f"q{i:05}", nowait=True))
        wire.rpc(1, Queue.Declare(queue="last"), Queue.DeclareOk)
    page = management.get("/queues?page=20&page_size=100&sort=name&columns=name,messages")
    assert (page["total_count"], page["item_count"], page["items"][0]["name"]) == (2_001, 100, "q01899")
    assert len(management.get("/queues?columns=name")) == 2_001


def test_certificates_that_expire_are_bad_health(start_weir, tmp_path):
    certificates = Certificates(tmp_path)
    server = start_weir(*certificates.server_settings(), "limits.connections_max=100")
    admin = Management(server.ports["admin"])
    check = "/health/checks/certificate-expiration"
    assert admin.get(f"{check}/1/days")["status"] == "ok"
    failed = admin.get(f"{check}/1/weeks", 503)
    assert (failed["status"], failed["reason"]) == ("failed", "Certificates expiring")
    (expired,) = failed["expired"]
    assert (expired["protocol"], expired["port"]) == ("amqp/ssl", server.ports["amqps"])
    assert expired["certfile"] == certificates.path("server.pem") and len(expired["certfile_expires_on"]) == 1
    assert admin.refused("GET", f"{check}/1/eons") == (
        "bad_request", "Time unit not recognised. Supported units: days, weeks, months, years.")
    assert admin.refused("GET", f"{check}/soon/days") == ("bad_request", "Invalid expiration value.")
    below = admin.get("/health/checks/below-node-connection-limit")
    assert (below["status"], below["limit"]) == ("ok", 100) and below["connections"] < 100
    effective = admin.get("/config/effective")
    assert effective["tls.key_file"] == certificates.path("server.key") and effective["limits.connections_max"] == 100
    assert not {"default_pass", "tracing.otlp_url"} & set(effective) and "data_dir" in effective
