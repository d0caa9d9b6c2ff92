"""STOMP over WebSocket: stompjs as pages use it, and a client that chooses every frame."""

import json
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import websocket
from websocket import ABNF

from harness.certificates import Certificates
from harness.stomp_web_socket import StompWebSocket
from harness.stomp_wire import StompWire
from harness.waiting import wait_until

SCRIPT = Path(__file__).parent / "node/stomp_web_socket.js"
UPGRADE = {"Host": "broker", "Upgrade": "websocket", "Connection": "Upgrade",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}


def stompjs(url, queue, **options):
    done = subprocess.run(["node", str(SCRIPT), url, queue], input=json.dumps(options).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=40, check=False)
    assert not done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def url(server, name="stomp_ws"):
    return f"ws{'s' if name.endswith('wss') else ''}://localhost:{server.ports[name]}/ws"


@pytest.fixture
def web(weir):
    """web(text=False, **options): one more client, connected as far as WebSocket is."""
    open_ones = []

    def connect(text=False, **options):
        open_ones.append(StompWebSocket(url(weir), text, **options))
        return open_ones[-1]

    yield connect
    for one in open_ones:
        one.socket.shutdown()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("binary", [False, True])
def test_stompjs_sends_and_receives(weir, name, version, binary):
    bodies = ["first", "", "gr\u00fc\u00dfe \u20ac \U0001f600", "x" * 70_000, "\u20ac" * 100_000]
    events = stompjs(url(weir), "/queue/" + name(), version=version, binary=binary, bodies=bodies)
    assert events[0] == {"event": "connected", "version": version, "protocol": "v12.stomp"}
    messages = [event for event in events if event["event"] == "message"]
    assert [message["number"] for message in messages] == [str(number) for number in range(len(bodies))]
    assert [message["body"] for message in messages] == bodies
    assert events[-1] == {"event": "closed", "code": 1000, "clean": True}


def test_pages_come_over_tls(start_weir, tmp_path):
    certificates = Certificates(tmp_path)
    server = start_weir("listeners.stomp_wss=127.0.0.1:0", *certificates.server_settings())
    events = stompjs(url(server, "stomp_wss"), "/queue/q", version="1.2", binary=False, bodies=["over TLS" * 10_000],
                     ca=certificates.path("ca.pem"))
    assert [event["event"] for event in events] == ["connected", "message", "closed"]
    with pytest.raises(ssl.SSLError):
        websocket.create_connection(url(server, "stomp_wss"), timeout=5)  # which knows no such authority


def test_one_over_web_socket_reads_what_another_over_tcp_sends(weir, web, name):
    queue = "/queue/" + name()
    page, service = web(), StompWire(weir.stomp)
    page.connect()
    service.connect()
    page.send("SUBSCRIBE", {"id": "1", "destination": queue, "receipt": "r"})
    assert page.receive().command == "RECEIPT"
    body = bytes(range(256)) * 4_000
    service.send("SEND", {"destination": queue, "content-length": len(body)}, body)
    assert page.receive().body == body
    service.close()


def test_a_large_message_goes_both_ways_in_frames_of_bounded_size(web, name):
    queue = "/queue/" + name()
    page = web()
    page.connect()
    page.send("SUBSCRIBE", {"id": "1", "destination": queue, "receipt": "r"})
    page.receive()
    body = b"0123456789abcdef" * (5 << 16)  # 5 MiB
    page.send("SEND", {"destination": queue, "content-length": len(body), "persistent": "true"}, body)
    message = page.receive()
    assert message.body == body
    assert len(page.kinds) > len(body) // 65_536


def test_a_client_of_text_gets_text_but_for_what_is_none(web, name):
    queue = "/queue/" + name()
    page = web(text=True)
    page.connect()
    assert page.kinds == [ABNF.OPCODE_TEXT]
    page.send("SUBSCRIBE", {"id": "1", "destination": queue, "receipt": "r"})
    page.receive()
    page.send("SEND", {"destination": queue}, "\u20ac".encode())
    page.receive()
    assert set(page.kinds) == {ABNF.OPCODE_TEXT}
    page.opcode = ABNF.OPCODE_BINARY
    page.send("SEND", {"destination": queue, "content-length": 2}, b"\xff\xfe")
    assert page.receive().body == b"\xff\xfe"
    assert page.kinds[-1] == ABNF.OPCODE_BINARY


