"""What it is: a connection of paho-mqtt, in 3.1.1 or 5.0, with what has come to it; each call waits for its answer."""

import socket

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from harness.waiting import wait_until

PROTOCOLS = {3: paho.MQTTv31, 4: paho.MQTTv311, 5: paho.MQTTv5}


def properties(kind, **values):
    """properties("PUBLISH", ContentType="x"): by paho's names."""
    made = Properties(getattr(PacketTypes, kind))
    for key, value in values.items():
        setattr(made, key, value)
    return made


class MqttClient:
    """`expiry`: of the session, in seconds: it lasts. `will`: dict(topic=, payload=, qos=, retain=, properties=)."""

    def __init__(self, address, version=5, client_id="", clean=True, expiry=None, will=None, keep_alive=60, tls=None,
                 user="guest", password="guest", transport="tcp", connect_properties=None, subscriptions=()):
        self.version = version
        self.messages, self.connacks, self.ends = [], [], []
        self.answers = {}
        options = {} if version == 5 else {"clean_session": clean}
        self.paho = paho.Client(client_id, protocol=PROTOCOLS[version], transport=transport, reconnect_on_failure=False,
                                **options)
        self.paho.max_inflight_messages_set(1000)
        if user is not None:
            self.paho.username_pw_set(user, password)
        if tls:
            self.paho.tls_set_context(tls)
        if transport == "websockets":
            self.paho.ws_set_options(path="/ws")
        if will:
            self.paho.will_set(**will)
        self.paho.on_message = lambda _c, _u, message: self.messages.append(message)
        self.paho.on_connect = lambda _c, _u, flags, code, *_: self.connacks.append((flags, code))
        self.paho.on_disconnect = lambda _c, _u, code, *_: self.ends.append(code)
        self.paho.on_subscribe = lambda _c, _u, number, codes, *_: self.answers.update({number: codes})
        self.paho.on_unsubscribe = lambda _c, _u, number, *_: self.answers.update({number: True})
        self.paho.on_publish = lambda _c, _u, number: self.answers.update({number: True})
        more = {}
        if version == 5:
            values = dict(connect_properties or {})
            if expiry is not None:
                values["SessionExpiryInterval"] = expiry
            more = {"clean_start": clean, "properties": properties("CONNECT", **values) if values else None}
        self.paho.connect(address.host, address.port, keep_alive, **more)
        self.paho.loop_start()
        wait_until(lambda: self.connacks or self.ends, "CONNACK")
        for one in subscriptions:
            self.subscribe(*one)

    @property
    def code(self):
        """Of CONNACK, as a number."""
        code = self.connacks[0][1]
        return getattr(code, "value", code)

    @property
    def session_present(self):
        return bool(self.connacks[0][0]["session present"])

    def subscribe(self, topic, qos=0, options=None, **values):
        """The code of the SUBACK, as a number. `values`: properties."""
        more = {"properties": properties("SUBSCRIBE", **values)} if values else {}
        if options is not None:
            number = self.paho.subscribe(topic, options=SubscribeOptions(qos=qos, **options), **more)[1]
        elif self.version == 5:
            number = self.paho.subscribe(topic, options=SubscribeOptions(qos=qos), **more)[1]
        else:
            number = self.paho.subscribe(topic, qos)[1]
        code = wait_until(lambda: self.answers.pop(number, None), f"SUBACK {number}")[0]
        return getattr(code, "value", code)

    def unsubscribe(self, topic):
        number = self.paho.unsubscribe(topic)[1]
        wait_until(lambda: self.answers.pop(number, None), f"UNSUBACK {number}")

    def publish(self, topic, payload=b"", qos=1, retain=False, safe=True, **values):
        """`safe`: waits until it is acknowledged, or with QoS 0 has left."""
        more = {"properties": properties("PUBLISH", **values)} if values else {}
        info = self.paho.publish(topic, payload, qos, retain, **more)
        if safe:
            self.done([info])
        return info

    def done(self, infos):
        wait_until(lambda: all(info.is_published() for info in infos) or self.ends, "publishes are acknowledged", 30)
        assert not self.ends, self.ends

    def got(self, count, seconds=10):
        """The payloads, when there are so many."""
        wait_until(lambda: len(self.messages) >= count, f"{count} messages, there are {len(self.messages)}", seconds)
        assert len(self.messages) == count, [message.payload[:50] for message in self.messages]
        return [message.payload for message in self.messages]

    def answered(self):
        """What was sent to this client before has come: a message of its own comes behind it."""
        topic = f"answered/{id(self)}/{len(self.answers)}-{len(self.messages)}"
        self.subscribe(topic, 0)
        self.publish(topic, b"answered", 0)
        wait_until(lambda: any(one.topic == topic for one in self.messages), "its own message")
        self.messages = [one for one in self.messages if not one.topic.startswith("answered/")]
        self.unsubscribe(topic)

    def ended(self):
        wait_until(lambda: self.ends, "the end of the connection")
        return getattr(self.ends[0], "value", self.ends[0])

    def drop(self):
        """Without DISCONNECT."""
        if self.paho.socket():
            self.paho.socket().shutdown(socket.SHUT_RDWR)
        wait_until(lambda: self.ends, "the end of the connection")
        self.paho.loop_stop()

    def close(self, code=None, **values):
        if self.ends:
            return
        if code is not None or values:
            from paho.mqtt.reasoncodes import ReasonCodes  # pylint: disable=import-outside-toplevel
            self.paho.disconnect(ReasonCodes(PacketTypes.DISCONNECT, identifier=code or 0),
                                 properties("DISCONNECT", **values) if values else None)
        else:
            self.paho.disconnect()
        wait_until(lambda: self.ends or not self.paho.is_connected(), "the end of the connection")
        self.paho.loop_stop()
