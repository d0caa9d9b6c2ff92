"""The management API: who may, what it is asked in, and users, permissions and virtual hosts."""

import concurrent.futures

import pytest

from harness.management import Management, segment
from harness.wire import connected


@pytest.fixture
def make_user(admin, name):
    """make_user("monitoring"): a user with those tags, which may use "/" if it is told so."""
    made = []

    def make(tags, permitted=False):
        user = name(f"user{len(made)}")
        admin.done("PUT", f"/users/{segment(user)}", {"password": "secret", "tags": tags})
        made.append(user)
        if permitted:
            admin.done("PUT", f"/permissions/%2F/{segment(user)}", {"configure": ".*", "write": ".*", "read": ".*"})
        return admin.as_user(user, "secret")

    yield make
    for user in made:
        admin.request("DELETE", f"/users/{segment(user)}")


# --- who may ---


def test_nobody_is_let_in_without_a_password(admin):
    answer = Management(admin.port, user=None).request("GET", "/whoami")
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["www-authenticate"] == 'Basic realm="RabbitMQ Management"'
    for header in ("Bearer x", "Basic", "Basic %%%", "Basic Z3Vlc3Q=", "nonsense"):
        assert admin.request("GET", "/whoami", headers={"Authorization": header}).status == 401, header


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(admin, name):
    for user in ("guest", name("nobody")):
        answer = admin.as_user(user, "wrong").request("GET", "/whoami")
        assert (answer.status, answer.json) == (401, {"error": "not_authorized", "reason": "Login failed"})
        assert "www-authenticate" in answer.headers


def test_tags_say_what_a_user_may(admin, make_user):
    expected = {  # of: whoami, users, vhosts
        "": ("Not management user", "Not administrator user"),
        "management": (None, "Not administrator user"),
        "monitoring": (None, "Not administrator user"),
        "policymaker": (None, "Not administrator user"),
        "administrator": (None, None),
    }
    for tags, reasons in expected.items():
        user = make_user(tags)
        for path, reason in zip(("/whoami", "/users"), reasons):
            answer = user.request("GET", path)
            if reason is None:
                assert answer.status == 200, (tags, path)
            else:
                assert (answer.status, answer.json) == (401, {"error": "not_authorised", "reason": reason})
                assert "www-authenticate" not in answer.headers
        if tags:
            assert user.get("/whoami")["tags"] == [tags]


def test_a_user_sees_its_virtual_hosts_and_a_monitor_all(admin, make_user, name):
    vhost = name("vhost")
    admin.done("PUT", f"/vhosts/{segment(vhost)}")
    names = {user: {one["name"] for one in user.get("/vhosts")}
             for user in (make_user("management", True), make_user("monitoring"), make_user("management"))}
    sets = list(names.values())
    assert sets[0] == {"/"} and vhost in sets[1] and sets[2] == set()
    stranger = list(names)[2]
    assert stranger.refused("GET", f"/vhosts/{segment(vhost)}", status=401) == (
        "not_authorised", "User not authorised to access virtual host")
    admin.done("DELETE", f"/vhosts/{segment(vhost)}")


def test_tags_that_are_taken_away_count_at_once(admin, make_user):
    user = make_user("administrator")
    user.get("/users")
    admin.done("PUT", f"/users/{segment(user.user)}", {"password": "secret", "tags": ""})
    assert user.refused("GET", "/users", status=401)[1] == "Not administrator user"


# --- what it is asked in ---


def test_paths_and_methods_that_are_not_there(admin):
    for path in ("/nothing", "/users/x/nothing", "/vhosts/none", "/users/none"):
        answer = admin.request("GET", path)
        assert (answer.status, answer.json) == (404, {"error": "Object Not Found", "reason": "Not Found"}), path
    answer = admin.request("POST", "/whoami")
    assert (answer.status, answer.headers["allow"]) == (405, "HEAD, GET, OPTIONS")
    answer = admin.request("OPTIONS", "/users/x")
    assert (answer.status, answer.headers["allow"]) == (200, "HEAD, GET, PUT, DELETE, OPTIONS")


def test_path_tricks_lead_nowhere(admin):
    for path in ("/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/users/%00", "/users/%ff%fe", "/users/..", "//users"):
        assert admin.request("GET", path).status == 404, path
    for path in ("/users/%", "/users/%zz", "/users?page=%1"):
        assert admin.request("GET", path).status == 400, path


