"""weir demo rush: what it says is counted, and what it starts it takes with it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from pamqp.commands import Basic

from harness.server import binary
from harness.terminal import Terminal
from harness.waiting import wait_until
from harness.wire import connected

pytestmark = [pytest.mark.usefixtures("weir_alone"), pytest.mark.seconds(60)]


def rush(*arguments, code=0):
    done = subprocess.run([binary(), "demo", "rush", "--fast", *arguments], capture_output=True, text=True, timeout=50,
                          check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_nothing_is_lost_when_a_worker_and_the_broker_die(tmp_path):
    out = rush("--orders", "8000", "--restart-broker", "--dir", str(tmp_path))
    assert "kill -9 of the broker" in out and "the broker is back" in out
    assert "worker 1 dies with" in out and "worker 1 is started again" in out
    assert "8,000 in, 8,000 out, 0 lost" in out
    assert not list(tmp_path.iterdir()), "its directory is left"


def test_what_was_written_and_not_acknowledged_comes_again(tmp_path):
    verdict = json.loads(rush("--orders", "4000", "--rush-seconds", "1", "--json", "--dir", str(tmp_path)))
    assert verdict["ok"] and verdict["orders"] == verdict["confirmed"] == verdict["done"] == 4000
    assert verdict["lost"] == [] and verdict["strange"] == 0 and verdict["unmarked"] == 0
    assert verdict["again"] == 5, "the worker died with five orders written and not acknowledged"


def test_on_a_broker_that_runs_already_a_thief_is_found_out(weir, admin):
    """Somebody else takes orders off the queue: they are told as lost, by their numbers."""
    url = f"http://guest:guest@127.0.0.1:{admin.port}"
    process = subprocess.Popen([binary(), "demo", "rush", "--url", url, "--orders", "3000", "--fast", "--json",
                                "--prefetch", "10", "--stall-seconds", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        def its_queue():
            names = [queue["name"] for queue in admin.get("/queues/%2F") if queue["name"].startswith("weir-rush-")]
            return names and names[0]

        queue = wait_until(its_queue, "its queue")
        with connected(weir.address) as wire:
            stolen = wait_until(lambda: _steal(wire, queue), "an order to steal")
            out, errors = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 1 and "nothing has moved" in errors
    assert json.loads(out)["lost"] == [stolen] and json.loads(out)["done"] == 2999
    assert not its_queue(), "its queue is left"


def _steal(wire, queue):
    got = wire.rpc(1, Basic.Get(queue=queue, no_ack=True), (Basic.GetOk, Basic.GetEmpty))
    if isinstance(got, Basic.GetEmpty):
        return None
    wire.next_frame()  # the header
    return json.loads(wire.next_frame().payload)["order"]


def test_a_broker_at_an_address_is_never_killed():
    assert "--restart-broker" in rush("--restart-broker", "--url", "http://127.0.0.1:1", code=64)
    assert "127.0.0.1:1" in rush("--url", "http://127.0.0.1:1", code=1)


def test_it_is_watched_in_a_terminal(tmp_path):
    with Terminal([binary(), "demo", "rush", "--fast", "--orders", "20000", "--dir", str(tmp_path)]) as terminal:
        screen = terminal.wait_for("holds")
        for word in ("arrived", "confirmed", "done", "depth", "oldest message", "empty in", "broker up"):
            assert word in screen, screen
        terminal.resize(60, 12)
        terminal.wait_for("worker 1 dies")
        assert terminal.wait_end(40) == 0
        assert terminal.is_as_before()
        assert "20,000 in, 20,000 out, 0 lost" in terminal.seen.decode()


@pytest.mark.parametrize("how", ["q", "SIGINT", "SIGTERM", "SIGHUP"])
def test_it_may_be_ended_at_any_time(tmp_path, how):
    with Terminal([binary(), "demo", "rush", "--orders", "50000", "--dir", str(tmp_path)]) as terminal:
        terminal.wait_for("holds")
        broker = _child_of(terminal.process.pid)
        if how == "q":
            terminal.keys("q")
        else:
            terminal.process.send_signal(getattr(signal, how))
        assert terminal.wait_end() == 128 + getattr(signal, how if how != "q" else "SIGINT")
        assert terminal.is_as_before()
        assert not Path(f"/proc/{broker}").exists() and not list(tmp_path.iterdir())


def test_its_broker_does_not_outlive_it(tmp_path):
    with Terminal([binary(), "demo", "rush", "--orders", "50000", "--dir", str(tmp_path)]) as terminal:
        terminal.wait_for("holds")
        broker = _child_of(terminal.process.pid)
        terminal.process.kill()
        terminal.wait_end()
        wait_until(lambda: not _runs(broker), "the end of the broker")


def _child_of(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _runs(pid):
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
