"""The brokers under test as processes of ours: started on loopback in a directory of their own, stopped by pid."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


class BrokerError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def disk_bytes(directory):
    """What the files take on the disk, as du says it."""
    total = 0
    for path in Path(directory).rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


def end_process(process, seconds):
    """SIGTERM, then SIGKILL; the process is one that we started."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Broker:
    name = ""
    start_seconds_max = 60
    stop_seconds_max = 30

    def __init__(self, directory):
        self.directory = Path(directory)
        self.port = 0
        self.process = None
        self.start_seconds = 0.0

    @property
    def pid(self):
        return self.process.pid

    def start(self, keep=False):
        """`keep`: with the data that it left when it was stopped or killed, instead of none."""
        if not keep:
            self.clear()
        self.directory.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        self._launch()
        while not self._ready():
            if self.process.poll() is not None:
                raise BrokerError(f"{self.name} ended with {self.process.returncode}: see {self.directory}/log.txt")
            if time.monotonic() - begin > self.start_seconds_max:
                raise BrokerError(f"{self.name} was not ready in {self.start_seconds_max} s")
            time.sleep(0.002)
        self.start_seconds = time.monotonic() - begin

    def stop(self):
        if self.process is not None:
            end_process(self.process, self.stop_seconds_max)
            self.process = None

    def kill(self):
        """As a power failure ends it, but that what it wrote stays written."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def clear(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def exit_code(self):
        return self.process.returncode if self.process is not None else None

    def pause(self):
        """Takes no processor time until resume(): another broker has its turn."""
        if self.alive():
            os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def peak_resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))

    def read_bytes(self):
        """From the disk, since it was started."""
        with open(f"/proc/{self.pid}/io", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("read_bytes:"))

    def disk_bytes(self):
        return disk_bytes(self.directory)

    def _spawn(self, command, environment=None):
        with open(self.directory / "log.txt", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)

    def _launch(self):
        raise NotImplementedError

    def _ready(self):
        raise NotImplementedError


class Weir(Broker):
    name = "weir"

    def __init__(self, directory, binary, protocol="amqp"):
        super().__init__(directory)
        self.binary = Path(binary).resolve()
        self.protocol = protocol  # whose port is `port`
        self.settings = []  # "key=value", for the next start

    def _launch(self):
        self._ports_file = self.directory / "ports.json"
        self._ports_file.unlink(missing_ok=True)  # an earlier start's
        listeners = [f"--set=listeners.{name}={'127.0.0.1:0' if name == self.protocol else ''}"
                     for name in ("amqp", "admin", "metrics", "mqtt", "stomp", "kafka", "sqs")]
        self._spawn([str(self.binary), "server", "--data-dir", str(self.directory / "data"), *listeners,
                     *[f"--set={setting}" for setting in self.settings],
                     "--ports-file", str(self._ports_file)])

    def _ready(self):
        try:
            self.ports = json.loads(self._ports_file.read_text())
            self.port = self.ports[self.protocol]
        except (FileNotFoundError, ValueError, KeyError):
            return False
        return accepts(self.port)

    def disk_bytes(self):
        return disk_bytes(self.directory / "data")


class RabbitMq(Broker):
    """A node with Debian's defaults, but for its place: loopback, its own directory, its own epmd."""

    name = "rabbitmq"
    server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    package = "rabbitmq-server"

    def __init__(self, directory, plugin=None):
        """`plugin`: "stomp", whose port is `port` then, instead of AMQP's."""
        super().__init__(directory)
        self.plugin = plugin
        self.epmd = None
        self.beam_pid = 0

    @classmethod
    def installed(cls):
        return os.access(cls.server, os.X_OK)

    @property
    def pid(self):
        return self.beam_pid or self.process.pid

    def _launch(self):
        amqp_port = self.port = free_port()
        epmd_port = free_port()
        config = self.directory / "rabbitmq.conf"
        lines = [f"listeners.tcp.1 = 127.0.0.1:{amqp_port}", "loopback_users.guest = true"]
        if self.plugin:
            self.port = free_port()
            lines.append(f"{self.plugin}.listeners.tcp.1 = 127.0.0.1:{self.port}")
        config.write_text("".join(line + "\n" for line in lines))
        (self.directory / "env.conf").write_text("")
        (self.directory / "plugins").write_text(f"[rabbitmq_{self.plugin}].\n" if self.plugin else "[].\n")
        environment = {
            **os.environ,
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_NODENAME": f"bench{os.getpid()}@localhost",
            "RABBITMQ_NODE_PORT": str(amqp_port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self.epmd = subprocess.Popen(
            ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        # Before the node asks for it: it would start one itself, which would stay behind.
        while not accepts(epmd_port):
            if self.epmd.poll() is not None:
                raise BrokerError("epmd did not start")
            time.sleep(0.01)
        self._spawn([self.server], environment)

    def _ready(self):
        if not accepts(self.port):
            return False
        self.beam_pid = self._find_beam()
        return self.beam_pid != 0

    def _find_beam(self):
        """The script either becomes the virtual machine or has it as its child."""
        pids = [self.process.pid]
        while pids:
            pid = pids.pop()
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    if file.read().startswith("beam"):
                        return pid
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    pids += [int(child) for child in file.read().split()]
            except FileNotFoundError:
                continue
        return 0

    def stop(self):
        if self.alive() and self.beam_pid:
            os.kill(self.beam_pid, signal.SIGCONT)
            os.kill(self.beam_pid, signal.SIGTERM)
            try:
                self.process.wait(self.stop_seconds_max)
            except subprocess.TimeoutExpired:
                os.kill(self.beam_pid, signal.SIGKILL)
        super().stop()
        self._end_epmd()

    def kill(self):
        super().kill()
        self._end_epmd()

    def _end_epmd(self):
        self.beam_pid = 0
        if self.epmd is not None:
            end_process(self.epmd, 5)
            self.epmd = None

    def disk_bytes(self):
        return disk_bytes(self.directory / "data")


class ActiveMq(Broker):
    """ActiveMQ Classic with the configuration of Debian's package (KahaDB, which syncs what is persistent; no JMX) and its
    512 MiB of heap, but for its place and its one connector."""

    name = "activemq"
    server = "/usr/share/activemq/bin/activemq.jar"
    package = "activemq"

    @classmethod
    def installed(cls):
        return os.access(cls.server, os.R_OK) and shutil.which("java") is not None

    def _launch(self):
        self.port = free_port()
        config = self.directory / "activemq.xml"
        config.write_text(f"""<beans xmlns="http://www.springframework.org/schema/beans"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
    http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="bench" useShutdownHook="true"
      dataDirectory="{self.directory}/data">
    <persistenceAdapter><kahaDB directory="{self.directory}/data/kahadb"/></persistenceAdapter>
    <transportConnectors>
      <transportConnector name="stomp" uri="stomp://127.0.0.1:{self.port}"/>
    </transportConnectors>
  </broker>
</beans>
""")
        self._spawn(["java", "-Xms512M", "-Xmx512M", "-Dorg.apache.activemq.UseDedicatedTaskRunner=true",
                     "-Dactivemq.home=/usr/share/activemq", f"-Dactivemq.base={self.directory}",
                     f"-Dactivemq.conf={self.directory}", f"-Dactivemq.data={self.directory}/data",
                     "-jar", self.server, "start", f"xbean:file:{config}"])

    def _ready(self):
        return accepts(self.port)

    def disk_bytes(self):
        return disk_bytes(self.directory / "data")


class Mosquitto(Broker):
    """Without limits of its own that another broker would not have: no queue is too long, 1,000 messages on their way to
    a client. Sessions are kept in memory and written to disk every half hour and at the end, which is its default: what
    it acknowledges is not on disk."""

    name = "mosquitto"
    server = "/usr/sbin/mosquitto"
    package = "mosquitto"

    @classmethod
    def installed(cls):
        return os.access(cls.server, os.X_OK)

    def _launch(self):
        self.port = free_port()
        config = self.directory / "mosquitto.conf"
        (self.directory / "data").mkdir()
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true",
                 f"persistence_location {self.directory}/data/", "max_inflight_messages 1000",
                 "max_queued_messages 0", "max_queued_bytes 0", "set_tcp_nodelay true", "log_type error"]
        if os.geteuid() == 0:
            lines.append("user root")  # the directory is ours
        config.write_text("".join(line + "\n" for line in lines))
        self._spawn([self.server, "-c", str(config)])

    def _ready(self):
        return accepts(self.port)

    def disk_bytes(self):
        return disk_bytes(self.directory / "data")