def test_what_is_no_json_is_refused(admin, name):
    path = f"/users/{segment(name())}"
    for body in (b"garbage", b"[]", b"1", b'{"tags":', b'{"tags":""} x', b"\xff", b"[" * 100_000, b'{"a":' * 10_000):
        assert admin.refused("PUT", path, body) == ("bad_request", "not_json"), body[:20]
    assert "doubly" in admin.refused("PUT", path, b'"{}"')[1]
    assert admin.refused("PUT", path, {}) == ("bad_request", "tags_not_present")
    assert admin.refused("PUT", path, {"tags": 7})[0] == "bad_request"
    admin.get(path, 404)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(admin, name):
    path = f"/users/{segment(name())}"
    assert admin.request("PUT", path, b" " * (1 << 20) + b"{}").status == 413
    answer = admin.request("PUT", path, b" " * 1000 + b'{"password": "x", "tags": ""}')
    assert answer.status == 201
    admin.done("DELETE", path)


def test_hostile_bytes_are_answered_and_end_the_connection(admin):
    for sent, status in ((b"\x00\x01\x02\r\n\r\n", b"400"), (b"GET /api/whoami HTTP/9.9\r\n\r\n", b"505"),
                         (b"GET /api HTTP/1.1\r\n\r\n", b"400"), (b"GET /" + b"a" * 40_000, b"431"),
                         (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10_000, b"431"),
                         (b"POST /api/whoami HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501")):
        assert admin.raw(sent).split(b" ")[1] == status, sent[:40]


def test_requests_may_be_sent_ahead_and_in_chunks(admin):
    login = b"Authorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nHost: x\r\n"
    received = admin.raw(
        b"GET /api/whoami HTTP/1.1\r\n" + login + b"\r\n"
        b"HEAD /api/users HTTP/1.1\r\n" + login + b"\r\n"
        b"POST /api/users/bulk-delete HTTP/1.1\r\n" + login + b"Transfer-Encoding: chunked\r\n\r\n"
        b"c\r\n{\"users\":[]}\r\n0\r\n\r\n"
        b"GET /api/auth HTTP/1.1\r\n" + login + b"Connection: close\r\n\r\n")
    assert [line.split(b" ")[1] for line in received.split(b"HTTP/1.1")[1:]] == [b"200", b"200", b"204", b"200"]


def test_many_clients_at_a_time(admin):
    def ask(_):
        return admin.get("/whoami")["name"]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert list(pool.map(ask, range(300))) == ["guest"] * 300


def test_https(start_weir, tmp_path):
    from harness.certificates import Certificates
    certificates = Certificates(tmp_path)
    server = start_weir("listeners.admin_tls=127.0.0.1:0", f"tls.certificate_file={certificates.path('server.pem')}",
                        f"tls.key_file={certificates.path('server.key')}")
    management = Management(server.ports["admin_tls"], context=certificates.client_context())
    assert management.get("/whoami")["name"] == "guest"


# --- users, permissions, virtual hosts ---


def test_a_user_is_made_changed_and_deleted(admin, name, weir):
    user = name("a/b c")
    path = f"/users/{segment(user)}"
    assert admin.done("PUT", path, {"password": "first", "tags": "management,monitoring"}).status == 201
    shown = admin.get(path)
    assert (shown["name"], shown["tags"], shown["limits"]) == (user, ["management", "monitoring"], {})
    assert admin.as_user(user, "first").get("/whoami")["name"] == user
    assert admin.done("PUT", path, {"password": "second", "tags": ["management"]}).status == 204
    assert admin.as_user(user, "first").request("GET", "/whoami").status == 401
    admin.done("PUT", f"/permissions/%2F/{segment(user)}", {"configure": ".*", "write": ".*", "read": ".*"})
    connected(weir.address.but(user=user, password="second")).drop()
    admin.done("PUT", path, {"tags": "management"})  # no password any more
    assert admin.as_user(user, "second").request("GET", "/whoami").status == 401
    assert admin.done("DELETE", path).status == 204
    admin.get(path, 404)
    assert admin.request("DELETE", path).status == 404


def test_a_hash_from_one_user_is_a_password_of_another(admin, name):
    one, other = name("one"), name("other")
    admin.done("PUT", f"/users/{segment(one)}", {"password": "slow secret", "tags": "management"})
    shown = admin.get(f"/users/{segment(one)}")
    admin.done("PUT", f"/users/{segment(other)}",
               {key: shown[key] for key in ("password_hash", "hashing_algorithm", "tags")})
    assert admin.as_user(other, "slow secret").get("/whoami")["name"] == other
    quick = admin.get("/auth/hash_password/pass%2Fword")["ok"]
    admin.done("PUT", f"/users/{segment(one)}", {"password_hash": quick, "tags": "management"})
    assert admin.as_user(one, "pass/word").get("/whoami")["name"] == one
    assert admin.refused("PUT", f"/users/{segment(one)}", {"password_hash": "nonsense", "tags": ""})[0] == "bad_request"
    assert {one, other} <= {user["name"] for user in admin.get("/users/without-permissions")}
    admin.done("POST", "/users/bulk-delete", {"users": [one, other, "nobody at all"]})
    assert not {one, other} & {user["name"] for user in admin.get("/users")}


