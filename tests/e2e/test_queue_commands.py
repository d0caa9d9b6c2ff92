"""weir queue peek, search, move, copy and remove, and the bars of long work."""

import json
import os
import subprocess

import pytest

from harness.management import segment
from harness.server import binary
from harness.terminal import Terminal

pytestmark = pytest.mark.usefixtures("weir_alone")


@pytest.fixture
def url(admin):
    return f"http://guest:guest@127.0.0.1:{admin.port}"


@pytest.fixture
def run(url):
    """run("queue", "list"): what it printed; fails on another exit code than `code`."""
    def run(*arguments, code=0, text=None):
        done = subprocess.run([binary(), *arguments], input=text, capture_output=True, text=True, timeout=30,
                              check=False, env={**os.environ, "WEIR_URL": url})
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr
    return run


@pytest.fixture
def tickets(admin, name):
    """A queue with ten messages: {"n": 0} … {"n": 9}, every second one with the header tier=gold."""
    queue = name("tickets")
    admin.done("PUT", f"/queues/%2F/{segment(queue)}", {"durable": True})
    for n in range(10):
        headers = {"tier": "gold"} if n % 2 == 0 else {}
        admin.done("POST", "/exchanges/%2F/amq.default/publish",
                   {"properties": {"headers": headers, "message_id": f"m-{n}"}, "routing_key": queue,
                    "payload": json.dumps({"n": n}), "payload_encoding": "string"})
    yield queue
    admin.request("DELETE", f"/queues/%2F/{segment(queue)}")


def numbers(printed):
    return [json.loads(message["payload"])["n"] for message in json.loads(printed)]


def ready(admin, queue):
    return admin.get(f"/queues/%2F/{segment(queue)}")["messages_ready"]


def test_peeking_at_any_place_changes_nothing(run, admin, tickets):
    assert numbers(run("queue", "peek", tickets, "--json")) == [0]
    assert numbers(run("queue", "peek", tickets, "--json", "--count", "20")) == list(range(10))
    assert numbers(run("queue", "peek", tickets, "--json", "--from", "-3", "--count", "2")) == [7, 8]
    assert numbers(run("queue", "peek", tickets, "--json", "--from", "4")) == [4]
    assert run("queue", "peek", tickets, "--json", "--from", "next") == "[]\n"
    shown = run("queue", "peek", tickets, "--from", "last")
    assert "# message 9, ready" in shown and '{"n": 9}' in shown
    for message in json.loads(run("queue", "peek", tickets, "--json", "--count", "10")):
        assert not message["redelivered"]
    assert ready(admin, tickets) == 10
    run("queue", "peek", tickets, "--from", "nowhere", code=1)
    assert "no queue" in run("queue", "peek", tickets + "x", code=1)


def test_searching_by_what_messages_have(run, tickets):
    assert numbers(run("queue", "search", tickets, "--json", "--header", "tier=gold")) == [0, 2, 4, 6, 8]
    assert numbers(run("queue", "search", tickets, "--json", "--where", "$.n >= 7", "--header", "tier")) == [8]
    assert numbers(run("queue", "search", tickets, "--json", "--contains", "3")) == [3]
    assert numbers(run("queue", "search", tickets, "--json", "--property", "message_id=m-5")) == [5]
    assert numbers(run("queue", "search", tickets, "--json", "--where", "$.n > 1", "--count", "3")) == [2, 3, 4]
    assert numbers(run("queue", "search", tickets, "--json", "--filter", '{"body_contains": "6"}')) == [6]
    assert run("queue", "search", tickets, "--count-only", "--header", "tier=gold") == "5\n"
    assert run("queue", "search", tickets, "--since", "2100-01-01T00:00:00Z") == ""
    assert "not a JSON object" in run("queue", "search", tickets, "--filter", "{", code=64)
    assert run("queue", "search", tickets, "--where", "n > 1", code=1)


