#!/usr/bin/env python3
"""What a message costs Weir: allocations, system calls and wake-ups, by load. Called by scripts/bench cost."""

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import brokers

ROOT = Path(__file__).resolve().parent.parent

# name, options of the load generator
LOADS = [
    ("as fast as it goes, 1 KiB, durable, confirms, acks", []),
    ("5,000/s, 1 KiB, durable, confirms, acks", ["--rate", "5000"]),
    ("each waits for its confirm, 1 KiB, durable", ["--window", "1"]),
    ("as fast as it goes, 1 KiB, transient", ["--transient", "--no-confirm", "--transient-queue", "--backlog", "20000"]),
    ("as fast as it goes, 64 KiB, durable, confirms, acks", ["--size", "65536", "--window", "100"]),
    ("fan-out to 10 queues, 1 KiB, durable, confirms", ["--fanout", "10"]),
]


class CountedWeir(brokers.Weir):
    """Weir with a count of its allocations."""

    def __init__(self, directory, binary, library):
        super().__init__(directory, binary)
        self.library = Path(library).resolve()

    def _spawn(self, command, environment=None):
        self.count_file = self.directory / "allocations"
        environment = dict(os.environ, LD_PRELOAD=str(self.library), WEIR_ALLOCATION_COUNT=str(self.count_file))
        super()._spawn(command, environment)

    def allocations(self):
        return struct.unpack("<Q", self.count_file.read_bytes())[0]

    def wake_ups(self):
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            match = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.MULTILINE)
            total += int(match.group(1))
        return total


def system_calls(pid, run):
    """Runs `run` and counts the process's system calls meanwhile; None where perf can't."""
    perf = subprocess.Popen(["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", str(pid)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        result = run()
    finally:
        perf.send_signal(2)
        _, text = perf.communicate()
    match = re.search(r"^(\d+),", text, re.MULTILINE)
    return result, int(match.group(1)) if match else None


def measure(weir, options, seconds, json_file):
    def generate():
        subprocess.run([str(weir.binary), "bench", "amqp", "--port", str(weir.port), "--seconds", str(seconds),
                        "--warmup", "0", "--json", str(json_file), *options],
                       check=True, stdout=subprocess.DEVNULL)

    allocations, wake_ups = weir.allocations(), weir.wake_ups()
    _, calls = system_calls(weir.pid, generate)
    consumed = json.loads(json_file.read_text())["total"]["consumed"]
    return {"messages": consumed,
            "allocations": (weir.allocations() - allocations) / consumed,
            "system calls": None if calls is None else calls / consumed,
            "wake-ups": (weir.wake_ups() - wake_ups) / consumed}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench cost", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--weir", default=ROOT / "build/weir")
    parser.add_argument("--library", default=ROOT / "build/release/liballocation_count.so")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-") as directory:
        weir = CountedWeir(Path(directory) / "weir", arguments.weir, arguments.library)
        weir.start()
        try:
            print("| per message delivered | messages | allocations | system calls | wake-ups |")
            print("| --- | --- | --- | --- | --- |")
            for name, options in LOADS:
                cost = measure(weir, options, arguments.seconds, Path(directory) / "result.json")
                calls = "?" if cost["system calls"] is None else f"{cost['system calls']:.4f}"
                print(f"| {name} | {cost['messages']:,} | {cost['allocations']:.4f} | {calls} "
                      f"| {cost['wake-ups']:.4f} |", flush=True)
        finally:
            weir.stop()


if __name__ == "__main__":
    sys.exit(main())
