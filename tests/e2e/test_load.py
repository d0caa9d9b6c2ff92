"""The load generators, which are clients of their own: they reach a broker, check what they get, and say what they saw."""

import json
import subprocess

import pytest

from harness.server import binary

pytestmark = pytest.mark.usefixtures("weir_alone")


def generate(broker, tmp_path, load, *options):
    result = tmp_path / "result.json"
    port = broker.ports[load if load in ("stomp", "mqtt") else "amqp"]
    done = subprocess.run([binary(), "bench", load, "--port", str(port), "--json", result, *options],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(result.read_text())


@pytest.mark.parametrize("options", [
    [],
    ["--queues", "10", "--prefetch", "1"],
    ["--queues", "3", "--exchange", "weir-bench-topic", "--exchange-type", "topic", "--routing-key", "a.b.c",
     "--binding-key", "a.#"],
])
def test_messages_are_counted_and_checked(broker, tmp_path, options):
    result = generate(broker, tmp_path, "amqp", "--messages", "2000", *options)
    assert result["ok"] and not any(result["faults"].values())


@pytest.mark.parametrize("options", [
    [],
    ["--transient", "--no-receipts", "--ack", "auto"],
    ["--ack", "client", "--ack-every", "10", "--producers", "3", "--consumers", "2", "--queues", "4", "--size", "10000"],
    ["--rate", "5000", "--size", "16"],
])
def test_messages_by_stomp_are_counted_and_checked(broker, tmp_path, options):
    result = generate(broker, tmp_path, "stomp", "--messages", "2000", *options)
    assert result["ok"] and not any(result["faults"].values())
    assert result["total"]["consumed"] == 2000
    assert result["total"]["confirmed"] == (0 if "--no-receipts" in options else 2000)


@pytest.mark.parametrize("copies, options", [
    (1, ["--qos", "0", "--size", "16", "--backlog", "500"]),
    (1, ["--qos", "1"]),
    (1, ["--qos", "1", "--durable-session", "--mqtt", "5", "--rate", "5000"]),
    (1, ["--qos", "2", "--durable-session", "--publishers", "3", "--subscribers", "2", "--topics", "4"]),
    (1, ["--qos", "2", "--mqtt", "5", "--receive-maximum", "10", "--size", "10000"]),
    (100, ["--qos", "1", "--fanout", "100", "--publishers", "2", "--backlog", "100"]),
])
def test_messages_by_mqtt_are_counted_and_checked(broker, tmp_path, copies, options):
    result = generate(broker, tmp_path, "mqtt", "--messages", "2000", *options)
    assert result["ok"] and not any(result["faults"].values())
    assert result["total"]["consumed"] == 2000 * copies
    assert result["total"]["confirmed"] == (0 if options[1] == "0" else 2000)


def test_a_load_by_mqtt_leaves_no_session(broker, admin, tmp_path):
    before = admin.get("/queues")
    generate(broker, tmp_path, "mqtt", "--messages", "100", "--durable-session")
    assert [queue["name"] for queue in admin.get("/queues")] == [queue["name"] for queue in before]


def test_connections_by_mqtt_that_do_nothing_are_counted(broker, tmp_path):
    result = generate(broker, tmp_path, "mqtt", "--idle", "100", "--broker-pid", str(broker.process.pid))
    assert result["connections"] == 100 and result["opened_s"] > 0


@pytest.mark.parametrize("what", ["queues", "connections"])
def test_churn_is_counted(broker, tmp_path, what):
    result = generate(broker, tmp_path, "churn", "--what", what, "--seconds", "0.3", "--connections", "2")
    assert result["rounds"] > 0 and result["what"] == what


@pytest.mark.parametrize("load, said", [("churn", "weir bench churn: connect to 127.0.0.1:1"),
                                        ("stomp", "weir bench stomp: 127.0.0.1:1: connect to 127.0.0.1:1"),
                                        ("mqtt", "weir bench mqtt: 127.0.0.1:1: connect to 127.0.0.1:1")])
def test_a_broker_that_is_not_there_is_told(load, said):
    done = subprocess.run([binary(), "bench", load, "--port", "1"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1
    assert said in done.stderr


def test_what_the_broker_refuses_is_told(broker):
    done = subprocess.run([binary(), "bench", "stomp", "--port", str(broker.ports["stomp"]), "--password", "wrong"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Access refused for user 'guest'" in done.stderr
