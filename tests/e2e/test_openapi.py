"""The API's description of itself: an OpenAPI document that tools take, and that the documentation agrees with."""

import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness.management import Management

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/protocols/management.md"


@pytest.fixture
def document(admin):
    """Who asks has no login."""
    return Management(admin.port, user=None).get("/openapi.json")


def shape(path):
    """A path without the names of what it captures."""
    return re.sub(r"\{\w+\}|:\w+", "{}", path)


def test_a_linter_finds_nothing_wrong(admin):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin.port}/api/openapi.json", timeout=20) as response:
        assert response.headers["content-type"] == "application/json"
        text = response.read()
    done = subprocess.run(["node", str(HERE / "node/lint_openapi.js")], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    assert (done.stdout.decode(), done.returncode) == ("", 0)


def test_calls_are_answered_with_what_the_document_says(admin, document):
    """Every call without a body and with nothing to fill in."""
    asked = 0
    for path, methods in document["paths"].items():
        if "{" in path or "get" not in methods:
            continue
        answer = admin.request("GET", path.removeprefix("/api"))
        assert str(answer.status) in methods["get"]["responses"], (path, answer)
        assert Management(admin.port, user=None).request("GET", path.removeprefix("/api")).status == (
            200 if methods["get"].get("security") == [] else 401), path
        asked += 1
    assert asked > 30


def documented_routes():
    """(method, path) of each row of the page's table."""
    table = PAGE.read_text().split("\n## Served\n")[1].split("\n## ")[0]
    for row in table.splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) < 4 or not cells[1].startswith("`"):
            continue
        for path in re.findall(r"`([^`]+)`", cells[1]):
            for method in re.findall(r"[A-Z]+", cells[2]):
                yield method.lower(), shape("/api" + path)


def test_the_documentation_lists_the_same_routes(document):
    served = {(method, shape(path)) for path, methods in document["paths"].items() for method in methods}
    assert set(documented_routes()) == served
