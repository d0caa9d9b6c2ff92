"""weir top, in a pseudo-terminal and without one."""

import json
import signal
import subprocess

import pytest

from harness.management import segment
from harness.server import binary
from harness.terminal import Terminal
from harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("weir_alone")


@pytest.fixture
def url(admin):
    return f"http://guest:guest@127.0.0.1:{admin.port}"


@pytest.fixture
def vhost(admin, name):
    """A virtual host of the test's own: in others, there may be more queues than a screen has lines."""
    admin.done("PUT", f"/vhosts/{segment(name('top'))}")
    yield name("top")
    admin.done("DELETE", f"/vhosts/{segment(name('top'))}")


@pytest.fixture
def queues(admin, name, vhost):
    """Two: deep has three messages, empty none."""
    for queue, depth in (("deep", 3), ("empty", 0)):
        admin.done("PUT", f"/queues/{segment(vhost)}/{name(queue)}", {})
        for _ in range(depth):
            admin.done("POST", f"/exchanges/{segment(vhost)}/amq.default/publish",
                       {"properties": {}, "routing_key": name(queue), "payload": "x", "payload_encoding": "string"})
    return name


def top(*arguments, url, columns=130, rows=40, environment=None):
    return Terminal([binary(), "top", "--url", url, "--interval", "0.1", *arguments], columns, rows, environment)


def once(*arguments, url, code=0):
    done = subprocess.run([binary(), "top", "--url", url, *arguments], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def line_of(screen, text):
    return next(i for i, line in enumerate(screen.splitlines()) if text in line)


def test_queues_are_sorted_by_the_key_that_is_pressed(url, queues, vhost):
    with top("--vhost", vhost, url=url) as terminal:
        screen = terminal.wait_for(queues("empty"))
        assert "READY▼" in screen and line_of(screen, queues("deep")) < line_of(screen, queues("empty"))
        for word in ("memory", "disk", "publish", "confirm", "OLDEST", "EMPTY IN", "q quit"):
            assert word in screen
        terminal.keys("r")
        screen = terminal.wait_for("READY▲")
        assert line_of(screen, queues("deep")) > line_of(screen, queues("empty"))
        terminal.keys("n")
        terminal.wait_for("QUEUE▲")
        terminal.keys("\t")
        screen = terminal.wait_for("CONNECTION▲")
        assert "PROTOCOL" in screen
        terminal.keys("q")
        assert terminal.wait_end() == 0
        assert terminal.is_as_before()


def test_what_comes_is_shown_without_being_asked(url, queues, vhost, admin):
    with top("--vhost", vhost, url=url) as terminal:
        terminal.wait_for(queues("empty"))
        admin.done("PUT", f"/queues/{segment(vhost)}/{queues('later')}", {})
        terminal.wait_for(queues("later"))


def test_it_follows_the_size_of_the_terminal(url, queues):
    with top(url=url, columns=130) as terminal:
        terminal.wait_for("EMPTY IN")
        terminal.resize(170, 12)
        terminal.wait_for("q quit")
        wait_until(lambda: any(len(line) == 170 for line in terminal.text().splitlines() if "QUEUE" in line),
                   "titles as wide as the terminal")


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                        (signal.SIGSEGV, -signal.SIGSEGV), (signal.SIGABRT, -signal.SIGABRT)])
def test_the_terminal_is_as_before_however_it_ends(url, sent, code):
    with top(url=url) as terminal:
        terminal.wait_for("q quit")
        terminal.process.send_signal(sent)
        assert terminal.wait_end() == code
        assert terminal.is_as_before()


def test_ctrl_z_gives_the_terminal_back_for_a_while(url):
    with top(url=url) as terminal:
        terminal.wait_for("q quit")
        terminal.process.send_signal(signal.SIGTSTP)
        wait_until(lambda: (terminal.read(), terminal.is_as_before())[1], "the terminal as it was")
        terminal.process.send_signal(signal.SIGCONT)
        wait_until(lambda: (terminal.read(), not terminal.is_as_before())[1], "the screen again")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def test_colours_are_for_terminals_that_want_them(url):
    with top(url=url) as terminal:
        terminal.wait_for("q quit")
        assert b"\x1b[7m" in terminal.seen
    with top(url=url, environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("q quit")
        assert b"\x1b[7m" not in terminal.seen and b"\x1b[1m" not in terminal.seen
    assert "\x1b" not in once(url=url)


def test_a_broker_that_goes_away_is_waited_for(start_weir):
    server = start_weir()
    with top(url=f"http://guest:guest@127.0.0.1:{server.ports['admin']}") as terminal:
        terminal.wait_for("q quit")
        port = server.ports["admin"]
        server.end()
        terminal.wait_for(f"127.0.0.1:{port}")
        server.start([f"listeners.admin=127.0.0.1:{port}"])
        wait_until(lambda: f"127.0.0.1:{port}" not in terminal.text(), "the broker again")


def test_one_look_as_text_and_as_json(url, queues, vhost):
    text = once("--once", "--rows", "500", "--vhost", vhost, url=url)
    assert text.count(vhost) == 2 and "q quit" not in text
    seen = json.loads(once("--json", "--rows", "500", "--vhost", vhost, url=url))
    mine = next(queue for queue in seen["queues"] if queue["name"] == queues("deep"))
    assert mine["messages_ready"] == 3 and seen["overview"]["product_name"] == "Weir" and seen["node"]["mem_used"] > 0
    assert "connections" in json.loads(once("--json", "--connections", url=url))


def test_who_may_not_and_where_nobody_listens(url):
    assert once(url=url.replace("guest:guest", "guest:wrong"), code=1)
    assert "127.0.0.1:1" in once(url="http://127.0.0.1:1", code=69)
    assert "no column" in once("--sort", "z", url=url, code=64)
