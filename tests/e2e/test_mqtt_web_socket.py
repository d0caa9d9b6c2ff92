"""MQTT over WebSocket: mqtt.js as pages use it, beside the same over TCP, and paho-mqtt."""

import json
import subprocess
from pathlib import Path

import pytest
import websocket

from harness import mqtt_wire as m
from harness.certificates import Certificates
from harness.mqtt_client import MqttClient

SCRIPT = Path(__file__).parent / "node/mqtt_client.js"


def mqttjs(url, topic, **options):
    done = subprocess.run(["node", str(SCRIPT), url, topic], input=json.dumps(options).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=40, check=False)
    assert not done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def url(server, kind):
    return f"mqtt://localhost:{server.ports['mqtt']}" if kind == "tcp" else f"ws://localhost:{server.ports['mqtt_ws']}/ws"


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("kind", ["tcp", "ws"])
def test_mqttjs_sends_and_receives(weir, name, kind, version, qos):
    topic = name()
    bodies = ["first", "gr\u00fc\u00dfe \u20ac", "x" * 70_000, "y" * 400_000, *map(str, range(100))]
    events = mqttjs(url(weir, kind), topic, version=version, qos=qos, bodies=bodies)
    assert events[:2] == [{"event": "connected", "code": 0}, {"event": "subscribed", "qos": qos}]
    messages = [event for event in events if event["event"] == "message"]
    assert [message["body"] for message in messages] == bodies
    assert {(message["topic"], message["qos"]) for message in messages} == {(topic, qos)}
    if version == 5:
        assert [message["user"] for message in messages] == [str(len(body)) for body in bodies]
    assert events[-1] == {"event": "closed"}


def test_pages_come_over_tls(start_weir, tmp_path):
    made = Certificates(tmp_path)
    server = start_weir("listeners.mqtt_wss=127.0.0.1:0", *made.server_settings()[1:])
    events = mqttjs(f"wss://localhost:{server.ports['mqtt_wss']}/ws", "page", version=5, qos=1, bodies=["a", "b"],
                    ca=made.path("ca.pem"))
    assert [event["body"] for event in events if event["event"] == "message"] == ["a", "b"]


def test_paho_comes_over_web_sockets(weir, name):
    client = MqttClient(weir.mqtt.but(port=weir.ports["mqtt_ws"]), transport="websockets")
    client.subscribe(name(), 2)
    client.publish(name(), b"x" * 300_000, 2)
    assert client.got(1) == [b"x" * 300_000]
    client.close()


@pytest.mark.parametrize("offers, chosen", [(["mqtt"], "mqtt"), (["mqttv3.1"], "mqttv3.1"), (["other", "mqtt"], "mqtt")])
def test_the_sub_protocol_is_mqtt(weir, offers, chosen):
    socket = websocket.create_connection(f"ws://localhost:{weir.ports['mqtt_ws']}/ws", subprotocols=offers,
                                         suppress_origin=True)
    assert socket.getsubprotocol() == chosen
    # A packet may lie in any number of frames, a frame may have any number of packets [MQTT-6.0.0-2].
    data = m.connect_packet(5) + m.packet(m.PINGREQ, 0) + m.packet(m.PINGREQ, 0)
    for at in range(0, len(data), 7):
        socket.send_binary(data[at:at + 7])
    came = b""
    while not came.endswith(b"\xd0\0\xd0\0"):
        came += socket.recv()
    assert came[0] == m.CONNACK << 4
    socket.close()


def test_text_is_no_mqtt(weir):
    socket = websocket.create_connection(f"ws://localhost:{weir.ports['mqtt_ws']}/ws", subprotocols=["mqtt"],
                                         suppress_origin=True, timeout=10)
    socket.send("hello")
    frame = socket.recv_frame()
    assert frame is None or frame.opcode == websocket.ABNF.OPCODE_CLOSE
    socket.close()