def test_a_virtual_host_with_its_permissions(admin, name):
    vhost, user = name("vhost"), name("user")
    path = f"/vhosts/{segment(vhost)}"
    assert admin.done("PUT", path, {"description": "first", "tags": "a,b"}).status == 201
    assert admin.done("PUT", path, {"description": "second"}).status == 204
    shown = admin.get(path)
    assert (shown["description"], shown["tags"], shown["metadata"]["description"]) == ("second", ["a", "b"], "second")
    admin.done("PUT", f"/users/{segment(user)}", {"password": "x", "tags": ""})
    rights = {"configure": "^a", "write": "", "read": ".*"}
    permission = f"/permissions/{segment(vhost)}/{segment(user)}"
    assert admin.done("PUT", permission, rights).status == 201
    assert admin.get(permission) == {"user": user, "vhost": vhost, **rights}
    assert admin.get(f"/users/{segment(user)}/permissions") == [{"user": user, "vhost": vhost, **rights}]
    assert [one["user"] for one in admin.get(path + "/permissions")] == sorted(["guest", user])
    assert admin.refused("PUT", permission, {"configure": ""}) == (
        "bad_request", "[{key_missing,write},{key_missing,read}]")
    assert admin.refused("PUT", permission, {**rights, "read": "("})[0] == "bad_request"
    assert admin.refused("PUT", f"/permissions/{segment(vhost)}/none", rights)[1] == "vhost_or_user_not_found"
    topic = f"/topic-permissions/{segment(vhost)}/{segment(user)}"
    assert admin.done("PUT", topic, {"exchange": "amq.topic", "write": "^a", "read": "^b"}).status == 201
    assert admin.get(topic) == [{"user": user, "vhost": vhost, "exchange": "amq.topic", "write": "^a", "read": "^b"}]
    admin.done("DELETE", topic + "/amq.topic")
    admin.get(topic, 404)
    admin.done("DELETE", permission)
    admin.get(permission, 404)
    admin.done("DELETE", path)
    admin.get(path, 404)
    admin.done("DELETE", f"/users/{segment(user)}")


def test_what_was_answered_is_there_after_a_kill(start_weir):
    server = start_weir()
    Management(server.ports["admin"]).done("PUT", "/vhosts/kept", {"description": "for ever"})
    server.kill()
    server.start()
    assert Management(server.ports["admin"]).get("/vhosts/kept")["description"] == "for ever"


# --- lists ---


def test_lists_are_sorted_cut_and_shown_in_part(admin, name):
    names = [name(f"list{i:02}") for i in range(12)]
    for one in names:
        admin.done("PUT", f"/users/{segment(one)}", {"password_hash": "", "tags": ""})
    try:
        wanted = f"name={names[0][:-2].upper()}"
        page = admin.get(f"/users?page=2&page_size=5&{wanted}&sort=name&sort_reverse=true&columns=name")
        assert page["items"] == [{"name": one} for one in reversed(names[2:7])]
        assert {key: page[key] for key in page if key not in ("items", "total_count")} == {
            "filtered_count": 12, "item_count": 5, "page": 2, "page_count": 3, "page_size": 5}
        assert page["total_count"] >= 13
        page = admin.get(f"/users?page=1&name=list0[0-2]$&use_regex=true")
        assert page["item_count"] == 3
        assert admin.refused("GET", f"/users?page=4&page_size=5&{wanted}") == (
            "page_out_of_range", "Page out of range, page: 4 page size: 5, len: 12")
        assert admin.refused("GET", "/users?page=0")[0] == "invalid_pagination_parameters"
        assert admin.refused("GET", "/users?page=1&page_size=501")[0] == "invalid_pagination_parameters"
        assert admin.refused("GET", "/users?page=x") == ("bad_request", "Pagination parameters are invalid")
    finally:
        admin.done("POST", "/users/bulk-delete", {"users": names})


def test_the_servers_own_name(admin):
    before = admin.get("/cluster-name")["name"]
    admin.done("PUT", "/cluster-name", {"name": "north"})
    assert admin.get("/cluster-name") == {"name": "north"}
    admin.done("PUT", "/cluster-name", {"name": before})
    assert admin.get("/extensions") == []
    assert all(flag["state"] == "enabled" for flag in admin.get("/feature-flags"))
