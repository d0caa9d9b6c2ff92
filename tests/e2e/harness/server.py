"""What it is: a broker as a process of ours: started in a directory of its own, on ports that it picks itself."""

import functools
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from harness.waiting import wait_until

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 5
LOG_LINES_SHOWN = 60


@dataclass(frozen=True)
class Address:
    """Where and as whom a client connects."""

    port: int
    host: str = "127.0.0.1"
    user: str = "guest"
    password: str = "guest"
    vhost: str = "/"

    def but(self, **changes):
        return replace(self, **changes)


def binary():
    path = os.environ.get("WEIR_BINARY", "")
    return Path(path) if path else Path(__file__).resolve().parents[3] / "build/weir"


@functools.cache
def memory_counts():
    """False in a build with sanitizers, whose memory says nothing."""
    nm = shutil.which("nm")
    if not nm:
        return True
    symbols = subprocess.run([nm, str(binary())], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return b"__asan_init" not in symbols and b"__tsan_init" not in symbols


class ServerFailed(AssertionError):
    pass


class Server:
    """One data directory and the process that serves it now."""

    def __init__(self, directory, settings=(), arguments=(), environment=None):
        self.directory = Path(directory)
        self.data_dir = self.directory / "data"
        self.log_file = self.directory / "weir.log"
        self.ports_file = self.directory / "ports.json"
        self.settings = list(settings)
        self.arguments = list(arguments)
        self.environment = environment
        self.process = None
        self.ports = {}
        self.ready_after_s = None  # of the last start
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self, extra=()):
        command = [str(binary()), "server", "--data-dir", str(self.data_dir), "--ports-file", str(self.ports_file)]
        for setting in ["listeners.amqp=127.0.0.1:0", "listeners.admin=127.0.0.1:0",
                        "listeners.metrics=127.0.0.1:0", "listeners.stomp=127.0.0.1:0",
                        "listeners.stomp_ws=127.0.0.1:0", "listeners.mqtt=127.0.0.1:0",
                        "listeners.mqtt_ws=127.0.0.1:0", *self.settings, *extra]:
            command += ["--set", setting]
        return command + self.arguments

    def spawn(self, extra=()):
        """Starts the process without waiting for it."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.ports_file.unlink(missing_ok=True)
        self.ports = {}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}
        environment.update(self.environment or {})
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(extra), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                cwd=self.directory)

    def start(self, extra=(), seconds=START_SECONDS_MAX):
        began = time.monotonic()
        self.spawn(extra)
        self.wait_ready(seconds)
        self.ready_after_s = time.monotonic() - began
        return self

    def wait_ready(self, seconds=START_SECONDS_MAX):
        def ready():
            if self.process.poll() is not None:
                raise ServerFailed(f"it ended with {self.process.returncode} instead of starting:\n{self.log_tail()}")
            return self.ports_file.exists()

        wait_until(ready, "the ports file of a ready server", seconds, poll_seconds=0.002)
        self.ports = json.loads(self.ports_file.read_text())

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return Address(self.ports["amqp"])

    @property
    def stomp(self):
        return Address(self.ports["stomp"])

    @property
    def mqtt(self):
        return Address(self.ports["mqtt"])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=STOP_SECONDS_MAX):
        """SIGTERM; returns the exit code."""
        if not self.running():
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"SIGTERM did not end it within {seconds} s:\n{self.log_tail()}") from None

    def kill(self):
        """kill -9"""
        if self.running():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def end(self):
        """For cleaning up: whatever state it is in, it is gone afterwards."""
        if self.running():
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX + 1)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines=LOG_LINES_SHOWN):
        return "\n".join(self.log().splitlines()[-lines:])

    # --- what the kernel says of the process ---

    def status_kib(self, key):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise KeyError(key)

    def rss_mib(self):
        return self.status_kib("VmRSS") / 1024

    def peak_rss_mib(self):
        return self.status_kib("VmHWM") / 1024

    def check_growth(self, before_mib, most_mib):
        """The most memory that it ever had, against what it had before something."""
        grown = self.peak_rss_mib() - before_mib
        assert grown < most_mib or not memory_counts(), f"it grew by {grown:.0f} MiB, more than {most_mib}"

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def disk_mib(self):
        total = 0
        for path in self.data_dir.rglob("*"):
            try:
                total += path.lstat().st_blocks * 512
            except FileNotFoundError:  # between listing and looking
                continue
        return total / 2**20


class ExternalBroker:
    """A broker that runs already, on WEIR_TEST_AMQP_PORT: for finding out what others do."""

    def __init__(self, port):
        self.address = Address(port)

    def running(self):
        return True

    def log_tail(self, lines=0):
        return ""

    def end(self):
        pass


def run_server_to_its_end(arguments, directory, environment=None, seconds=10):
    """For command lines that are refused: (exit code, what it wrote)."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}
    clean["WEIR_LISTENERS_ADMIN"] = "127.0.0.1:0"  # the default port may be another's
    clean.update(environment or {})
    done = subprocess.run([str(binary()), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=directory, env=clean, timeout=seconds, check=False)
    return done.returncode, done.stdout.decode(errors="replace")
