"""The management API: exchanges, queues, bindings, messages, policies, limits, parameters and definitions."""

import base64

import pytest
from pamqp.commands import Basic

from harness.management import segment
from harness.wire import connected


@pytest.fixture
def vhost(admin, name):
    """A virtual host of the test's own, as a segment of a path."""
    path = segment(name("vhost /"))
    admin.done("PUT", f"/vhosts/{path}")
    yield path
    admin.done("DELETE", f"/vhosts/{path}")


@pytest.fixture
def user(admin, vhost, name):
    """user("management", "^own"): a user with a tag and permissions in the vhost."""
    made = []

    def make(tags, pattern):
        path = segment(name(f"user{len(made)}"))
        admin.done("PUT", f"/users/{path}", {"password": "secret", "tags": tags})
        made.append(path)
        admin.done("PUT", f"/permissions/{vhost}/{path}", {"configure": pattern, "write": pattern, "read": pattern})
        return admin.as_user(name(f"user{len(made) - 1}"), "secret")

    yield make
    for path in made:
        admin.done("DELETE", f"/users/{path}")


MESSAGE = {"properties": {}, "routing_key": "q", "payload": "hello", "payload_encoding": "string"}
GET = {"count": 10, "ackmode": "ack_requeue_true", "encoding": "auto"}


# --- exchanges ---


def test_an_exchange_is_declared_shown_and_deleted(admin, vhost):
    path = f"/exchanges/{vhost}/orders"
    declared = {"type": "topic", "durable": True, "auto_delete": False, "internal": False,
                "arguments": {"alternate-exchange": "amq.fanout"}}
    assert admin.done("PUT", path, declared).status == 201
    assert admin.done("PUT", path, declared).status == 204
    shown = admin.get(path)
    assert {key: shown[key] for key in declared} == declared
    assert (shown["incoming"], shown["outgoing"]) == ([], [])
    assert admin.refused("PUT", path, {"type": "direct"})[1].startswith("inequivalent arg 'type' for exchange 'orders'")
    assert admin.refused("PUT", f"/exchanges/{vhost}/x", {"type": "nope"}) == (
        "bad_request", "unknown exchange type 'nope'")
    names = {one["name"] for one in admin.get(f"/exchanges/{vhost}")}
    assert names == {"", "amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.rabbitmq.trace", "amq.topic", "orders"}
    assert admin.refused("DELETE", f"/exchanges/{vhost}/amq.direct", status=401) == ("not_authorised", "Access refused.")
    assert admin.refused("PUT", f"/exchanges/{vhost}/amq.new", {"type": "direct"}, 401)[0] == "not_authorised"
    admin.done("DELETE", path)
    admin.get(path, 404)
    assert admin.request("DELETE", path).status == 404
    assert admin.refused("PUT", "/exchanges/none/x", {"type": "direct"}, 404) == ("not_found", "vhost_not_found")


def test_an_exchange_that_is_used_stays_if_that_is_asked_for(admin, vhost):
    admin.done("PUT", f"/exchanges/{vhost}/x", {"type": "fanout", "durable": True})
    admin.done("PUT", f"/queues/{vhost}/q", {"durable": True})
    admin.done("POST", f"/bindings/{vhost}/e/x/q/q", {})
    assert "in use" in admin.refused("DELETE", f"/exchanges/{vhost}/x?if-unused=true")[1]
    admin.done("DELETE", f"/exchanges/{vhost}/x")


# --- queues ---