def test_moving_copying_and_removing(run, admin, name, tickets):
    vip, copies = name("vip"), name("copies")
    for queue in (vip, copies):
        admin.done("PUT", f"/queues/%2F/{segment(queue)}", {"durable": True})
    assert run("queue", "copy", tickets, "--to-queue", copies, "--where", "$.n < 2") == "2 copied\n"
    assert run("queue", "move", tickets, "--to-queue", vip, "--header", "tier=gold", "--limit", "3") == "3 moved\n"
    assert numbers(run("queue", "peek", vip, "--json", "--count", "10")) == [0, 2, 4]
    assert numbers(run("queue", "peek", copies, "--json", "--count", "10")) == [0, 1]
    assert numbers(run("queue", "peek", tickets, "--json", "--count", "10")) == [1, 3, 5, 6, 7, 8, 9]
    assert json.loads(run("queue", "remove", tickets, "--where", "$.n > 6", "--json")) == {"removed": 3}
    assert ready(admin, tickets) == 4
    told = run("queue", "move", tickets, "--to-exchange", "amq.direct", "--to-key", "nobody")
    assert "0 moved" in told and "4 unroutable" in told and ready(admin, tickets) == 4
    assert "purge" in run("queue", "remove", tickets, code=64)
    assert "one of" in run("queue", "move", tickets, code=64)
    assert run("queue", "move", tickets, "--to-exchange", name("nowhere"), code=1)
    for queue in (vip, copies):
        admin.done("DELETE", f"/queues/%2F/{segment(queue)}")


def test_dead_letters_go_back_to_where_they_died(run, admin, name):
    first, dead = name("first"), name("dead")
    admin.done("PUT", f"/queues/%2F/{segment(dead)}", {})
    admin.done("PUT", f"/queues/%2F/{segment(first)}", {"arguments": {
        "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}})
    run("publish", first, "x")
    admin.done("POST", f"/queues/%2F/{segment(first)}/get", {"ackmode": "reject_requeue_false", "count": 1, "encoding": "auto"})
    assert "1 moved" in run("queue", "move", dead, "--redrive", "first", "--died-reason", "rejected")
    assert "x" in run("queue", "peek", first)
    for queue in (first, dead):
        admin.done("DELETE", f"/queues/%2F/{segment(queue)}")


def test_a_bar_is_shown_on_a_terminal_and_leaves_nothing(url, admin, tickets):
    environment = {"WEIR_URL": url}
    with Terminal([binary(), "queue", "search", tickets, "--count-only"], environment=environment) as terminal:
        assert terminal.wait_end() == 0
        assert b"searching" in terminal.seen and b"%" in terminal.seen
        assert terminal.text().strip() == "10"
    quiet = subprocess.run([binary(), "queue", "search", tickets, "--count-only"], capture_output=True, text=True,
                           timeout=20, check=True, env={**os.environ, **environment})
    assert (quiet.stdout, quiet.stderr) == ("10\n", "")


def test_an_import_and_a_bench_have_a_bar(url, weir, tmp_path):
    definitions = tmp_path / "definitions.json"
    definitions.write_text(json.dumps({"parameters": [], "x": "y" * 100_000}))
    with Terminal([binary(), "definitions", "import", str(definitions)], environment={"WEIR_URL": url}) as terminal:
        assert terminal.wait_end() == 0
        assert b"importing" in terminal.seen and terminal.text().strip() == ""
    with Terminal([binary(), "bench", "amqp", "--port", str(weir.address.port), "--messages", "20000"]) as terminal:
        assert terminal.wait_end() == 0
        assert b"measuring" in terminal.seen and "measuring" not in terminal.text()


def test_a_store_is_verified_with_a_bar(start_weir):
    server = start_weir()
    server.stop()
    with Terminal([binary(), "store", "verify", str(server.data_dir)]) as terminal:
        assert terminal.wait_end() == 0
        assert b"verifying" in terminal.seen and "verifying" not in terminal.text()


def test_a_column_that_nothing_has_is_told_and_is_empty(url, tickets):
    done = subprocess.run([binary(), "queue", "list", "--columns", "name,massages"], capture_output=True, text=True,
                          timeout=20, check=True, env={**os.environ, "WEIR_URL": url})
    assert "nothing here has 'massages'" in done.stderr
    assert done.stdout.splitlines()[0].split() == ["name", "massages"]
