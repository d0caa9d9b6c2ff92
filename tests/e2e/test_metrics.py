"""The pages for Prometheus: that they tell what happened, in its format."""

import re
import subprocess
import urllib.error
import urllib.request

import pytest
from pamqp.commands import Basic, Queue

from harness.waiting import wait_until
from harness.wire import connected

SAMPLE = re.compile(r"""(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (?P<value>\S+)""")


class Scrape:
    def __init__(self, server, path="/metrics", method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{server.ports['metrics']}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            self.content_type = response.headers["content-type"]
            self.text = response.read().decode()
        self.values = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            sample = SAMPLE.fullmatch(line)
            assert sample, f"not a sample: {line}"
            key = (sample["name"], sample["labels"] or "")
            assert key not in self.values, f"twice: {line}"
            self.values[key] = float(sample["value"])

    def __getitem__(self, key):
        name, labels = key if isinstance(key, tuple) else (key, "")
        return self.values[(name, labels)]


PERSISTENT = b"\x10\x00\x02"  # the properties: a delivery mode of 2


def declare(wire, queue):
    wire.rpc(1, Queue.Declare(queue=queue, durable=True), Queue.DeclareOk)


def publish(wire, queue, count):
    for _ in range(count):
        wire.publish(1, "", queue, b"x" * 100, PERSISTENT)


def test_a_scrape_tells_the_sums(start_weir):
    server = start_weir()
    with connected(server.address) as wire:
        declare(wire, "orders")
        publish(wire, "orders", 10)
        wait_until(lambda: Scrape(server)["rabbitmq_queue_messages_ready"] == 10, "ten messages")
        wire.send_method(1, Basic.Get(queue="orders"))
        wire.next_content(Basic.GetOk)
        wait_until(lambda: Scrape(server)["rabbitmq_queue_messages_ready"] == 9, "nine messages")
        seen = Scrape(server)
        assert seen.content_type == "text/plain; version=0.0.4"
        assert seen["rabbitmq_queue_messages_unacked"] == 1
        assert seen["rabbitmq_queue_messages"] == 10
        assert seen["rabbitmq_queue_messages_persistent"] == 10
        assert (seen["rabbitmq_queues"], seen["rabbitmq_connections"], seen["rabbitmq_channels"]) == (1, 1, 1)
        assert seen["rabbitmq_global_messages_received_total", 'protocol="amqp091"'] == 10
        assert seen["rabbitmq_channel_messages_published_total"] == 10
        assert seen["rabbitmq_connection_incoming_bytes_total"] > 1_000
        assert seen["rabbitmq_process_resident_memory_bytes"] > 1_000_000
        assert seen["weir_journal_commit_seconds_count"] > 0
        assert seen["weir_queue_oldest_message_age_seconds"] >= 0
    wait_until(lambda: Scrape(server)["rabbitmq_connections"] == 0, "the connection to be gone")
    assert Scrape(server)["rabbitmq_connections_closed_total"] == 1


def test_each_object_is_told_with_its_name(start_weir):
    server = start_weir()
    with connected(server.address) as wire:
        declare(wire, "orders")
        publish(wire, "orders", 3)
        labels = 'vhost="/",queue="orders"'
        wait_until(lambda: Scrape(server, "/metrics/per-object")["rabbitmq_queue_messages_ready", labels] == 3, "3")
        detailed = Scrape(server, "/metrics/detailed?family=queue_coarse_metrics&vhost=%2F")
        assert detailed["rabbitmq_detailed_queue_messages", labels] == 3
        elsewhere = Scrape(server, "/metrics/detailed?family=queue_coarse_metrics&vhost=elsewhere")
        assert not any("queue_messages" in name for name, _ in elsewhere.values)


def test_what_is_no_page_is_not_found(start_weir):
    server = start_weir()
    for path, method, status in [("/nope", "GET", 404), ("/", "GET", 404), ("/metrics", "POST", 405)]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            Scrape(server, path, method)
        assert refused.value.code == status


def test_scrapes_go_on_while_queues_come_and_go_and_messages_flow(start_weir):
    server = start_weir("shards=2")
    with connected(server.address) as wire:
        for i in range(200):
            declare(wire, f"q{i}")
            publish(wire, f"q{i}", 2)
            seen = Scrape(server, "/metrics/per-object")
            assert seen["rabbitmq_queues"] == i + 1
    assert server.running()


def complaints(text):
    done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)
    assert done.returncode in (0, 3), done.stdout  # 3: it can be read, and could be named better
    return done.stdout.splitlines()