def test_a_queue_is_declared_shown_and_deleted(admin, vhost):
    path = f"/queues/{vhost}/a%2Fb%20c"
    declared = {"durable": True, "auto_delete": False, "arguments": {"x-max-length": 5, "x-queue-type": "classic"}}
    assert admin.done("PUT", path, declared).status == 201
    assert admin.done("PUT", path, declared).status == 204
    shown = admin.get(path)
    assert {key: shown[key] for key in declared} == declared
    assert (shown["name"], shown["type"], shown["state"], shown["policy"]) == ("a/b c", "classic", "running", None)
    assert admin.refused("PUT", path, {"durable": False})[1].startswith("inequivalent arg 'durable' for queue 'a/b c'")
    assert "x-max-length" in admin.refused("PUT", f"/queues/{vhost}/q", {"arguments": {"x-max-length": "a"}})[1]
    assert admin.refused("PUT", f"/queues/{vhost}/amq.q", {}, 401) == ("not_authorised", "Access refused.")
    assert [one["name"] for one in admin.get(f"/queues/{vhost}?columns=name")] == ["a/b c"]
    admin.done("DELETE", path)
    admin.get(path, 404)
    assert admin.request("DELETE", path).status == 404


def test_a_queue_with_messages_or_consumers_stays_if_that_is_asked_for(admin, vhost, weir):
    admin.done("PUT", f"/queues/{vhost}/q", {"durable": True})
    admin.done("POST", f"/exchanges/{vhost}/amq.default/publish", MESSAGE)
    assert "not empty" in admin.refused("DELETE", f"/queues/{vhost}/q?if-empty=true")[1]
    assert admin.done("DELETE", f"/queues/{vhost}/q/contents").status == 204
    from urllib.parse import unquote
    wire = connected(weir.address.but(vhost=unquote(vhost)))
    wire.rpc(1, Basic.Consume(queue="q", consumer_tag="c"), Basic.ConsumeOk)
    assert "in use" in admin.refused("DELETE", f"/queues/{vhost}/q?if-unused=true&if-empty=true")[1]
    wire.drop()


def test_permissions_count_as_for_any_client(admin, vhost, user):
    someone = user("management", "^own")
    assert someone.done("PUT", f"/queues/{vhost}/own.q", {"durable": True}).status == 201
    admin.done("PUT", f"/queues/{vhost}/other", {"durable": True})
    for method, path, body in (("PUT", "/queues/%s/new", {}), ("DELETE", "/queues/%s/other", None),
                               ("DELETE", "/queues/%s/other/contents", None),
                               ("PUT", "/exchanges/%s/new", {"type": "direct"}),
                               ("POST", "/bindings/%s/e/amq.direct/q/own.q", {}),
                               ("PUT", "/queues/%s/own.letters", {"arguments": {"x-dead-letter-exchange": "x"}})):
        assert someone.refused(method, path % vhost, body, 401) == ("not_authorised", "Access refused."), path
    error, reason = someone.refused("POST", f"/queues/{vhost}/other/get", GET, 401)
    assert error == "not_authorised" and reason.startswith("ACCESS_REFUSED - read access to queue 'other'")
    assert someone.refused("POST", f"/exchanges/{vhost}/amq.fanout/publish", MESSAGE)[1].startswith(
        "403 ACCESS_REFUSED - write access to exchange 'amq.fanout'")
    assert {one["vhost"] for one in someone.get("/queues")} == {one["vhost"] for one in someone.get(f"/queues/{vhost}")}
    assert someone.refused("GET", "/queues/%2F", status=401)[1] == "User not authorised to access virtual host"


# --- bindings ---


