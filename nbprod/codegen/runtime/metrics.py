"""What a service counts, and the text that Prometheus reads.

The text is written here and not by a library, since a package needs nothing that its notebook does not; the format is
https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram in seconds."""

MOST_FIELDS = 500
"""Names of fields that are counted: those of the contract, and some that clients made up."""

MOST_CLASSES = 100
OTHERS = "(others)"


class Metrics:
    """Counters of one process, by version. They are changed in the event loop alone, and read anywhere."""

    def __init__(self) -> None:
        self.started = time.time()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.latency: dict[str, list[float]] = {}
        self.rows: Counter[str] = Counter()
        self.faults: Counter[tuple[str, str, str, str]] = Counter()
        self.predictions: Counter[tuple[str, str]] = Counter()
        self.sums: dict[str, list[float]] = {}
        self.refused: Counter[str] = Counter()
        self.shadowed: Counter[str] = Counter()

    def count(self, version: str, path: str, status: int, seconds: float) -> None:
        """Count a request for predictions: its status and the seconds that it took."""
        self.requests[version, path if path[:4] != "/v2/" else "/v2/models/infer", status] += 1
        histogram = self.latency.get(version)
        if histogram is None:
            histogram = self.latency[version] = [0.0] * (len(BUCKETS) + 2)
        histogram[bisect_left(BUCKETS, seconds)] += 1
        histogram[-1] += seconds

    def observe(self, version: str, predictions: Sequence[Any] | None, faults: Iterable[Any]) -> None:
        """Count the rows that were answered, what was answered, and what was wrong or outside of training."""
        for fault in faults:
            key = version, fault.field, fault.kind, fault.severity
            if key not in self.faults and len(self.faults) >= MOST_FIELDS:
                key = version, OTHERS, fault.kind, fault.severity
            self.faults[key] += 1
        if predictions is None:
            return
        self.rows[version] += len(predictions)
        for value in predictions:
            kind = type(value)
            if kind is float:
                if value == value:
                    sums = self.sums.get(version)
                    if sums is None:
                        sums = self.sums[version] = [0.0, 0.0, 0.0]
                    sums[0] += 1
                    sums[1] += value
                    sums[2] += value * value
            elif kind is str or kind is int or kind is bool:
                known = version, str(value)
                if known not in self.predictions and len(self.predictions) >= MOST_CLASSES:
                    known = version, OTHERS
                self.predictions[known] += 1

    def text(
        self,
        name: str,
        versions: Sequence[tuple[str, str]],
        under_way: int,
        recorded: Mapping[str, int],
        sketches: Mapping[str, Any] | None = None,
    ) -> str:
        """All of it as Prometheus reads it.

        `recorded` is what became of rows for the prediction log, `sketches` the counts of served rows by version.
        """
        lines = [*self._lines(name, versions, under_way, recorded), *_columns(sketches or {})]
        return "\n".join(lines) + "\n"

    def _lines(
        self, name: str, versions: Sequence[tuple[str, str]], under_way: int, recorded: Mapping[str, int]
    ) -> Iterator[str]:
        yield from _family(
            "pipeline_info", "gauge", "The versions that answer, the main one first.",
            [({"name": name, "version": version, "digest": digest}, 1) for version, digest in versions],
        )  # fmt: skip
        yield from _family(
            "pipeline_requests_total", "counter", "Requests for predictions by their status.",
            [
                ({"version": version, "path": path, "status": str(status)}, count)
                for (version, path, status), count in _items(self.requests)
            ],
        )  # fmt: skip
        yield from self._latencies()
        yield from _family(
            "pipeline_rows_total", "counter", "Rows that were answered.",
            [({"version": version}, count) for version, count in _items(self.rows)],
        )  # fmt: skip
        yield from _family(
            "pipeline_faults_total", "counter", "What the contract refuses (error) or marks (flag), by field and kind.",
            [
                ({"version": version, "field": field, "kind": kind, "severity": severity}, count)
                for (version, field, kind, severity), count in _items(self.faults)
            ],
        )  # fmt: skip
        yield from _family(
            "pipeline_predictions_total", "counter", "Predicted classes.",
            [({"version": version, "value": value}, count) for (version, value), count in _items(self.predictions)],
        )  # fmt: skip
        for place, (last, told) in enumerate(
            (("count", "Numbers that were predicted"), ("sum", "Their sum"), ("squares", "The sum of their squares"))
        ):
            samples = [({"version": version}, sums[place]) for version, sums in sorted(self.sums.items())]
            kind = "counter" if last == "count" else "gauge"
            yield from _family(f"pipeline_predicted_numbers_{last}", kind, f"{told}.", samples)
        yield from _family(
            "pipeline_refused_total", "counter", "Requests that reached no version, and why.",
            [({"reason": reason}, self.refused[reason]) for reason in ("busy", "token")],
        )  # fmt: skip
        yield from _family(
            "pipeline_requests_under_way", "gauge", "Requests that are being answered.", [({}, under_way)]
        )
        if self.shadowed:
            yield from _family(
                "pipeline_shadow_total", "counter", "Rows that the shadow answers the same or otherwise.",
                [({"answer": answer}, count) for answer, count in _items(self.shadowed)],
            )  # fmt: skip
        if recorded:
            yield from _family(
                "pipeline_log_rows_total", "counter", "Rows for the prediction log, and what became of them.",
                [({"outcome": outcome}, count) for outcome, count in sorted(recorded.items())],
            )  # fmt: skip
        yield from _process(self.started)

    def _latencies(self) -> Iterator[str]:
        name = "pipeline_request_seconds"
        yield f"# HELP {name} Seconds from a request's first byte to its answer."
        yield f"# TYPE {name} histogram"
        for version, histogram in sorted(self.latency.items()):
            total = 0.0
            for bound, count in zip((*BUCKETS, "+Inf"), histogram):
                total += count
                yield _sample(f"{name}_bucket", {"version": version, "le": str(bound)}, total)
            yield _sample(f"{name}_sum", {"version": version}, histogram[-1])
            yield _sample(f"{name}_count", {"version": version}, total)


