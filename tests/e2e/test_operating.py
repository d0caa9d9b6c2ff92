"""What an operator does with a server: settings, definitions, signals, logs, certificates, limits."""

import json
import os
import signal
import socket
import ssl
import subprocess

import pika
import pytest

from harness.server import run_server_to_its_end
from harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("weir_alone")


def connect(server, port=None, user="guest", password="guest", vhost="/", tls=None):
    return pika.BlockingConnection(pika.ConnectionParameters(
        "127.0.0.1", port or server.ports["amqp"], vhost, pika.PlainCredentials(user, password), ssl_options=tls,
        blocked_connection_timeout=30))


def definitions_file(tmp_path, **sections):
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(sections))
    return path


# --- the command line ---


@pytest.mark.parametrize("arguments, code, words", [
    (["--version"], 0, "weir 0."),
    (["version"], 0, "weir 0."),
    (["--help"], 0, "server"),
    (["server", "--help"], 0, "--ports-file"),
    ([], 64, "Subcommands:"),
    (["sevrer"], 64, "did you mean `weir server`?"),
    (["server", "--wibble"], 64, "--wibble"),
    (["server", "--set", "listeners.ampq=:0"], 78, 'did you mean "listeners.amqp"?'),
    (["server", "--set", "shards=many"], 78, "integer, 0 to 64"),
    (["server", "--set", "listeners.kafka=:9092"], 78, "listeners.kafka: this build doesn't serve kafka yet"),
    (["server", "--config", "nowhere.toml"], 78, "nowhere.toml: can't read the file"),
    (["server", "--set", "load_definitions=nowhere.json"], 78, "nowhere.json: can't read the file"),
    (["server", "--definitions", "nowhere.json"], 78, "nowhere.json: can't read the file"),
    (["server", "--set", "listeners.amqps=:0"], 78, "needs tls.certificate_file"),
    (["server", "--set", "tls.certificate_file=c.pem", "--set", "tls.key_file=k.pem"], 78, "c.pem"),
    (["server", "--set", "log.file=/proc/weir.log"], 73, "/proc/weir.log"),
    (["server", "--data-dir", "/proc/weir"], 73, "can't make the data directory /proc/weir"),
    (["server", "--data-dir", "d", "--ports-file", "no/such/folder/p", "--set", "listeners.amqp=127.0.0.1:0"], 73,
     "no/such/folder/p"),
    (["server", "--data-dir", "d", "--set", "listeners.amqp=192.0.2.1:0"], 76, "listeners.amqp"),
])
def test_a_command_line_is_understood_or_refused_with_words(tmp_path, arguments, code, words):
    found, output = run_server_to_its_end(arguments, tmp_path)
    assert (found, words in output) == (code, True), f"{found}: {output}"


def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path):
    (tmp_path / "weir.toml").write_text("shards = 1\n[listeners]\namqpp = \":0\"\n")
    code, output = run_server_to_its_end(["server", "--config", "weir.toml"], tmp_path)
    assert code == 78
    assert output == 'weir: weir.toml:3: unknown setting "listeners.amqpp": did you mean "listeners.amqp"?\n'


def test_the_printed_settings_are_a_file_that_is_accepted(tmp_path):
    code, output = run_server_to_its_end(["settings"], tmp_path)
    assert code == 0
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in output.splitlines()]
    (tmp_path / "weir.toml").write_text("\n".join(lines) + "\n")
    code, output = run_server_to_its_end(
        ["server", "--config", "weir.toml", "--data-dir", "/proc/weir"], tmp_path)
    assert code == 73, output  # the settings are good, the directory is not


# --- start and stop ---


def test_a_second_server_on_the_same_data_is_refused_and_the_first_goes_on(start_weir, tmp_path):
    first = start_weir()
    code, output = run_server_to_its_end(
        ["server", "--data-dir", first.data_dir, "--set", "listeners.amqp=127.0.0.1:0"], tmp_path)
    assert code == 75
    assert str(first.data_dir) in output and str(first.pid) in output
    connect(first).close()


def test_a_port_in_use_is_told_and_the_data_directory_is_closed_in_order(start_weir, tmp_path):
    first = start_weir()
    arguments = ["server", "--data-dir", tmp_path / "other", "--set", f"listeners.amqp=127.0.0.1:{first.ports['amqp']}"]
    for _ in range(2):
        code, output = run_server_to_its_end(arguments, tmp_path)
        assert code == 76 and "Address already in use" in output