def test_bindings_are_made_named_and_removed(admin, vhost):
    admin.done("PUT", f"/exchanges/{vhost}/x", {"type": "topic", "durable": True})
    admin.done("PUT", f"/queues/{vhost}/q", {"durable": True})
    between = f"/bindings/{vhost}/e/x/q/q"
    locations = {}
    for key, arguments in (("", {}), ("a b/~c", {}), ("a.b", {"k": 1}), ("a.b", {"k": 2}), ("a.b", {})):
        answer = admin.done("POST", between, {"routing_key": key, "arguments": arguments})
        assert answer.status == 201
        locations[answer.headers["location"]] = (key, arguments)
    assert len(locations) == 5 and "q/~" in locations and "q/a%2Bb%252F%257Ec" in locations
    shown = admin.get(between)
    assert {(one["properties_key"], one["routing_key"], str(one["arguments"])) for one in shown} == {
        (one["properties_key"], one["routing_key"], str(one["arguments"])) for one in admin.get(
            f"/exchanges/{vhost}/x/bindings/source")}
    assert [one["destination_type"] for one in shown] == ["queue"] * 5
    everything = admin.get(f"/queues/{vhost}/q/bindings")
    assert len(everything) == 6 and {"source": "", "routing_key": "q", "properties_key": "q"}.items() <= everything[0].items()
    for one in shown:
        path = f"{between}/{segment(one['properties_key'])}"
        assert admin.get(path) == one
        assert admin.done("DELETE", path).status == 204
        admin.get(path, 404)
    assert admin.get(between) == []
    for location in locations:
        assert admin.request("GET", f"/bindings/{vhost}/e/x/q/{location}").status == 404
    assert admin.refused("POST", f"/bindings/{vhost}/e/x/q/none", {}, 404) == (
        "not_found", f"no queue 'none' in vhost '{shown[0]['vhost']}'")
    assert admin.refused("POST", f"/bindings/{vhost}/e/none/q/q", {}, 404)[1].startswith("no exchange 'none'")
    admin.get(f"/bindings/{vhost}/e/x/z/q", 404)


def test_an_exchange_is_bound_to_another(admin, vhost):
    admin.done("POST", f"/bindings/{vhost}/e/amq.topic/e/amq.fanout", {"routing_key": "z"})
    expected = {"source": "amq.topic", "destination": "amq.fanout", "destination_type": "exchange", "routing_key": "z",
                "arguments": {}, "properties_key": "z"}
    (shown,) = admin.get(f"/exchanges/{vhost}/amq.fanout/bindings/destination")
    assert expected.items() <= shown.items()
    assert admin.get(f"/bindings/{vhost}") == [shown]
    admin.done("DELETE", f"/bindings/{vhost}/e/amq.topic/e/amq.fanout/z")


# --- messages ---


@pytest.fixture
def queue(admin, vhost):
    admin.done("PUT", f"/queues/{vhost}/q", {"durable": True})
    return f"/queues/{vhost}/q"


def test_a_message_goes_through_with_its_properties(admin, vhost, queue):
    properties = {"content_type": "a/b", "content_encoding": "c", "delivery_mode": 2, "priority": 3,
                  "correlation_id": "d", "reply_to": "e", "expiration": "60000", "message_id": "f",
                  "timestamp": 1_700_000_000, "type": "g", "user_id": "guest", "app_id": "h", "cluster_id": "i",
                  "headers": {"n": 1, "t": "x", "l": [1, "y", True], "o": {"a": None}, "f": 0.5}}
    publish = f"/exchanges/{vhost}/amq.default/publish"
    assert admin.done("POST", publish, {**MESSAGE, "properties": properties}).json == {"routed": True}
    binary = base64.b64encode(b"\xff\x00").decode()
    admin.done("POST", publish, {**MESSAGE, "payload": binary, "payload_encoding": "base64"})
    assert admin.done("POST", publish, {**MESSAGE, "routing_key": "nowhere"}).json == {"routed": False}
    first, second = admin.done("POST", queue + "/get", GET).json
    assert first == {"payload_bytes": 5, "redelivered": False, "exchange": "", "routing_key": "q", "message_count": 1,
                     "properties": properties, "payload": "hello", "payload_encoding": "string"}
    assert (second["payload"], second["payload_encoding"], second["properties"]) == (binary, "base64", [])
    again = admin.done("POST", queue + "/get", {**GET, "truncate": 2, "encoding": "base64"}).json
    assert [(one["payload"], one["payload_bytes"], one["redelivered"]) for one in again] == [
        (base64.b64encode(b"he").decode(), 5, True), (binary, 2, True)]


