"""Turns the samples of a benchmark into medians, a table for people and files under bench/results."""

import datetime
import json
import os
import platform
import statistics
from pathlib import Path


def medians_of(samples):
    """[{metric: number}] -> {metric: median}."""
    metrics = {metric for sample in samples for metric in sample}
    return {metric: statistics.median([s[metric] for s in samples if metric in s]) for metric in sorted(metrics)}


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


COLUMNS = [
    ("messages/s", "throughput_per_s"),
    ("MB/s", "mb_per_s"),
    ("confirm p50 us", "confirm_p50_us"),
    ("confirm p99 us", "confirm_p99_us"),
    ("deliver p50 us", "deliver_p50_us"),
    ("deliver p99 us", "deliver_p99_us"),
    ("broker CPU us/msg", "broker_us_per_message"),
    ("generator CPU us/msg", "generator_us_per_message"),
    ("broker cores", "broker_cores"),
    ("generator cores", "generator_cores"),
    ("RSS MiB", "rss_mib"),
]


def table(headers, rows):
    lines = ["| " + " | ".join(headers) + " |", "| " + " | ".join(["---"] * len(headers)) + " |"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def row_lines(suite, row, medians, samples, verdicts):
    lines = [f"## {row.name}: {row.title}", "", f"`weir bench {row.load} {' '.join(row.options)}`", ""]
    rows = []
    columns = row.columns or COLUMNS
    for variant, values in medians.items():
        if variant == "raw":
            continue
        spread = sorted(s["throughput_per_s"] for s in samples[variant])
        name, _, beside = variant.partition(" ")
        rows.append([f"{suite.variants[name].label} {beside}".strip(),
                     *[number(values.get(metric)) for _, metric in columns],
                     f"{number(spread[0])} to {number(spread[-1])}"])
    lines += table(["", *[title for title, _ in columns], f"{row.counts}/s, all rounds"], rows)
    weir = medians.get("weir", {}).get("throughput_per_s")
    peers = {v: medians[v]["throughput_per_s"] for v in suite.variants if v != "weir" and v in medians}
    if weir and peers:
        lines += ["", f"Ratio of {row.counts}/s: " + ", ".join(
            f"{number(weir / x)} x {suite.variants[v].label}" for v, x in peers.items() if x)]
    raw = medians.get("raw")
    if raw:
        lines += ["", f"Raw disk beside it: sync of 4 KiB p50 {number(raw['sync_p50_us'])} us, "
                      f"p99 {number(raw['sync_p99_us'])} us; 1 MiB writes {number(raw['write_mb_per_s'])} MB/s"]
    return lines + verdict_lines(verdicts) + [""]


def verdict_lines(verdicts):
    lines = []
    for verdict in verdicts:
        word = {True: "ok", False: "MISS", None: "not measured"}[verdict["ok"]]
        lines += ["", f"**{word}**: {verdict['target']}: {number(verdict['value'])}"]
    return lines


def storage_row_lines(row, medians, verdicts):
    """A row of `scripts/bench storage`: the columns are the row's own."""
    lines = [f"## {row.name}: {row.title}", ""]
    if medians:
        lines += table(["", *[title for title, _ in row.columns]],
                       [[variant if row.weir_only or variant == "weir" else f"RabbitMQ {variant}",
                         *[number(values.get(metric)) for _, metric in row.columns]]
                        for variant, values in medians.items()])
    return lines + verdict_lines(verdicts) + [""]


def failure_lines(failures):
    return ["## Failures", "", *[f"- {failure}" for failure in failures], ""] if failures else []


def stamp():
    return datetime.datetime.now().strftime("%Y-%m-%d-%H%M")


def broker_lines(brokers):
    rows = [[name, number(b["start_s"] * 1000), number(b["empty_rss_mib"]), number(b["empty_disk_mib"]),
             number(b.get("end_rss_mib"))] for name, b in brokers.items()]
    return ["## The brokers themselves", "",
            *table(["", "start ms", "empty RSS MiB", "empty disk MiB", "RSS MiB after the run"], rows), ""]


def write_results(directory, name, result, text):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    base = directory / name
    base.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    base.with_suffix(".md").write_text(text)
    return base.with_suffix(".md")


def machine():
    cpu = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break

    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(), "load": list(os.getloadavg())}
