#!/usr/bin/env python3
"""Runs `weir bench amqp` against Weir and RabbitMQ in turn. Called by scripts/bench, which prepares both."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import brokers
import checks
import harness
import report
import rows
from generator import GeneratorRun, figures


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench amqp", description=__doc__)
    harness.add_arguments(parser, rows.ROWS, "1 round of 2 s")
    parser.add_argument("--rounds", type=int, help="times that each row is measured (3)")
    parser.add_argument("--seconds", type=float, help="measured time of each run (5)")
    parser.add_argument("--raw-sync", help="the raw_sync program (beside the binary)")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    arguments.seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.raw_sync = Path(arguments.raw_sync or arguments.weir.parent / "raw_sync")
    return arguments


class Bench:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.warmup = 0.5 if arguments.quick else 1
        self.brokers = {}
        if arguments.only != "rabbitmq":
            self.brokers["weir"] = brokers.Weir(self.directory / "weir", arguments.weir)
        if arguments.only != "weir":
            self.brokers["rabbitmq"] = brokers.RabbitMq(self.directory / "rabbitmq")
        self.facts = {}
        self.failures = []

    def start_brokers(self):
        for name, broker in self.brokers.items():
            broker.start()
            self.facts[name] = {"start_s": broker.start_seconds, "empty_rss_mib": broker.resident_bytes() / 2**20,
                                "empty_disk_mib": broker.disk_bytes() / 2**20}
            broker.pause()

    def stop_brokers(self):
        for name, broker in self.brokers.items():
            try:
                if broker.alive():
                    self.facts[name]["end_rss_mib"] = broker.resident_bytes() / 2**20
            except (OSError, KeyError):
                pass
            broker.stop()

    def raw(self):
        os.sync()
        done = subprocess.run([str(self.arguments.raw_sync), str(self.directory), "1"], check=True,
                              capture_output=True, text=True, timeout=120)
        return json.loads(done.stdout)

    def generate(self, broker, load, options, seconds):
        """One run of the generator while its broker alone is awake."""
        os.sync()  # what the broker before left to be written is not this one's burden
        if not broker.alive():  # it ended in an earlier run, which has been told
            broker.stop()
            broker.start()
        broker.resume()
        run = GeneratorRun(self.arguments.weir, self.directory, broker,
                           ["--seconds", str(seconds), *(["--warmup", str(self.warmup)] if load == "amqp" else []),
                            *options], load)
        try:
            return run.finish(seconds)
        finally:
            run.end()
            broker.pause()

    def sample(self, row, variant, options):
        broker_name, extra = rows.VARIANTS[variant]
        broker = self.brokers[broker_name]
        seconds = min(self.arguments.seconds, row.seconds_max)
        if row.load != "amqp":
            extra = []
        result, failure = self.generate(broker, row.load, [*options, *extra], seconds)
        if failure:
            self.failures.append(f"{row.name}, {variant}: {failure}")
            print(f"  {variant:10} FAILED: {failure}", flush=True)
        if result is None:
            return None
        values = figures(result)
        values["rss_mib"] = broker.resident_bytes() / 2**20
        print(f"  {variant:10} {values['throughput_per_s']:>12,.0f} {row.counts}/s", flush=True)
        return values

    def measure_row(self, row, round_number, samples):
        print(f"{row.name}, round {round_number + 1}", flush=True)
        mine = samples.setdefault(row.name, {})
        mine.setdefault("raw", []).append(self.raw())
        variants = [v for v in row.variants if rows.VARIANTS[v][0] in self.brokers]
        turn = round_number % len(variants)
        for variant in variants[turn:] + variants[:turn]:
            values = self.sample(row, variant, row.options)
            for name, options in row.beside.items():
                other = self.sample(row, variant, options)
                if values and other and other["throughput_per_s"]:
                    values[f"share_of_{name}"] = values["throughput_per_s"] / other["throughput_per_s"]
                if other:
                    mine.setdefault(f"{variant} ({name})", []).append(other)
            if values:
                mine.setdefault(variant, []).append(values)

    def run(self, chosen):
        samples = {}
        for round_number in range(self.arguments.rounds):
            try:
                self.start_brokers()
                for row in chosen:
                    self.measure_row(row, round_number, samples)
            finally:
                self.stop_brokers()
        return samples


def conclude(arguments, chosen, samples, bench):
    result = {"machine": report.machine(), "rounds": arguments.rounds, "seconds": arguments.seconds,
              "brokers": bench.facts, "failures": bench.failures, "rows": {}}
    stamp = report.stamp()
    where = result["machine"]
    lines = [f"# AMQP 0-9-1 benchmark, {stamp}", "",
             f"{where['cores']} cores of {where['cpu']}, Linux {where['kernel']}; medians of {arguments.rounds} rounds "
             f"of {arguments.seconds:g} s. The generator shares the cores with the broker. Both brokers are up; the "
             "one whose turn it is not is stopped (SIGSTOP). Their data lie on the same file system.", ""]
    missed = 0
    for row in chosen:
        medians = {variant: report.medians_of(values) for variant, values in samples.get(row.name, {}).items()}
        verdicts = [check.verdict(medians) for check in row.checks]
        missed += sum(1 for verdict in verdicts if verdict["ok"] is False)
        result["rows"][row.name] = {"title": row.title, "options": row.options, "medians": medians,
                                    "samples": samples.get(row.name, {}), "verdicts": verdicts}
        lines += report.row_lines(row, medians, samples.get(row.name, {}), verdicts)
    lines += report.broker_lines(bench.facts)
    lines += report.failure_lines(bench.failures)
    text = "\n".join(lines)
    print("\n" + text)
    if not arguments.quick:
        print(f"written: {report.write_results(arguments.results, f'amqp-{stamp}', result, text)}")
    return missed


def main():
    arguments = parse_arguments()
    chosen = checks.find_rows(arguments.rows, rows.ROWS)
    harness.check_programs([arguments.weir, arguments.raw_sync], arguments.only)
    with harness.work_directory(arguments.work_dir) as directory:
        bench = Bench(arguments, directory)
        samples = bench.run(chosen)
        missed = conclude(arguments, chosen, samples, bench)
    # A missed target is a finding; a lost message or a run that failed is an error.
    if missed:
        print(f"{missed} targets missed")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
