"""How numbers were: the samples that lengths_age and its relatives ask for, told as RabbitMQ tells them."""

import os
import time

import pytest
from pamqp.commands import Basic, Queue

from harness import fixtures
from harness.management import Management
from harness.waiting import wait_until
from harness.wire import connected, publish_frames

RANGES = "lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    if int(os.environ.get("WEIR_TEST_AMQP_PORT", "0")):
        pytest.skip("about Weir alone")
    yield from fixtures.server_factory(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def moved(servers):
    """A broker on which messages came to a queue and some went, known to its history."""
    server = servers()
    admin = Management(server.ports["admin"])
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="moved", durable=True), Queue.DeclareOk)
        wire.rpc(1, Queue.Declare(queue="still", durable=True), Queue.DeclareOk)
        wire.send(publish_frames(1, "", "moved", b"x") * 6)
        for _ in range(2):
            wire.send_method(1, Basic.Get(queue="moved", no_ack=True))
            wire.next_content(Basic.GetOk)
        wait_until(lambda: samples(admin.get(f"/queues/%2F/moved?{RANGES}")["messages_details"])[0] == 4,
                   "the history knows of it", seconds=30)
    return admin


def samples(details):
    return [one["sample"] for one in details["samples"]]


def check_details(details, age, incr):
    """What holds of all samples, whatever they are."""
    times = [one["timestamp"] for one in details["samples"]]
    values = samples(details)
    assert len(times) == age // incr + 1
    assert times[0] % (incr * 1000) == 0 and 0 <= time.time() * 1000 - times[0] < (incr + 5) * 1000
    assert {a - b for a, b in zip(times, times[1:])} == {incr * 1000}
    assert details["avg"] == pytest.approx(sum(values) / len(values))
    assert details["rate"] == pytest.approx((values[0] - values[1]) / incr)
    assert details["avg_rate"] == pytest.approx((values[0] - values[-1]) / age)


def test_a_queue_tells_how_deep_it_was_and_what_went_through_it(moved):
    queue = moved.get(f"/queues/%2F/moved?{RANGES}")
    for name in ("messages", "messages_ready", "messages_unacknowledged"):
        check_details(queue[name + "_details"], 60, 5)
    stats = queue["message_stats"]
    for name in ("publish", "deliver", "deliver_no_ack", "get", "get_no_ack", "get_empty", "ack", "redeliver",
                 "deliver_get"):
        check_details(stats[name + "_details"], 60, 5)
    assert samples(queue["messages_details"])[0] == 4 and samples(queue["messages_details"])[-1] == 0
    assert samples(stats["publish_details"])[0] == 6 and samples(stats["deliver_get_details"])[0] == 2
    assert samples(moved.get(f"/queues/%2F/still?{RANGES}")["messages_details"]) == [0] * 13
    listed = {one["name"]: one for one in moved.get(f"/queues?page=1&{RANGES}&columns=name,messages_details")["items"]}
    check_details(listed["moved"]["messages_details"], 60, 5)


def test_only_what_was_asked_for_has_samples(moved):
    queue = moved.get("/queues/%2F/moved?lengths_age=60&lengths_incr=30&msg_rates_age=60")
    check_details(queue["messages_details"], 60, 30)
    assert queue["message_stats"]["publish_details"].keys() == {"rate"}
    assert moved.get("/queues/%2F/moved")["messages_details"].keys() == {"rate"}


def test_the_overview_virtual_hosts_exchanges_and_the_node_have_histories(moved):
    overview = moved.get(f"/overview?{RANGES}")
    check_details(overview["queue_totals"]["messages_details"], 60, 5)
    assert samples(overview["queue_totals"]["messages_details"])[0] == 4
    assert samples(overview["message_stats"]["publish_details"])[0] == 6
    for name in ("confirm", "return_unroutable", "drop_unroutable"):
        check_details(overview["message_stats"][name + "_details"], 60, 5)
    check_details(overview["churn_rates"]["queue_created_details"], 60, 5)
    assert samples(overview["churn_rates"]["queue_created_details"])[0] == 2
    assert moved.get("/overview")["churn_rates"]["queue_created_details"].keys() == {"rate"}
    (vhost,) = moved.get(f"/vhosts?{RANGES}")
    check_details(vhost["messages_details"], 60, 5)
    assert samples(vhost["message_stats"]["publish_details"])[0] == 6
    exchange = moved.get(f"/exchanges/%2F/amq.default?{RANGES}")
    check_details(exchange["message_stats"]["publish_in_details"], 60, 5)
    assert samples(exchange["message_stats"]["publish_out_details"])[0] == 6
    (node,) = moved.get("/nodes?node_stats_age=60&node_stats_incr=10")
    for name in ("mem_used", "fd_used", "sockets_used", "proc_used", "disk_free", "context_switches"):
        check_details(node[name + "_details"], 60, 10)
    assert max(samples(node["mem_used_details"])) > 1_000_000


def test_who_sees_some_virtual_hosts_is_told_of_those(moved):
    moved.done("PUT", "/vhosts/other")
    moved.done("PUT", "/users/viewer", {"password": "p", "tags": "management"})
    moved.done("PUT", "/permissions/other/viewer", {"configure": "", "write": "", "read": ""})
    viewer = moved.as_user("viewer", "p")
    assert samples(viewer.get(f"/overview?{RANGES}")["queue_totals"]["messages_details"]) == [0] * 13


@pytest.mark.parametrize("path", ["/queues", "/queues/%2F", "/queues/%2F/moved", "/overview", "/vhosts", "/vhosts/%2F",
                                  "/exchanges", "/nodes"])
def test_a_range_that_makes_no_sense_is_refused(moved, path):
    for prefix, age, incr in [("lengths", 0, 0), ("msg_rates", 7200, 5), ("node_stats", 60, -5)]:
        assert moved.refused("GET", f"{path}?{prefix}_age={age}&{prefix}_incr={incr}") == (
            "bad_request", f"Invalid range parameters: age {age}, incr {incr}")
    assert moved.request("GET", f"{path}?lengths_age=x&lengths_incr=5").status == 200