def _columns(sketches: Mapping[str, Any]) -> Iterator[str]:
    """Served values of the raw columns, and predictions, by the bins of the training rows."""
    told = [(version, column) for version, counts in sketches.items() for column in _all_of(counts)]
    yield from _family(
        "pipeline_values_total", "counter", "Values of raw columns and predictions, by the bins of the training rows.",
        [
            ({"version": version, "column": column["name"], "bin": each}, count)
            for version, column in told
            for each, count in _bins(column).items()
        ],
    )  # fmt: skip


def _all_of(counts: Mapping[str, Any]) -> list[Any]:
    prediction = counts["prediction"]
    return [*counts["columns"], *([] if prediction is None else [{**prediction, "name": "(prediction)"}])]


def _bins(column: Mapping[str, Any]) -> Counter[str]:
    """What was counted in each bin of a column, by its name, such as `20 to 30`."""
    counted: Counter[str] = Counter()
    if "edges" in column:
        edges = column["edges"]
        counted["below"] += column["below"]
        for low, high, count in zip(edges, edges[1:], column["counts"]):
            counted[f"{low} to {high}"] += count
        counted["above"] += column["above"]
    elif "values" in column:
        for value, count in zip(column["values"], column["counts"]):
            counted[str(value)] += count
    else:
        counted["(present)"] += column["counts"][0]
    counted["(missing)"] += column["missing"]
    counted["(other)"] += column["other"]
    return counted


def _items(counted: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counted.copy().items())


def _process(started: float) -> Iterator[str]:
    """What the operating system tells of this process; memory only where it has /proc."""
    cpu = sum(os.times()[:2])
    yield from _family("process_cpu_seconds_total", "counter", "Seconds of processor time.", [({}, cpu)])
    yield from _family("process_start_time_seconds", "gauge", "When the service started.", [({}, started)])
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        resident = int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return
    yield from _family("process_resident_memory_bytes", "gauge", "Memory that is held.", [({}, resident)])


def _family(name: str, kind: str, told: str, samples: Sequence[tuple[dict[str, str], float]]) -> Iterator[str]:
    if samples:
        yield f"# HELP {name} {told}"
        yield f"# TYPE {name} {kind}"
        for labels, value in samples:
            yield _sample(name, labels, value)


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    number = repr(int(value)) if value == value // 1 and abs(value) < 2**53 else repr(float(value))
    return f"{name}{{{told}}} {number}" if told else f"{name} {number}"


def _escaped(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode()
    return plain.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
