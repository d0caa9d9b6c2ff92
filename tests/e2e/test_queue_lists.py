"""Lists of many queues: the same queues in the same order, whole or page by page, whatever they are sorted by."""

import json
import os
import socket

import pytest

from harness import fixtures
from harness.management import Management

COUNT = 700


@pytest.fixture
def lists(start_weir, tmp_path):
    """A broker of two shards with queues in two virtual hosts; every tenth queue of the first has messages."""
    path = tmp_path / "many.json"
    path.write_text(json.dumps({
        "vhosts": [{"name": "/"}, {"name": "other"}],
        "queues": [{"name": f"q{i:03}", "vhost": "/", "durable": i % 2 == 0} for i in range(COUNT)]
                  + [{"name": f"q{i:03}", "vhost": "other", "durable": True} for i in range(0, COUNT, 100)]}))
    server = start_weir("shards=2", arguments=["--definitions", str(path)])
    admin = Management(server.ports["admin"])
    for i in range(0, COUNT, 70):
        for _ in range(1 + i // 70 % 3):
            admin.done("POST", "/exchanges/%2F/amq.default/publish", {
                "properties": {}, "routing_key": f"q{i:03}", "payload": "x", "payload_encoding": "string"})
    return admin


def names(queues):
    return [(one["vhost"], one["name"]) for one in queues]


def pages(admin, path, wanted="", size=300):
    """All pages of a list, one after the other."""
    found, number = [], 1
    while True:
        page = admin.get(f"{path}?page={number}&page_size={size}{wanted}")
        assert page["item_count"] == len(page["items"])
        found += page["items"]
        number += 1
        if number > page["page_count"]:
            assert page["filtered_count"] == len(found)
            return found


def test_pages_are_the_list_in_parts(lists):
    whole = lists.get("/queues")
    assert names(whole) == sorted(names(whole)) and len(whole) == COUNT + 7
    assert names(pages(lists, "/queues")) == names(whole)
    assert names(pages(lists, "/queues/%2F", size=99)) == names(lists.get("/queues/%2F"))
    assert names(lists.get("/queues/detailed")) == names(whole)
    assert names(lists.get("/queues/other")) == [("other", f"q{i:03}") for i in range(0, COUNT, 100)]
    page = lists.get("/queues?page=2&page_size=500")
    assert (page["total_count"], page["filtered_count"], page["item_count"], page["page_count"]) == (707, 707, 207, 2)
    assert list(page) == ["filtered_count", "item_count", "items", "page", "page_count", "page_size", "total_count"]


@pytest.mark.parametrize("sort", ["name", "vhost", "messages", "messages_ready", "message_stats.publish", "durable",
                                  "memory", "state"])
@pytest.mark.parametrize("reverse", ["false", "true"])
def test_pages_are_sorted_as_the_whole_list_is(lists, sort, reverse):
    def key(queue):
        value = queue
        for part in sort.split("."):
            value = value.get(part, {}) if isinstance(value, dict) else 0
        return (value or 0, queue["vhost"], queue["name"])

    wanted = f"&sort={sort}&sort_reverse={reverse}"
    whole = lists.get(f"/queues?{wanted[1:]}")
    assert names(whole) == names(sorted(whole, key=key, reverse=reverse == "true"))
    assert names(pages(lists, "/queues", wanted)) == names(whole)


def test_a_page_has_the_names_and_columns_that_are_wanted(lists):
    page = lists.get("/queues?page=1&name=Q00&columns=name,messages&sort=messages&sort_reverse=true")
    assert page["items"][0] == {"name": "q000", "messages": 1} and page["filtered_count"] == 11
    assert page["total_count"] == 707
    page = lists.get("/queues/%2F?page=1&name=^q.[05]9$&use_regex=true&columns=name")
    assert [one["name"] for one in page["items"]] == sorted(f"q{i}{j}9" for i in range(7) for j in (0, 5))
    assert lists.get("/queues?page=1&name=nothing")["items"] == []
    assert lists.refused("GET", "/queues?page=9&page_size=500") == (
        "page_out_of_range", "Page out of range, page: 9 page size: 500, len: 707")
    assert lists.refused("GET", "/queues?page=1&name=(&use_regex=true") == (
        "bad_request", "Pagination parameters are invalid")


def test_users_see_the_queues_of_their_virtual_hosts(lists):
    lists.done("PUT", "/users/viewer", {"password": "p", "tags": "management"})
    lists.done("PUT", "/permissions/other/viewer", {"configure": "", "write": "", "read": ""})
    viewer = lists.as_user("viewer", "p")
    assert {one["vhost"] for one in viewer.get("/queues")} == {"other"}
    assert viewer.get("/queues?page=1")["total_count"] == 7
    assert viewer.request("GET", "/queues/%2F?page=1").status == 401


@pytest.fixture(scope="module")
def thousands(tmp_path_factory):
    if int(os.environ.get("WEIR_TEST_AMQP_PORT", "0")):
        pytest.skip("about Weir alone")
    folder = tmp_path_factory.mktemp("thousands")
    path = folder / "many.json"
    path.write_text(json.dumps({"vhosts": [{"name": "/"}],
                                "queues": [{"name": f"q{i:05}", "vhost": "/", "durable": True} for i in range(3000)]}))
    for start in fixtures.server_factory(folder):
        yield Management(start("shards=2", arguments=["--definitions", str(path)]).ports["admin"])


def test_a_long_list_comes_in_pieces_and_is_whole(thousands):
    answer = thousands.request("GET", "/queues?columns=name,messages&sort=name&sort_reverse=true")
    assert answer.headers["transfer-encoding"] == "chunked" and "content-length" not in answer.headers
    assert answer.json == [{"name": f"q{i:05}", "messages": 0} for i in reversed(range(3000))]
    assert len(thousands.get("/queues/%2F?sort=state")) == 3000
    head = thousands.request("HEAD", "/queues")
    assert (head.status, head.body) == (200, b"")
    old = thousands.raw(b"GET /api/queues?columns=name HTTP/1.0\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n\r\n")
    head, _, body = old.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head and len(json.loads(body)) == 3000


def test_who_goes_away_in_the_middle_of_a_long_list_leaves_nothing_behind(thousands):
    for _ in range(20):
        with socket.create_connection((thousands.host, thousands.port)) as connection:
            connection.sendall(b"GET /api/queues HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n\r\n")
            connection.recv(1000)
    assert thousands.get("/queues?page=1&page_size=1")["total_count"] == 3000