# RabbitMQ has these names, and dashboards go by them.
RABBITMQ_NAMES = re.compile(r"^rabbitmq_\w+ (non-counter metrics should not have \"_total\" suffix"
                            r"|counter metrics should have \"_total\" suffix|use base unit .*"
                            r"|metric name should not include type .*|non-histogram .*|no help text)$")


@pytest.mark.parametrize("page", ["/metrics", "/metrics/per-object",
                                  "/metrics/detailed?family=queue_coarse_metrics&family=connection_coarse_metrics"])
def test_promtool_can_read_every_page_and_finds_nothing_wrong_with_our_own_names(start_weir, page):
    server = start_weir()
    with connected(server.address) as wire:
        declare(wire, "q")
        publish(wire, "q", 3)
        found = complaints(Scrape(server, page).text)
    assert [line for line in found if not RABBITMQ_NAMES.match(line)] == []


# What the dashboards that RabbitMQ publishes for Grafana ask for: its overview, before and since version 3.9 (those of the
# Erlang machine ask for what Weir has not).
DASHBOARD_NAMES = """
    rabbitmq_alarms_file_descriptor_limit rabbitmq_alarms_free_disk_space_watermark rabbitmq_alarms_memory_used_watermark
    rabbitmq_build_info rabbitmq_identity_info
    rabbitmq_channel_consumers rabbitmq_channel_get_ack_total rabbitmq_channel_get_empty_total rabbitmq_channel_get_total
    rabbitmq_channel_messages_acked_total rabbitmq_channel_messages_confirmed_total
    rabbitmq_channel_messages_delivered_ack_total rabbitmq_channel_messages_delivered_total
    rabbitmq_channel_messages_published_total rabbitmq_channel_messages_redelivered_total
    rabbitmq_channel_messages_unconfirmed rabbitmq_channel_messages_unroutable_dropped_total
    rabbitmq_channel_messages_unroutable_returned_total
    rabbitmq_channels rabbitmq_channels_closed_total rabbitmq_channels_opened_total
    rabbitmq_connections rabbitmq_connections_closed_total rabbitmq_connections_opened_total rabbitmq_consumers
    rabbitmq_disk_space_available_bytes rabbitmq_disk_space_available_limit_bytes
    rabbitmq_global_consumers rabbitmq_global_publishers
    rabbitmq_global_messages_acknowledged_total rabbitmq_global_messages_confirmed_total
    rabbitmq_global_messages_delivered_consume_auto_ack_total rabbitmq_global_messages_delivered_consume_manual_ack_total
    rabbitmq_global_messages_delivered_get_auto_ack_total rabbitmq_global_messages_delivered_get_manual_ack_total
    rabbitmq_global_messages_delivered_total rabbitmq_global_messages_get_empty_total
    rabbitmq_global_messages_received_confirm_total rabbitmq_global_messages_received_total
    rabbitmq_global_messages_redelivered_total rabbitmq_global_messages_routed_total
    rabbitmq_global_messages_unroutable_dropped_total rabbitmq_global_messages_unroutable_returned_total
    rabbitmq_process_max_fds rabbitmq_process_max_tcp_sockets rabbitmq_process_open_fds rabbitmq_process_open_tcp_sockets
    rabbitmq_process_resident_memory_bytes rabbitmq_resident_memory_limit_bytes
    rabbitmq_queue_messages_published_total rabbitmq_queue_messages_ready rabbitmq_queue_messages_unacked
    rabbitmq_queues rabbitmq_queues_created_total rabbitmq_queues_declared_total rabbitmq_queues_deleted_total
""".split()


def test_everything_that_rabbitmq_s_dashboards_ask_for_is_told(start_weir):
    server = start_weir()
    with connected(server.address) as wire:
        declare(wire, "q")
        publish(wire, "q", 3)
        told = {name for name, _ in Scrape(server).values}
        identity = next(labels for name, labels in Scrape(server).values if name == "rabbitmq_identity_info")
    assert sorted(set(DASHBOARD_NAMES) - told) == []
    assert {"rabbitmq_node", "rabbitmq_cluster"} <= set(re.findall(r'(\w+)="', identity))