def test_a_large_message_is_shown_whole_or_in_part(admin, vhost, queue):
    payload = "".join(f"{i:07} " for i in range(100_000))  # 800,000 bytes
    message = {**MESSAGE, "payload": payload, "properties": {"delivery_mode": 2}}
    admin.done("POST", f"/exchanges/{vhost}/amq.default/publish", message)
    admin.done("POST", f"/exchanges/{vhost}/amq.default/publish", MESSAGE)
    for truncate in (None, 10, 300_000, 0):
        shown, small = admin.done("POST", queue + "/get", GET if truncate is None else {**GET, "truncate": truncate}).json
        assert (shown["payload"], shown["payload_bytes"]) == (payload[:truncate], 800_000)
        assert small["payload"] == "hello"[:truncate]


def test_a_message_is_taken_put_back_or_thrown_away(admin, vhost, queue):
    admin.done("PUT", f"/queues/{vhost}/dead", {"durable": True})
    admin.done("PUT", f"/queues/{vhost}/letters", {"durable": True, "arguments": {
        "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}})
    for text in ("1", "2", "3"):
        admin.done("POST", f"/exchanges/{vhost}/amq.default/publish",
                   {**MESSAGE, "routing_key": "letters", "payload": text})

    def get(path, mode, count=1):
        answer = admin.done("POST", f"/queues/{vhost}/{path}/get", {**GET, "ackmode": mode, "count": count})
        return [one["payload"] for one in answer.json]

    assert get("letters", "ack_requeue_true", 10) == ["1", "2", "3"]
    assert get("letters", "reject_requeue_true", 2) == ["1", "2"]
    assert get("letters", "ack_requeue_false") == ["1"]
    assert get("letters", "reject_requeue_false") == ["2"]
    assert get("letters", "ack_requeue_false", "5") == ["3"]
    assert get("letters", "ack_requeue_false") == []
    assert get("letters", "ack_requeue_false", 0) == []
    (letter,) = admin.done("POST", f"/queues/{vhost}/dead/get", GET).json
    assert (letter["payload"], letter["properties"]["headers"]["x-death"][0]["reason"]) == ("2", "rejected")


def test_what_can_not_be_published_or_taken_is_said(admin, vhost, queue):
    publish = f"/exchanges/{vhost}/amq.default/publish"
    assert "[{key_missing,properties}" in admin.refused("POST", publish, {"routing_key": "q"})[1]
    for wrong in ({"payload_encoding": "foo"}, {"payload": "!!", "payload_encoding": "base64"}, {"payload": 1},
                  {"properties": {"priority": "x"}}, {"properties": {"priority": 256}}, {"properties": []},
                  {"properties": {"headers": 1}}, {"properties": {"expiration": "soon"}},
                  {"properties": {"user_id": "somebody"}}, {"properties": {"message_id": "x" * 300}},
                  {"properties": {"timestamp": -1}}, {"routing_key": "x" * 300}):
        if wrong == {"properties": []}:  # an empty table, as some exporters write it
            continue
        assert admin.refused("POST", publish, {**MESSAGE, **wrong})[0] == "bad_request", wrong
    assert admin.refused("POST", f"/exchanges/{vhost}/none/publish", MESSAGE)[1].startswith(
        "404 NOT_FOUND - no exchange 'none' in vhost")
    assert "larger than configured max size" in admin.refused("POST", publish, {**MESSAGE, "payload": "x" * (17 << 20)})[1]
    for wrong in ({"ackmode": "x"}, {"encoding": "x"}, {"count": "x"}, {"count": 1.5}):
        assert admin.refused("POST", queue + "/get", {**GET, **wrong})[0] == "bad_request", wrong
    assert admin.refused("POST", queue + "/get", {}) == (
        "bad_request", "[{key_missing,ackmode},{key_missing,count},{key_missing,encoding}]")
    assert admin.refused("POST", f"/queues/{vhost}/none/get", GET, 404)[1].startswith("NOT_FOUND - no queue 'none'")
    assert admin.done("POST", queue + "/get", GET).json == []


def test_a_queue_that_is_full_rejects(admin, vhost):
    admin.done("PUT", f"/queues/{vhost}/full", {"durable": True, "arguments": {
        "x-max-length": 1, "x-overflow": "reject-publish"}})
    publish, message = f"/exchanges/{vhost}/amq.default/publish", {**MESSAGE, "routing_key": "full"}
    admin.done("POST", publish, message)
    assert admin.refused("POST", publish, message) == ("bad_request", "rejected")


def test_a_published_message_survives_a_kill(start_weir):
    from harness.management import Management
    server = start_weir()
    management = Management(server.ports["admin"])
    management.done("PUT", "/queues/%2F/q", {"durable": True})
    management.done("POST", "/exchanges/%2F/amq.default/publish", {**MESSAGE, "properties": {"delivery_mode": 2}})
    server.kill()
    server.start()
    (message,) = Management(server.ports["admin"]).done("POST", "/queues/%2F/q/get", GET).json
    assert message["payload"] == "hello"


# --- policies, limits, parameters ---


@pytest.mark.parametrize("kind", ["policies", "operator-policies"])
def test_policies(admin, vhost, kind):
    path = f"/{kind}/{vhost}/p"
    policy = {"pattern": "^q", "apply-to": "queues", "definition": {"max-length": 3}, "priority": 2}
    assert admin.done("PUT", path, policy).status == 201
    assert admin.done("PUT", path, {**policy, "priority": 7}).status == 204
    shown = admin.get(path)
    assert policy | {"priority": 7, "name": "p"} == {key: shown[key] for key in shown if key != "vhost"}
    assert admin.get(f"/{kind}/{vhost}") == [shown] and shown in admin.get(f"/{kind}")
    admin.done("PUT", f"/queues/{vhost}/q", {"durable": True})
    queue = admin.get(f"/queues/{vhost}/q")
    assert queue["operator_policy" if kind == "operator-policies" else "policy"] == "p"
    assert queue["effective_policy_definition"] == {"max-length": 3}
    assert admin.refused("PUT", path, {"definition": {"max-length": 3}}) == ("bad_request", "[{key_missing,pattern}]")
    assert admin.refused("PUT", path, {**policy, "definition": {"nope": 3}})[1].startswith("Validation failed")
    assert admin.refused("PUT", path, {**policy, "pattern": "("})[1].startswith("Validation failed")
    assert admin.done("DELETE", path).status == 204
    admin.get(path, 404)
    assert admin.request("DELETE", path).status == 404


def test_policies_are_for_policymakers(admin, vhost, user):
    path, policy = f"/policies/{vhost}/p", {"pattern": "^q", "definition": {"max-length": 3}}
    assert user("management", ".*").refused("PUT", path, policy, 401)[0] == "not_authorised"
    maker = user("policymaker", ".*")
    maker.done("PUT", path, policy)
    assert maker.refused("PUT", f"/operator-policies/{vhost}/p", policy, 401)[1] == "Not administrator user"
    assert maker.refused("PUT", "/policies/%2F/p", policy, 401)[1] == "User not authorised to access virtual host"
    maker.done("DELETE", path)


def test_limits(admin, vhost, user):
    admin.done("PUT", f"/vhost-limits/{vhost}/max-queues", {"value": 1})
    (shown,) = admin.get(f"/vhost-limits/{vhost}")
    assert shown["value"] == {"max-queues": 1} and shown in admin.get("/vhost-limits")
    admin.done("PUT", f"/queues/{vhost}/1", {})
    assert "queue limit" in admin.refused("PUT", f"/queues/{vhost}/2", {})[1]
    assert admin.refused("PUT", f"/vhost-limits/{vhost}/nope", {"value": 1})[0] == "bad_request"
    assert admin.refused("PUT", f"/vhost-limits/{vhost}/max-queues", {"value": "x"})[0] == "bad_request"
    admin.done("DELETE", f"/vhost-limits/{vhost}/max-queues")
    assert admin.get(f"/vhost-limits/{vhost}") == []
    someone = user("management", ".*").user
    admin.done("PUT", f"/user-limits/{segment(someone)}/max-connections", {"value": 3})
    assert admin.get(f"/user-limits/{segment(someone)}") == [{"user": someone, "value": {"max-connections": 3}}]
    assert admin.get(f"/users/{segment(someone)}")["limits"] == {"max-connections": 3}
    admin.get("/user-limits/nobody", 404)
    assert admin.request("PUT", "/user-limits/nobody/max-connections", {"value": 3}).status == 404


def test_parameters(admin, vhost, name):
    path = f"/parameters/shovel/{vhost}/p"
    assert admin.done("PUT", path, {"value": {"uri": ["a", "b"], "n": 1}}).status == 201
    assert admin.done("PUT", path, {"value": {"n": 2}}).status == 204
    shown = admin.get(path)
    assert (shown["value"], shown["component"], shown["name"]) == ({"n": 2}, "shovel", "p")
    assert admin.get(f"/parameters/shovel/{vhost}") == [shown] and shown in admin.get("/parameters")
    assert admin.get("/parameters/none") == []
    admin.done("DELETE", path)
    admin.get(path, 404)
    path = f"/global-parameters/{segment(name())}"
    assert admin.refused("PUT", path, {}) == ("bad_request", "[{key_missing,value}]")
    assert admin.done("PUT", path, {"value": [1, "x"]}).status == 201
    assert admin.get(path) == {"name": name(), "value": [1, "x"]}
    admin.done("DELETE", path)


# --- definitions ---


def test_definitions_leave_one_server_and_enter_another(start_weir):
    from harness.management import Management
    one, other = (Management(start_weir().ports["admin"]) for _ in range(2))
    one.done("PUT", "/users/till", {"password": "secret", "tags": "management"})
    one.done("PUT", "/vhosts/shop", {"description": "d"})
    one.done("PUT", "/permissions/shop/till", {"configure": "", "write": ".*", "read": ""})
    one.done("PUT", "/exchanges/shop/sales", {"type": "topic", "durable": True})
    one.done("PUT", "/queues/shop/orders", {"durable": True, "arguments": {"x-max-length": 7}})
    one.done("PUT", "/queues/shop/passing", {})
    one.done("POST", "/bindings/shop/e/sales/q/orders", {"routing_key": "a.#"})
    one.done("PUT", "/policies/shop/p", {"pattern": "^o", "definition": {"max-length": 3}})
    exported = one.get("/definitions")
    assert {queue["name"] for queue in exported["queues"]} == {"orders", "passing"}
    assert other.done("POST", "/definitions", exported).status == 204
    assert other.get("/definitions") == exported
    assert other.as_user("till", "secret").get("/whoami")["name"] == "till"
    part = one.get("/definitions/shop")
    assert "users" not in part and all("vhost" not in queue for queue in part["queues"])
    other.done("PUT", "/vhosts/branch")
    other.done("POST", "/definitions/branch", part)
    assert {queue["name"] for queue in other.get("/queues/branch")} == {"orders", "passing"}
    assert other.refused("POST", "/definitions/nowhere", part, 404)[0] == "Object Not Found"


def test_a_file_of_definitions_comes_in_as_a_whole_or_not_at_all(admin, vhost):
    from urllib.parse import unquote
    file = {"queues": [{"name": "fine", "vhost": unquote(vhost), "durable": True},
                       {"name": "bad", "vhost": unquote(vhost), "durable": True, "arguments": {"x-max-length": "a"}}]}
    error, reason = admin.refused("POST", "/definitions", file)
    assert error == "bad_request" and "queue 'bad'" in reason
    assert admin.get(f"/queues/{vhost}") == []
    assert "line 1" in admin.refused("POST", "/definitions", b'{"queues": [')[1]
    assert "must hold one JSON object" in admin.refused("POST", "/definitions", b"[]")[1]
