"""The commands that ask a running broker, as an operator types them."""

import json
import os
import subprocess
import time

import pytest
from pamqp.commands import Basic, Queue

from harness.management import segment
from harness.server import binary, memory_counts
from harness.wire import connected

pytestmark = pytest.mark.usefixtures("weir_alone")


@pytest.fixture
def run(admin):
    """run("queue", "list"): what it printed; fails on another exit code than `code`."""
    def run(*arguments, code=0, url=f"http://guest:guest@127.0.0.1:{admin.port}", stdin=None, environment=None):
        done = subprocess.run([binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=30,
                              check=False, env={**os.environ, "WEIR_URL": url, **(environment or {})})
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr
    return run


def table(text):
    lines = text.splitlines()
    titles = lines[0].split()
    return titles, lines[1:]


def test_a_message_goes_all_the_way(run, name):
    run("queue", "declare", name(), "--argument", "x-max-length=10")
    run("publish", name(), "first")
    run("publish", name(), "-", "--property", "content_type=text/plain", stdin="from standard input")
    listed = json.loads(run("queue", "list", "--json", "--vhost", "/"))
    queue = next(q for q in listed if q["name"] == name())
    assert queue["arguments"] == {"x-max-length": 10} and queue["durable"]
    assert "first" in run("queue", "peek", name())
    taken = json.loads(run("consume", name(), "--count", "5", "--json"))
    assert [message["payload"] for message in taken] == ["first", "from standard input"]
    assert taken[1]["properties"] == {"content_type": "text/plain"}
    assert run("consume", name()) == ""
    run("publish", name(), "x")
    run("queue", "delete", name(), "--if-empty", code=1)
    run("queue", "purge", name())
    run("queue", "delete", name(), "--if-empty")
    assert "Not Found" in run("queue", "show", name(), code=1)


def test_what_no_queue_takes_is_told(run, name):
    assert "no queue" in run("publish", name(), "lost", code=1)


def test_exchanges_and_bindings(run, name):
    run("exchange", "declare", name("x"), "--type", "topic")
    run("queue", "declare", name("q"))
    run("binding", "add", name("x"), name("q"), "--key", "eu.*")
    run("publish", "eu.1", "hello", "--exchange", name("x"))
    bindings = json.loads(run("binding", "list", "--json"))
    mine = next(b for b in bindings if b["source"] == name("x"))
    assert mine["routing_key"] == "eu.*"
    run("binding", "delete", name("x"), name("q"), mine["properties_key"])
    run("publish", "eu.1", "hello", "--exchange", name("x"), code=1)
    titles, lines = table(run("exchange", "list", "--columns", "name,type"))
    assert titles == ["name", "type"] and f"{name('x')}  topic" in [" ".join(line.split()).replace(" ", "  ")
                                                                    for line in lines]
    run("exchange", "delete", name("x"))
    run("queue", "delete", name("q"))


def test_users_virtual_hosts_permissions_policies_and_limits(run, admin, name):
    vhost, user = name("v"), name("u")
    run("vhost", "add", vhost, "--description", "for tests")
    run("user", "add", user, "--password", "secret", "--tags", "monitoring")
    run("permission", "set", user, "--vhost", vhost, "--configure", "^a", "--write", "")
    held = admin.get(f"/permissions/{segment(vhost)}/{segment(user)}")
    assert (held["configure"], held["write"], held["read"]) == ("^a", "", ".*")
    run("policy", "set", "short", ".*", '{"max-length": 3}', "--vhost", vhost, "--priority", "2")
    assert admin.get(f"/policies/{segment(vhost)}/short")["definition"] == {"max-length": 3}
    assert "short" in run("policy", "list", "--vhost", vhost)
    run("vhost-limit", "set", "max-queues", "1", "--vhost", vhost)
    run("queue", "declare", "a", "--vhost", vhost)  # who makes a virtual host may use it
    run("queue", "declare", "b", "--vhost", vhost, code=1)
    run("vhost-limit", "clear", "max-queues", "--vhost", vhost)
    run("queue", "declare", "b", "--vhost", vhost)
    run("policy", "clear", "short", "--vhost", vhost)
    run("permission", "clear", user, "--vhost", vhost)
    run("user", "delete", user)
    run("vhost", "delete", vhost)
    assert vhost not in run("vhost", "list")


def test_definitions_go_out_and_in(run, name, tmp_path):
    run("queue", "declare", name())
    definitions = tmp_path / "definitions.json"
    definitions.write_text(run("definitions", "fetch", "--vhost", "/"))
    run("queue", "delete", name())
    run("definitions", "import", str(definitions), "--vhost", "/")
    assert name() in run("queue", "list")
    run("queue", "delete", name())
    assert run("definitions", "import", "-", stdin="{", code=1)


def test_the_state_of_the_broker(run):
    assert "ok" in run("health")
    assert "weir@" in run("status")


def test_who_may_not_and_where_nobody_listens(run, admin):
    assert run("queue", "list", url=f"http://guest:wrong@127.0.0.1:{admin.port}", code=1)
    assert "127.0.0.1:1" in run("queue", "list", url="http://127.0.0.1:1", code=69)
    assert "not an http" in run("queue", "list", url="ftp://127.0.0.1", code=64)
    assert run("queue", "peek", "q", "--count", "many", code=64)
    run("queue", "list", "--url", f"http://guest:guest@127.0.0.1:{admin.port}", url="http://127.0.0.1:1")


def test_the_url_may_be_in_a_file(run, admin, tmp_path):
    (tmp_path / "weir").mkdir()
    (tmp_path / "weir" / "url").write_text(f"http://guest:guest@127.0.0.1:{admin.port}\n")
    run("queue", "list", url="", environment={"XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize("noun, titles", [
    ("queue", "vhost name type messages_ready messages_unacknowledged consumers message_bytes oldest_message_age_ms "
              "seconds_to_drain state"),
    ("connection", "name user vhost protocol channels state recv_oct_details.rate send_oct_details.rate"),
    ("channel", "name user vhost prefetch_count messages_unacknowledged messages_unconfirmed consumer_count"),
    ("consumer", "queue.vhost queue.name consumer_tag channel_details.name ack_required prefetch_count active"),
    ("exchange", "vhost name type durable auto_delete internal policy"),
    ("binding", "vhost source destination_type destination routing_key properties_key"),
    ("vhost", "name description messages_ready messages_unacknowledged"),
    ("user", "name tags"),
    ("permission", "vhost user configure write read"),
])
def test_lists_have_all_their_columns(run, admin, weir, name, noun, titles):
    """Whether anything has something for them or not."""
    with connected(weir.address) as wire:
        wire.rpc(1, Queue.Declare(queue=name()), Queue.DeclareOk)
        wire.rpc(1, Basic.Consume(queue=name()), Basic.ConsumeOk)
        run("publish", name(), "out with its consumer")
        run("queue", "declare", name("waiting"))
        run("publish", name("waiting"), "ready")
        assert table(run(noun, "list"))[0] == titles.split()
    run("queue", "delete", name("waiting"))
    run("queue", "delete", name())


def completed(script, line):
    """What bash offers for the last word of the line."""
    words = line.split(" ")
    asked = f"source {script}; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}; " \
            "_weir; printf '%s\\n' \"${COMPREPLY[@]}\""
    return subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=10).stdout.split()


