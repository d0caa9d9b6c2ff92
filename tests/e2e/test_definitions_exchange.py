"""Definitions that come from RabbitMQ, and that go to it."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pika
import pytest

from harness.server import binary
from harness.waiting import wait_until

# Made by `rabbitmqctl export_definitions` of RabbitMQ 3.10.8. The users' passwords are "u" and "pw512".
EXPORTED = Path(__file__).parent / "data" / "rabbitmq-3.10-definitions.json"
RABBITMQ_START_SECONDS_MAX = 60
RABBITMQ_COMMAND_SECONDS_MAX = 60


def connect(address):
    return pika.BlockingConnection(pika.ConnectionParameters(
        address.host, address.port, address.vhost, pika.PlainCredentials(address.user, address.password)))


def export(server):
    """Of a server that has ended."""
    done = subprocess.run([str(binary()), "definitions", "export", "--data-dir", str(server.data_dir)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def entries(definitions, section, *keys):
    return sorted(tuple(str(entry.get(key)) for key in keys) for entry in definitions[section])


def test_what_rabbitmq_exported_is_there_and_its_users_log_in_with_their_passwords(start_weir):
    server = start_weir(f"load_definitions={EXPORTED}")
    with connect(server.address.but(user="u", password="u")) as connection:
        channel = connection.channel()
        channel.queue_declare("qq", durable=True, arguments={"x-queue-type": "quorum", "x-max-length": 5})
        with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match="user connection limit"):
            connect(server.address.but(user="u", password="u"))
    connect(server.address.but(user="u512", password="pw512", vhost="lv")).close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(server.address.but(user="u512", password="wrong", vhost="lv"))


def test_what_is_exported_is_what_was_imported(start_weir):
    server = start_weir(f"load_definitions={EXPORTED}", "default_user=")
    server.stop()
    theirs, ours = json.loads(EXPORTED.read_text()), export(server)
    for section, keys in {
            "users": ("name", "password_hash", "hashing_algorithm", "tags"),
            "permissions": ("user", "vhost", "configure", "write", "read"),
            "topic_permissions": ("user", "vhost", "exchange", "write", "read"),
            "policies": ("vhost", "name", "pattern", "apply-to", "priority", "definition"),
            "global_parameters": ("name", "value"),
            "parameters": ("component", "vhost", "name")}.items():
        assert entries(ours, section, *keys) == entries(theirs, section, *keys), section
    assert entries(ours, "queues", "vhost", "name") == [("/", "qq")]  # the others are transient


def test_an_export_brings_users_of_our_own_with_their_passwords(start_weir, tmp_path):
    first = tmp_path / "first.json"
    first.write_text(json.dumps({
        "vhosts": [{"name": "/"}], "users": [{"name": "anna", "password": "secret", "tags": "administrator"}],
        "permissions": [{"user": "anna", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}))
    server = start_weir(f"load_definitions={first}", "default_user=")
    server.stop()
    second = tmp_path / "second.json"
    second.write_text(json.dumps(export(server)))
    other = start_weir(f"load_definitions={second}", "default_user=")
    connect(other.address.but(user="anna", password="secret")).close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(other.address.but(user="anna", password="other"))


def test_an_export_says_what_is_wrong_with_a_directory(tmp_path):
    done = subprocess.run([str(binary()), "definitions", "export", "--data-dir", str(tmp_path / "none")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode != 0
    assert "is no data directory" in done.stderr.decode()
    assert not (tmp_path / "none").exists()


class RabbitMq:
    """A node of RabbitMQ in a directory of its own."""

    def __init__(self, directory):
        scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
        self.scripts = scripts[-1]
        self.directory = directory
        with socket.socket() as taken, socket.socket() as also_taken:
            taken.bind(("127.0.0.1", 0))
            also_taken.bind(("127.0.0.1", 0))
            self.port, self.distribution_port = taken.getsockname()[1], also_taken.getsockname()[1]
        (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (directory / "enabled_plugins").write_text("[].\n")
        self.environment = {
            **os.environ, "HOME": str(directory), "RABBITMQ_NODENAME": f"weir{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"), "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"), "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.process = None

    def start(self):
        with open(self.directory / "output", "wb") as output:
            self.process = subprocess.Popen([str(self.scripts / "rabbitmq-server")], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)

        def ready():
            assert self.process.poll() is None, (self.directory / "output").read_text(errors="replace")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(ready, "RabbitMQ to listen", RABBITMQ_START_SECONDS_MAX)
        self.control("await_startup")

    def control(self, *arguments):
        done = subprocess.run([str(self.scripts / "rabbitmqctl"), "-q", *map(str, arguments)], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=RABBITMQ_COMMAND_SECONDS_MAX, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")
        return done.stdout.decode()

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.control("stop")
            self.process.wait(RABBITMQ_COMMAND_SECONDS_MAX)
        finally:
            if self.process.poll() is None:
                self.process.kill()


@pytest.fixture
def rabbitmq(tmp_path):
    if not shutil.which("rabbitmqctl") or not list(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin")):
        pytest.skip("RabbitMQ is not installed")
    directory = tmp_path / "rabbitmq"
    directory.mkdir()
    node = RabbitMq(directory)
    try:
        node.start()
        yield node
    finally:
        node.end()


OURS = {
    "vhosts": [{"name": "/"}, {"name": "shop", "description": "d", "tags": ["t"]}],
    "users": [{"name": "anna", "password": "secret", "tags": "administrator", "limits": {"max-channels": 5}},
              {"name": "moved", "password_hash": "/VG7C7bM3vvz1MbmGMP+zoMB/PNIeZpfdk8BrEQ1SILFZmGr", "tags": []}],
    "permissions": [{"user": "moved", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"}],
    "topic_permissions": [{"user": "moved", "vhost": "shop", "exchange": "sales", "write": "^w", "read": "^r"}],
    "parameters": [{"component": "vhost-limits", "name": "limits", "vhost": "shop", "value": {"max-queues": 10}},
                   {"component": "operator_policy", "name": "op", "vhost": "shop",
                    "value": {"apply-to": "queues", "definition": {"max-length": 5}, "pattern": "^q", "priority": 3}}],
    "global_parameters": [{"name": "colour", "value": {"is": "blue"}}],
    "weir_limits": [{"vhost": "shop", "limits": {"max-bytes": 700}}],
    "policies": [{"vhost": "shop", "name": "p", "pattern": "^q", "apply-to": "queues", "priority": 1,
                  "definition": {"message-ttl": 50000}}],
    "exchanges": [{"name": "sales", "vhost": "shop", "type": "topic", "durable": True}],
    "queues": [{"name": "q", "vhost": "shop", "durable": True, "arguments": {"x-max-length": 7}}],
    "bindings": [{"source": "sales", "vhost": "shop", "destination": "q", "destination_type": "queue",
                  "routing_key": "sale.#"}],
}


def test_rabbitmq_imports_what_we_export(rabbitmq, start_weir, tmp_path):
    (tmp_path / "ours.json").write_text(json.dumps(OURS))
    server = start_weir(f"load_definitions={tmp_path / 'ours.json'}")
    server.stop()
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps(export(server)))
    rabbitmq.control("import_definitions", exported)

    def imported():  # the command does not wait
        theirs = tmp_path / "theirs.json"
        rabbitmq.control("export_definitions", theirs)
        definitions = json.loads(theirs.read_text())
        return definitions if definitions["bindings"] else None

    theirs = wait_until(imported, "RabbitMQ to have it all", RABBITMQ_COMMAND_SECONDS_MAX)
    assert entries(theirs, "users", "name") == [("anna",), ("guest",), ("moved",)]
    assert entries(theirs, "policies", "vhost", "name", "definition") == [("shop", "p", "{'message-ttl': 50000}")]
    assert entries(theirs, "parameters", "vhost", "component", "name") == [
        ("shop", "operator_policy", "op"), ("shop", "vhost-limits", "limits")]
    assert entries(theirs, "topic_permissions", "user", "exchange", "write") == [("moved", "sales", "^w")]
    assert entries(theirs, "queues", "vhost", "name", "arguments") == [("shop", "q", "{'x-max-length': 7}")]
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq.port, "shop",
                                                           pika.PlainCredentials("moved", "u"))) as connection:
        assert connection.channel().queue_declare("q", passive=True).method.message_count == 0


def test_what_rabbitmq_exports_now_comes_in(rabbitmq, start_weir, tmp_path):
    rabbitmq.control("add_user", "fresh", "pass word")
    rabbitmq.control("set_permissions", "fresh", ".*", ".*", ".*")
    rabbitmq.control("set_policy", "p", "^q", '{"max-length": 1, "overflow": "reject-publish"}', "--apply-to", "queues")
    rabbitmq.control("export_definitions", tmp_path / "theirs.json")
    server = start_weir(f"load_definitions={tmp_path / 'theirs.json'}")
    channel = connect(server.address.but(user="fresh", password="pass word")).channel()
    channel.queue_declare("q")
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"1")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish("", "q", b"2")
