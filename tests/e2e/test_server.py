"""The process: its command line, settings, files, signals, and what it takes of the machine when nothing is asked of it."""

import json
import os
import signal
import stat

import pytest
from pamqp.commands import Queue

from harness.server import memory_counts, run_server_to_its_end
from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected

pytestmark = pytest.mark.usefixtures("weir_alone")


def declared(wire, queue, **options):
    return wire.rpc(1, Queue.Declare(queue=queue, **options), Queue.DeclareOk)


REFUSED = {
    "a key without its unit": ("amqp.heartbeat=5", ['"amqp.heartbeat_s"']),
    "a bad address": ("listeners.amqp=abc", ["listeners.amqp", '"abc" is not an address']),
    "a number out of its range": ("shards=1000", ["shards", "64"]),
    "a word for a number": ("amqp.channel_max=many", ["amqp.channel_max", "many"]),
    "no value": ("shards", ["key=value"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_a_setting_is_said(tmp_path, what):
    setting, words = REFUSED[what]
    code, output = run_server_to_its_end(["server", "--set", setting], tmp_path)
    assert code == 78, output
    for word in words:
        assert word in output


def test_all_faults_of_a_file_are_told_with_their_lines(tmp_path):
    (tmp_path / "weir.toml").write_text('shards = "two"\n\n[listeners]\nampq = "127.0.0.1:0"\n\n[log]\nlevel = "loud"\n')
    code, output = run_server_to_its_end(["server", "--config", "weir.toml"], tmp_path)
    assert code == 78
    lines = output.splitlines()
    assert len(lines) == 3
    assert "weir.toml:1" in lines[0] and "shards" in lines[0]
    assert "weir.toml:4" in lines[1] and '"listeners.amqp"' in lines[1]
    assert "weir.toml:7" in lines[2] and "log.level" in lines[2] and "warning" in lines[2]


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path):
    (tmp_path / "weir.toml").write_text("shards = 1\nlisteners = [\n")
    code, output = run_server_to_its_end(["server", "--config", "weir.toml"], tmp_path)
    assert code == 78 and "weir.toml:" in output


def test_later_sources_of_settings_win(start_weir, tmp_path):
    """File, then environment, then command line."""
    (tmp_path / "weir.toml").write_text(
        '[amqp]\nheartbeat_s = 11\nchannel_max = 11\nframe_max = "16KiB"\n')
    server = start_weir("amqp.frame_max=32KiB", arguments=["--config", str(tmp_path / "weir.toml")],
                        environment={"WEIR_AMQP_CHANNEL_MAX": "22", "WEIR_AMQP_FRAME_MAX": "65536"})
    with connected(server.address) as wire:
        assert (wire.tune.heartbeat, wire.tune.channel_max, wire.tune.frame_max) == (11, 22, 32768)


def test_the_ports_file_names_every_listener(start_weir):
    server = start_weir()
    ports = json.loads(server.ports_file.read_text())
    assert set(ports) == {"amqp", "stomp", "stomp_ws", "mqtt", "mqtt_ws", "admin", "metrics"}
    assert all(0 < port < 65536 for port in ports.values())
    assert stat.S_IMODE(server.data_dir.stat().st_mode) & 0o007 == 0, "the data directory is open to everybody"


def test_the_lock_of_a_dead_process_is_none(start_weir):
    server = start_weir()
    server.kill()
    assert server.start().running()


def test_sigterm_and_sigint_stop_it_in_order(start_weir):
    server = start_weir()
    for number in (signal.SIGTERM, signal.SIGINT):
        server.process.send_signal(number)
        assert server.process.wait(5) == 0
        server.start()


def test_sigterm_ends_it_under_load_with_many_connections(start_weir):
    server = start_weir()
    wires = [connected(server.address, confirms=True) for _ in range(50)]
    try:
        for number, wire in enumerate(wires):
            declared(wire, f"q{number}", durable=True)
            for _ in range(100):
                wire.publish(1, "", f"q{number}", b"x" * 1000, PERSISTENT)
        assert server.stop(5) == 0
    finally:
        for wire in wires:
            wire.drop()
    assert "error" not in server.log()


def test_what_a_client_sends_stays_one_line_of_the_log(start_weir):
    server = start_weir()
    bad = server.address.but(user="x\n2026-01-01T00:00:00.000Z error   fake: line")
    with pytest.raises(AssertionError):
        connected(bad)
    wait_until(lambda: "fake" in server.log(), "the refusal is logged")
    assert not any(line.startswith("2026-01-01") for line in server.log().splitlines())


def test_an_empty_broker_is_small_and_quick_to_start(start_weir):
    server = start_weir()
    with connected(server.address):
        pass
    figures = []
    for _ in range(3):
        server.stop()
        server.start()
        figures.append(server.ready_after_s)
    print(f"start {min(figures) * 1000:.0f} ms, RSS {server.rss_mib():.1f} MiB, disk {server.disk_mib():.1f} MiB")
    assert min(figures) < 1
    assert server.rss_mib() <= 30 or not memory_counts()
    assert server.disk_mib() <= 64


def test_an_idle_broker_hardly_uses_the_processor(start_weir):
    server = start_weir()

    def ticks():
        fields = open(f"/proc/{server.pid}/stat").read().rsplit(") ", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    with connected(server.address) as wire:
        before = ticks()
        assert wire.quiet(1.5)
        used = (ticks() - before) / os.sysconf("SC_CLK_TCK")
    assert used < 0.15, f"{used:.2f} s of processor in 1.5 s"