def test_shells_complete_it(run, tmp_path):
    script = tmp_path / "weir.bash"
    script.write_text(run("completion", "bash"))
    assert "queue" in completed(script, "weir ") and "server" in completed(script, "weir ")
    assert completed(script, "weir que") == ["queue"]
    assert {"list", "declare", "peek"} <= set(completed(script, "weir queue "))
    assert {"--vhost", "--json", "--url"} <= set(completed(script, "weir queue list --"))
    assert "complete -c weir" in run("completion", "fish") and "bashcompinit" in run("completion", "zsh")
    assert run("completion", "tcsh", code=64)


def test_the_manual_tells_of_every_command(run):
    page = run("manual")
    assert page.startswith(".TH WEIR 1")
    for command in ("weir server", "weir queue list", "weir store verify", "weir definitions import"):
        assert f".SS {command}\n" in page


@pytest.mark.skipif(not memory_counts(), reason="a build with sanitizers starts slowly")
def test_it_starts_in_20_ms():
    """The best of some starts: the machine may be busy with others."""
    def start_ms():
        began = time.monotonic()
        subprocess.run([binary(), "queue", "list", "--help"], stdout=subprocess.DEVNULL, check=True)
        return (time.monotonic() - began) * 1e3
    assert min(start_ms() for _ in range(20)) <= 20
