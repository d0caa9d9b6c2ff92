#!/usr/bin/env python3
"""Deep queues, restarts and the cleaner: Weir and, where it is named, RabbitMQ. Called by scripts/bench."""

import argparse
import os
import sys
import traceback

import brokers
import checks
import harness
import report
import rows
import storage_rows
from storage_loads import Load, LoadError


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench storage", description=__doc__)
    harness.add_arguments(parser, storage_rows.ROWS, "a tenth of the messages and queues, a fifth of the time",
                          ["weir", "rabbitmq"])
    parser.add_argument("--messages", type=int, default=0, help="depth of the queues (the row's own)")
    parser.add_argument("--seconds", type=float, default=0, help="of steady-cleaner (5) and mixed-ages (60)")
    parser.add_argument("--rounds", type=int,
                        help="times that each row is measured (3 of depth-10m and steady-cleaner, else 1)")
    return parser.parse_args()


def variants_of(row, only):
    """Of what the row names; `--only rabbitmq` asks for RabbitMQ where it can be had, if only it takes its time."""
    if only == "rabbitmq" and not row.weir_only:
        return [variant for variant in rows.VARIANTS if variant != "weir"]
    return [v for v in row.variants if only is None or rows.VARIANTS[v].broker == only]


class Bench:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.plan = storage_rows.Plan(arguments.messages, arguments.seconds, arguments.quick)
        self.failures = []
        self.series = {}

    def broker(self, name):
        if name == "weir":
            return brokers.Weir(self.directory / name, self.arguments.weir)
        return brokers.RabbitMq(self.directory / name)

    def sample(self, row, variant, turn):
        name, options = rows.VARIANTS[variant].broker, rows.VARIANTS[variant].options
        broker = self.broker(name)
        broker.start_seconds_max = 600
        load = Load(self.arguments, self.directory, broker, variant, options)
        os.sync()  # what was left to be written is not this one's burden
        try:
            return row.run(load, self.plan, turn)
        except (LoadError, brokers.BrokerError) as error:
            self.failed(row, variant, str(error), broker)
        except Exception as error:  # a fault of ours costs this row, not the others
            traceback.print_exc()
            self.failed(row, variant, repr(error), broker)
        finally:
            broker.stop()
            broker.clear()
            if load.series:
                self.series.setdefault(row.name, []).append(load.series)
        return {}

    def failed(self, row, variant, why, broker):
        self.failures.append(f"{row.name}, {variant}: {why}")
        print(f"  {variant} FAILED: {why}", flush=True)
        log = broker.directory / "log.txt"
        if log.exists():
            print("".join(f"    {line}\n" for line in log.read_text(errors="replace").splitlines()[-10:]), end="")

    def run(self, chosen):
        samples = {row.name: {} for row in chosen}
        for row in chosen:
            for turn in range(self.arguments.rounds or (1 if self.arguments.quick else row.rounds)):
                for variant in variants_of(row, self.arguments.only):
                    print(f"{row.name}, {variant}, round {turn + 1}", flush=True)
                    for label, values in self.sample(row, variant, turn).items():
                        samples[row.name].setdefault(label, []).append(values)
                        told = [f"{title} {report.number(values[m])}" for title, m in row.columns if m in values]
                        print(f"  {label}: {', '.join(told)}", flush=True)
        return samples


def conclude(arguments, chosen, samples, bench):
    result = {"machine": report.machine(), "failures": bench.failures, "rows": {}}
    stamp = report.stamp()
    where = result["machine"]
    lines = [f"# Storage benchmark, {stamp}", "",
             f"{where['cores']} cores of {where['cpu']}, Linux {where['kernel']}, load {where['load'][0]:.1f} at the "
             "end (this benchmark alone makes about 2). The generator shares the cores with the broker; one broker "
             "runs at a time.", "", *bench.plan.lines()]
    missed = 0
    for row in chosen:
        medians = {label: report.medians_of(values) for label, values in samples[row.name].items()}
        verdicts = [check.verdict(medians) for check in row.checks]
        missed += sum(1 for verdict in verdicts if verdict["ok"] is False)
        result["rows"][row.name] = {"title": row.title, "medians": medians, "samples": samples[row.name],
                                    "series": bench.series.get(row.name, []), "verdicts": verdicts}
        lines += report.storage_row_lines(row, medians, verdicts)
    lines += report.failure_lines(bench.failures)
    text = "\n".join(lines)
    print("\n" + text)
    if not arguments.quick:
        print(f"written: {report.write_results(arguments.results, f'storage-{stamp}', result, text)}")
    return missed


def main():
    arguments = parse_arguments()
    chosen = checks.find_rows(arguments.rows, storage_rows.ROWS)
    only_weir = all(variants_of(row, arguments.only) == ["weir"] for row in chosen)
    peers = [] if only_weir or arguments.only == "weir" else [brokers.RabbitMq]
    harness.check_programs([arguments.weir], peers)
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