def test_frames_of_stomp_may_be_cut_anywhere_and_pings_come_between(web):
    page = web()
    frame = b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0"
    page.send_frame(ABNF.OPCODE_BINARY, frame[:5], final=False)
    page.send_frame(ABNF.OPCODE_PING, b"?")
    page.send_frame(ABNF.OPCODE_CONT, frame[5:20], final=False)
    page.send_frame(ABNF.OPCODE_CONT, frame[20:])
    assert page.receive().command == "CONNECTED"
    assert ABNF.OPCODE_PONG in page.kinds


@pytest.mark.parametrize("offered,agreed", [
    (["v10.stomp", "v11.stomp", "v12.stomp"], "v12.stomp"), (["v10.stomp"], "v10.stomp"), ([], None),
])
def test_the_best_sub_protocol_that_both_know_is_agreed_on(web, offered, agreed):
    page = web(subprotocols=offered)
    assert page.socket.getsubprotocol() == agreed
    assert page.connect().headers["version"] == "1.2"


def test_a_sub_protocol_that_is_not_known_may_come_too(web):
    page = web(header=["Sec-WebSocket-Protocol: v13.stomp"])  # as a header: the library would want an answer
    assert page.socket.getsubprotocol() is None
    page.connect()


def raw(server, head, more=b""):
    """What comes until the end."""
    with socket.create_connection(("127.0.0.1", server.ports["stomp_ws"]), timeout=10) as one:
        one.sendall(head + more)
        answer = b""
        while True:
            try:
                data = one.recv(65536)
            except ConnectionResetError:
                return answer
            if not data:
                return answer
            answer += data


def request(line="GET /ws HTTP/1.1", **changes):
    headers = {**UPGRADE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]).encode() + b"\r\n\r\n"


@pytest.mark.parametrize("head,status", [
    (request("GET / HTTP/1.1"), 404),
    (request("POST /ws HTTP/1.1"), 405),
    (request(Upgrade=None), 426),
    (request(Sec_WebSocket_Version="8"), 426),
    (request(Sec_WebSocket_Key=None), 400),
    (request(Sec_WebSocket_Key="AAAA"), 400),
    (request(Cookie="x" * 100_000), 431),
    (request(Content_Length="3"), 400),
    (b"CONNECT\naccept-version:1.2\n\n\0\r\n\r\n", 400),
], ids=str)
def test_a_request_that_is_no_good_gets_the_status_that_says_why(weir, head, status):
    answer = raw(weir, head)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    wait_until(lambda: f"no WebSocket: {status} " in weir.log(), "the reason in the log")


@pytest.mark.parametrize("opcode,data,code", [
    (0x81, b"\xff", 1007), (0x83, b"", 1002), (0xC2, b"x", 1002), (0x89, b"x" * 126, 1002), (0x88, b"x", 1002),
    (0x80, b"x", 1002), (0x09, b"", 1002),
])
def test_a_frame_that_is_wrong_ends_the_connection_with_its_code(web, opcode, data, code):
    page = web()
    page.connect()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    page.socket.sock.sendall(bytes([opcode]) + length + b"\0\0\0\0" + data)
    assert page.close_code() == code


def test_a_frame_without_a_mask_ends_the_connection(web):
    page = web()
    page.socket.sock.sendall(b"\x82\x01\n")
    assert page.close_code() == 1002


def test_an_error_of_stomp_comes_before_the_end(web):
    page = web()
    page.send("DANCE")
    frames = page.receive_until_end()
    assert [frame.command for frame in frames] == ["ERROR"]
    assert page.close_frame[0] == 1000


def test_sites_may_be_named_whose_pages_come(start_weir):
    server = start_weir("web_socket.allow_origins=https://shop.example")
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        StompWebSocket(url(server), origin="https://evil.example", suppress_origin=False)
    assert refused.value.status_code == 403
    for options in ({"origin": "https://shop.example", "suppress_origin": False}, {}):
        page = StompWebSocket(url(server), **options)
        page.connect()
        page.socket.shutdown()


def test_clients_are_told_when_the_server_stops(start_weir):
    server = start_weir()
    page = StompWebSocket(url(server))
    page.connect()
    waiting = socket.create_connection(("127.0.0.1", server.ports["stomp_ws"]))
    assert server.stop() == 0
    assert [frame.command for frame in page.receive_until_end()] == ["ERROR"]
    assert page.close_frame[0] == 1000
    waiting.close()


def test_the_management_api_shows_the_listener(weir, admin):
    shown = [one for one in admin.get("/overview")["listeners"] if one["protocol"] == "http/web-stomp"]
    assert [one["port"] for one in shown] == [weir.ports["stomp_ws"]]
