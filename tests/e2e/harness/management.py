"""What it is: a client of the management API, on Python's own HTTP: it sends what it is told and shows all of the answer."""

import base64
import http.client
import json
import socket
from dataclasses import dataclass
from urllib.parse import quote

SECONDS_MAX = 20


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def segment(name):
    """A name as one segment of a path."""
    return quote(name, safe="")


class Management:
    def __init__(self, port, user="guest", password="guest", host="127.0.0.1", context=None, token=None):
        self.port, self.host, self.context, self.token = port, host, context, token
        self.user, self.password = user, password

    def as_user(self, user, password):
        return Management(self.port, user, password, self.host, self.context)

    def request(self, method, path, body=None, headers=None):
        """`path` is below /api; a body that is no bytes is sent as JSON."""
        if self.context:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=SECONDS_MAX, context=self.context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS_MAX)
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", "Bearer " + self.token)
        elif self.user is not None:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            sent.setdefault("Authorization", "Basic " + token)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, "/api" + path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path, status=200):
        answer = self.request("GET", path)
        assert answer.status == status, (path, answer)
        return answer.json

    def done(self, method, path, body=None, status=(200, 201, 204)):
        """The answer of a call that must succeed."""
        answer = self.request(method, path, body)
        assert answer.status in status, (method, path, answer)
        return answer

    def refused(self, method, path, body=None, status=400):
        answer = self.request(method, path, body)
        assert answer.status == status, (method, path, answer)
        return (answer.json["error"], answer.json["reason"])

    def raw(self, *pieces):
        """Sends bytes as they are and returns all that comes until the server closes."""
        with socket.create_connection((self.host, self.port), timeout=SECONDS_MAX) as connection:
            for piece in pieces:
                connection.sendall(piece)
            received = b""
            while data := connection.recv(65536):
                received += data
            return received
