"""Targets: what is computed from the medians of a row, and the limit that it is held against."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Check:
    """`value` is computed from the medians; None when what it needs was not run."""
    text: str
    value: Callable
    limit: float
    at_least: bool = True

    def verdict(self, medians):
        value = self.value(medians)
        if value is None:
            return {"target": self.text, "value": None, "limit": self.limit, "ok": None}
        ok = value >= self.limit if self.at_least else value <= self.limit
        return {"target": self.text, "value": value, "limit": self.limit, "ok": ok}


def get(medians, variant, metric):
    return medians.get(variant, {}).get(metric)


def find_rows(names, rows):
    known = {row.name: row for row in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such row: {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else rows
