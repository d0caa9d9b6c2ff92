"""rabbitmqadmin, as it comes with RabbitMQ 3.10, unchanged."""

import json
import shutil
import subprocess

import pytest

RABBITMQADMIN = shutil.which("rabbitmqadmin")


@pytest.fixture
def rabbitmqadmin(admin, tmp_path):
    """rabbitmqadmin("list", "queues", input=…): what it writes; it must succeed."""
    if RABBITMQADMIN is None:
        pytest.skip("rabbitmqadmin is not installed (Debian: rabbitmq-server)")

    def run(*arguments, given="", status=0):
        done = subprocess.run(["/usr/bin/python3", RABBITMQADMIN, "-H", admin.host, "-P", str(admin.port), "-f", "raw_json",
                               *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=tmp_path, env={"HOME": str(tmp_path)}, timeout=30, check=False)
        assert done.returncode == status, (arguments, done.stdout)
        return done.stdout

    return run


def test_objects_are_declared_listed_and_deleted(rabbitmqadmin, name, tmp_path):
    vhost, user = name("vhost"), name("user")
    own = ("-V", vhost)
    rabbitmqadmin("declare", "vhost", f"name={vhost}")
    rabbitmqadmin("declare", "user", f"name={user}", "password=secret", "tags=management")
    rabbitmqadmin("declare", "permission", f"vhost={vhost}", f"user={user}", "configure=.*", "write=.*", "read=.*")
    rabbitmqadmin(*own, "declare", "exchange", "name=x", "type=topic")
    rabbitmqadmin(*own, "declare", "queue", "name=q", "durable=true", 'arguments={"x-max-length": 10}')
    rabbitmqadmin(*own, "declare", "queue", "name=strong", "queue_type=quorum")
    rabbitmqadmin(*own, "declare", "binding", "source=x", "destination=q", "routing_key=a.*")
    rabbitmqadmin(*own, "declare", "policy", "name=p", "pattern=^q", 'definition={"max-length": 3}', "apply-to=queues")
    rabbitmqadmin(*own, "declare", "operator_policy", "name=o", "pattern=^q", 'definition={"max-length": 9}')
    rabbitmqadmin(*own, "declare", "vhost_limit", f"vhost={vhost}", "name=max-queues", "value=50")
    rabbitmqadmin(*own, "declare", "parameter", "component=shovel", "name=s", 'value={"a": 1}')

    def listed(what, *columns):
        return json.loads(rabbitmqadmin(*own, "list", what, *columns))

    assert {queue["name"]: queue["type"] for queue in listed("queues", "name", "type")} == {
        "q": "classic", "strong": "quorum"}
    assert "x" in {exchange["name"] for exchange in listed("exchanges")}
    assert {"source": "x", "destination": "q", "routing_key": "a.*"} in listed(
        "bindings", "source", "destination", "routing_key")
    assert vhost in {one["name"] for one in listed("vhosts", "name")}
    assert user in {one["name"] for one in listed("users")}
    assert any(one["vhost"] == vhost and one["name"] == "p" for one in listed("policies"))
    assert any(one["vhost"] == vhost and one["name"] == "o" for one in listed("operator_policies"))
    assert any(one["vhost"] == vhost for one in listed("vhost_limits"))
    assert any(one["vhost"] == vhost and one["name"] == "s" for one in listed("parameters"))
    assert any(one["user"] == user for one in listed("permissions"))
    rabbitmqadmin(*own, "publish", "exchange=x", "routing_key=a.b", "payload=hello")
    rabbitmqadmin(*own, "publish", "exchange=x", "routing_key=a.c", given="from standard input")
    got = json.loads(rabbitmqadmin(*own, "get", "queue=q", "count=5"))
    assert [one["payload"] for one in got] == ["hello", "from standard input"]
    rabbitmqadmin(*own, "get", "queue=q", "payload_file=taken", "ackmode=ack_requeue_false")
    assert (tmp_path / "taken").read_text() == "hello"
    rabbitmqadmin(*own, "purge", "queue", "name=q")
    assert json.loads(rabbitmqadmin(*own, "get", "queue=q")) == []
    rabbitmqadmin(*own, "delete", "binding", "source=x", "destination_type=queue", "destination=q",
                  "properties_key=a.*")
    for what in (("queue", "name=q"), ("exchange", "name=x"), ("policy", "name=p"), ("operator_policy", "name=o"),
                 ("parameter", "component=shovel", "name=s"), ("vhost_limit", f"vhost={vhost}", "name=max-queues"),
                 ("permission", f"vhost={vhost}", f"user={user}"), ("user", f"name={user}"), ("vhost", f"name={vhost}")):
        rabbitmqadmin(*own, "delete", *what)
    assert "Not found: /api/vhosts/" in rabbitmqadmin(*own, "delete", "vhost", f"name={vhost}", status=1)


def test_definitions_are_exported_and_imported(rabbitmqadmin, admin, name, tmp_path):
    queue = name("exported")
    rabbitmqadmin("declare", "queue", f"name={queue}")
    rabbitmqadmin("export", "definitions.json")
    rabbitmqadmin("delete", "queue", f"name={queue}")
    rabbitmqadmin("import", "definitions.json")
    assert admin.get(f"/queues/%2F/{queue}")["durable"] is True
    rabbitmqadmin("delete", "queue", f"name={queue}")


def test_who_may_not_is_told(rabbitmqadmin):
    assert "Access refused: " in rabbitmqadmin("-u", "guest", "-p", "wrong", "list", "queues", status=1)
