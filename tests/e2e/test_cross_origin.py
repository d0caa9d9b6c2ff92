"""Pages of other sites that use the management API from a browser."""

from harness.management import Management

SITE, OTHER = "https://admin.example", "https://other.example"


def told(answer):
    return {name.removeprefix("access-control-"): value for name, value in answer.headers.items()
            if name.startswith("access-control-")}


def test_pages_of_sites_that_are_named_may_use_the_api(start_weir):
    admin = Management(start_weir(f"admin.cors_allow_origins={SITE}", "admin.cors_max_age_s=60").ports["admin"])
    stranger = Management(admin.port, user=None)
    asked = stranger.request("OPTIONS", "/queues/%2F/q", headers={
        "Origin": SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"})
    assert (asked.status, asked.headers["allow"]) == (200, "HEAD, GET, PUT, DELETE, OPTIONS")
    assert told(asked) == {"allow-origin": SITE, "allow-credentials": "true", "max-age": "60",
                           "allow-methods": asked.headers["allow"], "allow-headers": "authorization"}
    own = {"allow-origin": SITE, "allow-credentials": "true"}
    assert told(admin.request("GET", "/whoami", headers={"Origin": SITE})) == own
    refused = stranger.request("GET", "/whoami", headers={"Origin": SITE})
    assert (refused.status, told(refused)) == (401, own)
    assert told(admin.request("GET", "/nowhere", headers={"Origin": SITE})) == own
    for method in ("OPTIONS", "GET"):
        answer = admin.request(method, "/whoami", headers={"Origin": OTHER})
        assert (answer.status, told(answer), answer.headers["vary"]) == (200, {}, "Origin")


def test_without_the_setting_no_page_is_told_anything(admin):
    for method in ("OPTIONS", "GET"):
        answer = admin.request(method, "/whoami", headers={"Origin": SITE})
        assert (answer.status, told(answer), "vary" in answer.headers) == (200, {}, False)