def test_the_service_manager_hears_when_it_is_ready_and_when_it_stops(start_weir, tmp_path):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(10)
    manager.bind(str(tmp_path / "notify"))
    server = start_weir(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert manager.recv(100) == b"READY=1"
    assert server.stop() == 0
    assert manager.recv(100) == b"STOPPING=1"
    manager.close()


def test_stopping_says_goodbye_to_clients(start_weir):
    server = start_weir()
    connection = connect(server)
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
        while True:
            connection.process_data_events(1)
    assert closed.value.reply_code == 320
    assert server.process.wait(5) == 0


def test_clients_that_do_not_listen_do_not_keep_it_from_stopping(start_weir):
    server = start_weir()
    connections = [connect(server) for _ in range(3)]
    silent = socket.create_connection(("127.0.0.1", server.ports["amqp"]))
    assert server.stop() == 0
    silent.close()
    for connection in connections:
        with pytest.raises(pika.exceptions.AMQPError):
            connection.process_data_events(1)


def test_a_server_keeps_to_the_shards_that_its_data_was_made_with(start_weir):
    server = start_weir("shards=3")
    assert server.stop() == 0
    server.settings = ["shards=1"]
    server.start()
    assert "3 shards" in server.log_tail(5)


# --- definitions ---

SHOP = {
    "vhosts": [{"name": "shop"}],
    "users": [{"name": "till", "password": "secret", "tags": ""}],
    "permissions": [{"user": "till", "vhost": "shop", "configure": "", "write": ".*", "read": ".*"}],
    "exchanges": [{"name": "sales", "vhost": "shop", "type": "topic", "durable": True, "auto_delete": False,
                   "internal": False, "arguments": {}}],
    "queues": [{"name": "orders", "vhost": "shop", "durable": True, "auto_delete": False, "arguments": {}}],
    "bindings": [{"source": "sales", "vhost": "shop", "destination": "orders", "destination_type": "queue",
                  "routing_key": "sale.#", "arguments": {}}],
}


def test_definitions_are_there_when_the_listener_opens_and_applying_them_again_is_fine(start_weir, tmp_path):
    server = start_weir(f"load_definitions={definitions_file(tmp_path, **SHOP)}")
    for number in range(2):
        connection = connect(server, user="till", password="secret", vhost="shop")
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("sales", "sale.tea", b"%d" % number, pika.BasicProperties(delivery_mode=2), mandatory=True)
        connection.close()
        assert server.stop() == 0
        server.start()
    assert "6 entries in the definitions file, 0 of them new or changed" in server.log()
    channel = connect(server, user="till", password="secret", vhost="shop").channel()
    assert [channel.basic_get("orders", auto_ack=True)[2] for _ in range(2)] == [b"0", b"1"]


def test_definitions_on_the_command_line_are_there_when_the_listener_opens(start_weir, tmp_path):
    server = start_weir(arguments=["--definitions", str(definitions_file(tmp_path, **SHOP))])
    channel = connect(server, user="till", password="secret", vhost="shop").channel()
    assert channel.queue_declare("orders", passive=True).method.message_count == 0


def test_a_bad_entry_of_the_definitions_ends_the_start_with_its_line(tmp_path):
    (tmp_path / "d.json").write_text('{"vhosts": [{"name": "v"}],\n "queues": [\n  {"name": "a", "vhost": "v"},\n'
                                     '  {"name": "b", "vhost": "nowhere"}]}')
    code, output = run_server_to_its_end(
        ["server", "--data-dir", "d", "--definitions", "d.json", "--set", "listeners.amqp=127.0.0.1:0"], tmp_path)
    assert code == 78
    assert "d.json: line 4: queue 'b' in vhost 'nowhere': " in output


def test_definitions_with_one_bad_entry_change_nothing(start_weir, tmp_path):
    server = start_weir()
    connection = connect(server)
    connection.channel().queue_declare("orders", durable=True)
    connection.close()
    assert server.stop() == 0
    path = definitions_file(tmp_path, vhosts=[{"name": "new"}], queues=[{"name": "orders", "vhost": "/", "durable": False}])
    code, output = run_server_to_its_end(
        ["server", "--data-dir", server.data_dir, "--set", f"load_definitions={path}",
         "--set", "listeners.amqp=127.0.0.1:0"], tmp_path)
    assert code == 78
    assert f"{path}: line 1: queue 'orders' in vhost '/': " in output
    server.start()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(server, vhost="new")


def test_a_first_start_makes_the_user_that_is_set(start_weir):
    server = start_weir("default_user=admin", "default_pass=s3cret", "default_vhost=main")
    connect(server, user="admin", password="s3cret", vhost="main").close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(server)


# --- the log ---


def test_the_log_file_is_opened_anew_on_sighup(start_weir, tmp_path):
    log = tmp_path / "log"
    server = start_weir(f"log.file={log}")
    assert "ready after" in log.read_text()
    log.rename(tmp_path / "log.1")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: log.exists() and "SIGHUP" in log.read_text(), "a line in the new log")
    assert server.stop() == 0
    assert "stopped" in log.read_text()
    assert "stopped" not in (tmp_path / "log.1").read_text()


