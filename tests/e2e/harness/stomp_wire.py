"""What it is: a STOMP client on a bare socket, for what a well-behaved library does not do or does not show."""

import socket
import time


class Frame:
    def __init__(self, command, headers, body):
        self.command, self.headers, self.body = command, headers, body

    def __repr__(self):
        return f"{self.command} {self.headers} {self.body!r}"


class StompWire:
    def __init__(self, address, timeout=10):
        self.socket = socket.create_connection((address.host, address.port), timeout=timeout)
        self.buffer = b""
        self.beats = 0

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, command, headers=(), body=b""):
        pairs = headers.items() if isinstance(headers, dict) else headers
        lines = "".join(f"{name}:{value}\n" for name, value in pairs)
        self.send_bytes(f"{command}\n{lines}\n".encode() + body + b"\0")

    def connect(self, version="1.2", **headers):
        defaults = {"accept-version": version, "host": "/", "login": "guest", "passcode": "guest"}
        self.send("CONNECT", {**defaults, **{name.replace("_", "-"): value for name, value in headers.items()}})
        frame = self.receive()
        assert frame.command == "CONNECTED", frame
        return frame

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the connection has ended")
        self.buffer += data

    def receive(self):
        while True:
            while self.buffer[:1] == b"\n":
                self.buffer = self.buffer[1:]
                self.beats += 1
            head, found, rest = self.buffer.partition(b"\n\n")
            if not found:
                self._more()
                continue
            command, *lines = head.decode().split("\n")
            headers = {}
            for line in lines:
                name, _, value = line.partition(":")
                headers.setdefault(name, value)
            if "content-length" in headers:
                length = int(headers["content-length"])
            else:
                length = rest.find(b"\0")
            if length < 0 or len(rest) < length + 1:
                self._more()
                continue
            assert rest[length:length + 1] == b"\0"
            self.buffer = rest[length + 1:]
            return Frame(command, headers, rest[:length])

    def receive_until_end(self):
        """Everything that still comes; the server ends the connection."""
        frames = []
        try:
            while True:
                frames.append(self.receive())
        except (EOFError, ConnectionError):
            return frames

    def quiet_for(self, seconds):
        """Nothing comes but beats."""
        end = time.monotonic() + seconds
        self.socket.settimeout(0.05)
        try:
            while time.monotonic() < end:
                try:
                    self._more()
                except TimeoutError:
                    pass
                assert not self.buffer.strip(b"\n"), self.buffer
        finally:
            self.socket.settimeout(10)

    def close(self):
        self.socket.close()
