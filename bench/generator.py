"""Runs of `weir bench …`, the load generators, and their results as flat numbers."""

import json
import subprocess
from pathlib import Path

LOADS = ("amqp", "stomp", "mqtt")  # messages, unlike churn
SECONDS_MORE = 180  # than a run should take, until it is given up


class GeneratorRun:
    """One run, while it goes on."""

    def __init__(self, binary, directory, broker, options, load="amqp"):
        self.broker = broker
        self.result_file = Path(directory) / f"result-{id(self)}.json"
        if load in LOADS:
            options = ["--broker-pid", str(broker.pid), *options]
        self.process = subprocess.Popen(
            [str(binary), "bench", load, "--port", str(broker.port), "--json", str(self.result_file), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, seconds):
        """(result, failure): either may be None; a run with a fault has both."""
        try:
            output, errors = self.process.communicate(timeout=seconds + SECONDS_MORE)
        except subprocess.TimeoutExpired:
            self.end()
            return None, "the generator did not end"
        if not self.broker.alive():
            return None, f"the broker ended with {self.broker.exit_code()}"
        if not self.result_file.exists():
            return None, errors.strip() or output.strip() or f"exit code {self.process.returncode}"
        result = json.loads(self.result_file.read_text())
        self.result_file.unlink()
        if "rounds" in result or "connections" in result:  # of churn, or of connections that do nothing
            return result, None if self.process.returncode == 0 else errors.strip()
        faults = ", ".join(f"{count} {kind}" for kind, count in result["faults"].items() if count)
        return result, None if result["ok"] else (result["failure"] or faults)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def figures(result):
    """The generator's result as flat numbers."""
    if "rounds" in result:
        return {"throughput_per_s": result["per_s"]}
    if "connections" in result:
        return {"throughput_per_s": result["per_s"], "opened_s": result["opened_s"],
                "connection_kib": result["bytes_per_connection"] / 1024,
                **{f"{who}_cores": seconds / result["opened_s"] for who, seconds in result["cpu"].items()}}
    messages = max(result["throughput_per_s"] * result["measured_s"], 1)
    values = {
        "throughput_per_s": result["throughput_per_s"],
        "mb_per_s": result["bytes_per_s"] / 1e6,
        "published_per_s": result["published_per_s"],
        "confirmed_per_s": result["confirmed_per_s"],
        "confirmed_mb_per_s": result["confirmed_per_s"] * result["options"]["size"] / 1e6,
        "drain_s": result["drain_s"],
    }
    for kind in ("confirm", "deliver", "lateness"):
        latency = result["latency_us"][kind]
        if latency["count"]:
            values |= {f"{kind}_{p}_us": latency[p] for p in ("p50", "p90", "p99", "p99_9", "max")}
    for who in ("generator", "broker"):
        usage = result["cpu"][who]
        seconds = usage["user_s"] + usage["system_s"]
        values[f"{who}_us_per_message"] = seconds * 1e6 / messages
        values[f"{who}_cores"] = seconds / result["measured_s"] if result["measured_s"] else 0
    return values