def test_the_log_as_json_is_one_object_a_line(start_weir):
    server = start_weir("log.format=json", "log.level=debug")
    connect(server).close()
    assert server.stop() == 0
    events = [json.loads(line) for line in server.log().splitlines()]
    assert {"time", "level", "component", "message"} == set(events[0])
    assert any(event["message"].startswith("ready after") for event in events)


def test_passwords_are_not_logged(start_weir):
    server = start_weir("log.level=debug", "default_pass=hush-hush")
    connect(server, password="hush-hush").close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(server, password="tell-tale")
    assert server.stop() == 0
    assert "hush-hush" not in server.log() and "tell-tale" not in server.log()


# --- TLS ---


@pytest.fixture
def make_certificate(tmp_path):
    def make(common_name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={common_name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"],
            check=True, capture_output=True)
        return tmp_path / "certificate.pem", tmp_path / "key.pem"

    return make


def test_tls_works_and_sighup_reads_a_renewed_certificate(start_weir, make_certificate):
    certificate, key = make_certificate("first")
    server = start_weir("listeners.amqps=127.0.0.1:0", f"tls.certificate_file={certificate}", f"tls.key_file={key}")

    def presented():
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection(("127.0.0.1", server.ports["amqps"])) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return dict(part[0] for part in secured.getpeercert()["subject"])["commonName"]

    context = ssl.create_default_context(cafile=certificate)
    connection = connect(server, server.ports["amqps"], tls=pika.SSLOptions(context, "localhost"))
    assert presented() == "first"
    make_certificate("second")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "opened anew" in server.log(), "the new certificate")
    assert presented() == "second"
    connection.channel()  # the old connection goes on
    certificate.write_text("not a certificate")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the old certificates stay" in server.log(), "the refusal of what is no certificate")
    connection.channel()
    connection.close()


def test_a_renewed_certificate_is_read_by_itself_and_one_that_expires_is_told(start_weir, make_certificate):
    certificate, key = make_certificate("first")
    server = start_weir("listeners.amqps=127.0.0.1:0", f"tls.certificate_file={certificate}", f"tls.key_file={key}",
                        "reload_interval_ms=50")
    assert "the certificate of the TLS listeners expires in" in server.log()
    make_certificate("second")

    def presented():
        try:
            context = ssl.create_default_context(cafile=certificate)
            with socket.create_connection(("127.0.0.1", server.ports["amqps"])) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as secured:
                    return dict(part[0] for part in secured.getpeercert()["subject"])["commonName"]
        except ssl.SSLError:
            return None  # the old one, by the new authority

    wait_until(lambda: presented() == "second", "the new certificate")


# --- limits ---


def test_connections_above_the_limit_are_refused_until_one_goes(start_weir):
    server = start_weir("limits.connections_max=3")
    connections = [connect(server) for _ in range(3)]
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(server)
    assert "limits.connections_max (3) is reached" in server.log()
    connections[0].close()
    wait_until(lambda: connect_if_let(server), "room for one more")
    for connection in connections[1:]:
        connection.close()


def connect_if_let(server):
    try:
        connect(server).close()
        return True
    except pika.exceptions.AMQPConnectionError:
        return False


def test_publishers_wait_while_the_disk_is_short_and_consumers_do_not(start_weir):
    server = start_weir("disk.free_min=0.999999")
    connection = connect(server)
    channel = connection.channel()
    channel.queue_declare("q", durable=True)
    told = []
    connection.add_on_connection_blocked_callback(lambda _connection, method: told.append(method.method.reason))
    channel.basic_publish("", "q", b"x", pika.BasicProperties(delivery_mode=2))
    wait_until(lambda: connection.process_data_events(0.05) or told, "connection.blocked")
    assert "disk" in told[0]
    assert "disk.free_min" in server.log()
    reader = connect(server)
    assert reader.channel().queue_declare("q", passive=True).method.queue == "q"
    reader.close()
    assert server.stop() == 0


def test_the_data_directory_is_for_its_owner_alone(start_weir):
    server = start_weir()
    assert os.stat(server.data_dir).st_mode & 0o077 == 0
