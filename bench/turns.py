"""Measures rows of loads on several brokers in turn, with one generator. The benchmarks of protocols are suites for it."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import checks
import harness
import report
from generator import LOADS, GeneratorRun, figures


@dataclass
class Variant:
    """A column of a table: a broker, and what the generator is told besides the row's options."""
    broker: str
    label: str
    options: list


@dataclass
class Suite:
    name: str  # of `scripts/bench` and of the results
    title: str
    rows: list
    variants: dict  # {name: Variant}
    brokers: dict  # {name: make(directory, arguments)}; "weir" among them
    peers: list  # classes of the other brokers
    notes: str = ""  # for the results: how the peers are set up


def parse_arguments(suite):
    parser = argparse.ArgumentParser(prog=f"scripts/bench {suite.name}", description=suite.title)
    harness.add_arguments(parser, suite.rows, "1 round of 2 s", list(suite.brokers))
    parser.add_argument("--rounds", type=int, help="times that each row is measured (3)")
    parser.add_argument("--seconds", type=float, help="measured time of each run (5)")
    parser.add_argument("--raw-sync", help="the raw_sync program (beside the binary)")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    arguments.seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.raw_sync = Path(arguments.raw_sync or arguments.weir.parent / "raw_sync")
    return arguments


class Bench:
    def __init__(self, suite, arguments, directory):
        self.suite = suite
        self.arguments = arguments
        self.directory = directory
        self.warmup = 0.5 if arguments.quick else 1
        self.brokers = {name: make(self.directory / name, arguments) for name, make in suite.brokers.items()
                        if arguments.only in (None, name)}
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
                           ["--seconds", str(seconds), *(["--warmup", str(self.warmup)] if load in LOADS else []),
                            *options], load)
        try:
            return run.finish(seconds)
        finally:
            run.end()
            broker.pause()

    def sample(self, row, variant, options):
        extra = self.suite.variants[variant].options if row.load in LOADS else []
        broker = self.brokers[self.suite.variants[variant].broker]
        seconds = min(self.arguments.seconds, row.seconds_max)
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
        variants = [v for v in row.variants if self.suite.variants[v].broker in self.brokers]
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


def conclude(suite, arguments, chosen, samples, bench):
    result = {"machine": report.machine(), "rounds": arguments.rounds, "seconds": arguments.seconds,
              "brokers": bench.facts, "failures": bench.failures, "rows": {}}
    stamp = report.stamp()
    where = result["machine"]
    lines = [f"# {suite.title} benchmark, {stamp}", "",
             f"{where['cores']} cores of {where['cpu']}, Linux {where['kernel']}; medians of {arguments.rounds} rounds "
             f"of {arguments.seconds:g} s. The generator shares the cores with the broker. All brokers are up; those "
             "whose turn it is not are stopped (SIGSTOP). Their data lie on the same file system.", ""]
    if suite.notes:
        lines += [suite.notes, ""]
    missed = 0
    for row in chosen:
        medians = {variant: report.medians_of(values) for variant, values in samples.get(row.name, {}).items()}
        verdicts = [check.verdict(medians) for check in row.checks]
        missed += sum(1 for verdict in verdicts if verdict["ok"] is False)
        result["rows"][row.name] = {"title": row.title, "options": row.options, "medians": medians,
                                    "samples": samples.get(row.name, {}), "verdicts": verdicts}
        lines += report.row_lines(suite, row, medians, samples.get(row.name, {}), verdicts)
    lines += report.broker_lines(bench.facts)
    lines += report.failure_lines(bench.failures)
    text = "\n".join(lines)
    print("\n" + text)
    if not arguments.quick:
        print(f"written: {report.write_results(arguments.results, f'{suite.name}-{stamp}', result, text)}")
    return missed


def run(suite):
    arguments = parse_arguments(suite)
    chosen = checks.find_rows(arguments.rows, suite.rows)
    peers = [peer for peer in suite.peers if arguments.only in (None, peer.name)]
    harness.check_programs([arguments.weir, arguments.raw_sync], peers)
    with harness.work_directory(arguments.work_dir) as directory:
        bench = Bench(suite, arguments, directory)
        samples = bench.run(chosen)
        missed = conclude(suite, arguments, chosen, samples, bench)
    # A missed target is a finding; a lost message or a run that failed is an error.
    if missed:
        print(f"{missed} targets missed")
    return 1 if bench.failures else 0
