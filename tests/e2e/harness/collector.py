"""What it is: an OTLP/HTTP collector that takes spans as JSON, and refuses what does not have the shape of the protocol."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRACE_ID = re.compile(r"[0-9a-f]{32}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")
SPAN_KEYS = {"traceId", "spanId", "parentSpanId", "traceState", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
             "attributes", "links", "status"}
VALUE_KINDS = {"stringValue": str, "intValue": str, "doubleValue": (int, float), "boolValue": bool}


class BadShape(AssertionError):
    pass


def need(holds, what):
    if not holds:
        raise BadShape(what)


def attributes_of(entries):
    out = {}
    for entry in entries:
        need(set(entry) == {"key", "value"} and len(entry["value"]) == 1, f"attribute {entry}")
        (kind, value), = entry["value"].items()
        need(kind in VALUE_KINDS and isinstance(value, VALUE_KINDS[kind]), f"value {entry}")
        need(entry["key"] not in out, f"{entry['key']} twice")
        out[entry["key"]] = int(value) if kind == "intValue" else value
    return out


def check_ids(of):
    need(TRACE_ID.fullmatch(of["traceId"]) and of["traceId"].strip("0"), f"trace id {of}")
    need(SPAN_ID.fullmatch(of["spanId"]) and of["spanId"].strip("0"), f"span id {of}")


class SpanView:
    def __init__(self, span, resource):
        need(set(span) <= SPAN_KEYS, f"unknown fields {set(span) - SPAN_KEYS}")
        check_ids(span)
        self.trace, self.id = span["traceId"], span["spanId"]
        self.parent = span.get("parentSpanId")
        if self.parent is not None:
            need(SPAN_ID.fullmatch(self.parent) and self.parent.strip("0"), f"parent {self.parent}")
        need(isinstance(span["name"], str) and span["name"], "a name")
        need(span["kind"] in range(1, 6), f"kind {span['kind']}")
        need(isinstance(span["startTimeUnixNano"], str) and isinstance(span["endTimeUnixNano"], str), "times are text")
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        need(self.end >= self.start > 1_600_000_000 * 10**9, f"times {self.start} {self.end}")
        self.name, self.kind, self.state = span["name"], span["kind"], span.get("traceState", "")
        self.attributes = attributes_of(span["attributes"])
        self.links = span.get("links", [])
        for link in self.links:
            check_ids(link)
        self.status = span.get("status", {})
        self.resource = resource

    @property
    def operation(self):
        return self.attributes["messaging.operation.name"]

    def __repr__(self):
        return f"<{self.name} {self.id} below {self.parent} {self.attributes}>"


class Collector:
    def __init__(self, port=0):
        self.spans, self.faults, self.requests, self.status = [], [], 0, 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, dict(self.headers), body)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def take(self, path, headers, body):
        self.requests += 1
        if self.status != 200:
            return
        try:
            need(path == "/v1/traces" and headers["Content-Type"] == "application/json", f"{path} {headers}")
            need("Authorization" not in headers, "a login that nobody asked for")
            for of_resource in json.loads(body)["resourceSpans"]:
                resource = attributes_of(of_resource["resource"]["attributes"])
                for of_scope in of_resource["scopeSpans"]:
                    need(of_scope["scope"]["name"], "a scope")
                    self.spans += [SpanView(span, resource) for span in of_scope["spans"]]
        except (BadShape, KeyError, ValueError, TypeError) as fault:
            self.faults.append(repr(fault))

    def of(self, trace):
        assert not self.faults, self.faults
        return [span for span in self.spans if span.trace == trace]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
