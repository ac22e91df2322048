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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram in seconds."""

MOST_FIELDS = 500
"""Names of fields that are counted: those of the contract, and some that clients made up."""

MOST_CLASSES = 100
OTHERS = "(others)"


@dataclass
class Told:
    """What a process has counted until now: by family, by version, and of itself. Of several it is added up.

    `memory` is in bytes, 0 where that is unknown; `cpu` in seconds, `started` in seconds since 1970.
    """

    counts: dict[str, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    latency: dict[str, list[float]] = field(default_factory=dict)
    sums: dict[str, list[float]] = field(default_factory=dict)
    under_way: int = 0
    processes: int = 1
    starts: int = 1
    memory: int = 0
    cpu: float = 0.0
    started: float = 0.0

    def ended(self) -> Told:
        """The same of a process that is no more: what it has counted stays, what it held is gone."""
        return Told(self.counts, self.latency, self.sums, 0, 0, self.starts, 0, self.cpu, self.started)

    def with_(self, other: Told) -> Told:
        """This and another process together."""
        counts = {name: Counter(counted) for name, counted in self.counts.items()}
        for name, counted in other.counts.items():
            counts.setdefault(name, Counter()).update(counted)
        return Told(
            counts,
            _added(self.latency, other.latency),
            _added(self.sums, other.sums),
            self.under_way + other.under_way,
            self.processes + other.processes,
            self.starts + other.starts,
            self.memory + other.memory,
            self.cpu + other.cpu,
            min(self.started, other.started),
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON can say it."""
        return {**vars(self), "counts": {name: list(counted.items()) for name, counted in self.counts.items()}}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Told:
        """What `to_json` gave."""
        counts = {
            name: Counter({tuple(key): count for key, count in counted}) for name, counted in told["counts"].items()
        }
        return cls(**{**told, "counts": counts})


def _added(first: Mapping[str, list[float]], second: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {
        name: [left + right for left, right in zip(first[name], second[name])]
        if name in first and name in second
        else list(first.get(name) or second[name])
        for name in {**first, **second}
    }


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

    def told(self, under_way: int, recorded: Mapping[str, int], sketches: Mapping[str, Any] | None = None) -> Told:
        """What this process has counted until now.

        `recorded` is what became of rows for the prediction log, `sketches` the counts of served rows by version.
        """
        counts = {
            "requests": self.requests,
            "rows": _by_one(self.rows),
            "faults": self.faults,
            "predictions": self.predictions,
            "refused": _by_one(self.refused),
            "shadowed": _by_one(self.shadowed),
            "recorded": _by_one(recorded),
            "values": _values(sketches or {}),
        }
        copied = {name: Counter(counted) for name, counted in counts.items()}
        latency, sums = ({name: list(each) for name, each in by.items()} for by in (self.latency, self.sums))
        cpu = sum(os.times()[:2])
        return Told(copied, latency, sums, under_way, memory=_resident(), cpu=cpu, started=self.started)

    def text(
        self,
        name: str,
        versions: Sequence[tuple[str, str]],
        under_way: int,
        recorded: Mapping[str, int],
        sketches: Mapping[str, Any] | None = None,
    ) -> str:
        """All of it as Prometheus reads it, for a process that serves alone; see `told` and `text_of`."""
        return text_of(name, versions, self.told(under_way, recorded, sketches))


def text_of(
    name: str,
    versions: Sequence[tuple[str, str]],
    told: Told,
    *,
    is_shared: bool = False,
    follows: bool | None = None,
) -> str:
    """What was counted as Prometheus reads it.

    `is_shared` says that several processes serve together, `follows` whether the ledger can be read, where it is
    looked at.
    """
    return "\n".join(_lines(name, versions, told, is_shared, follows)) + "\n"


def _lines(
    name: str, versions: Sequence[tuple[str, str]], told: Told, is_shared: bool, follows: bool | None
) -> Iterator[str]:
    yield from _family(
        "pipeline_info", "gauge", "The versions that answer, the main one first.",
        [({"name": name, "version": version, "digest": digest}, 1) for version, digest in versions],
    )  # fmt: skip
    if follows is not None:
        yield from _family(
            "pipeline_follows", "gauge", "1 where the ledger's aliases can be followed, 0 where it cannot be read.",
            [({}, int(follows))],
        )  # fmt: skip
    yield from _counted(told, "requests", "Requests for predictions by their status.", ("version", "path", "status"))
    yield from _latencies(told.latency)
    yield from _counted(told, "rows", "Rows that were answered.", ("version",))
    labels = "version", "field", "kind", "severity"
    yield from _counted(told, "faults", "What the contract refuses (error) or marks (flag), by field and kind.", labels)
    yield from _counted(told, "predictions", "Predicted classes.", ("version", "value"))
    for place, (last, said) in enumerate(
        (("count", "Numbers that were predicted"), ("sum", "Their sum"), ("squares", "The sum of their squares"))
    ):
        samples = [({"version": version}, sums[place]) for version, sums in sorted(told.sums.items())]
        kind = "counter" if last == "count" else "gauge"
        yield from _family(f"pipeline_predicted_numbers_{last}", kind, f"{said}.", samples)
    refused = told.counts.get("refused", Counter())
    yield from _family(
        "pipeline_refused_total", "counter", "Requests that reached no version, and why.",
        [({"reason": reason}, refused[reason,]) for reason in ("busy", "token")],
    )  # fmt: skip
    yield from _family(
        "pipeline_requests_under_way", "gauge", "Requests that are being answered.", [({}, told.under_way)]
    )
    yield from _counted(told, "shadowed", "Rows that the shadow answers the same or otherwise.", ("answer",), "shadow")
    said = "Rows for the prediction log, and what became of them."
    yield from _counted(told, "recorded", said, ("outcome",), "log_rows")
    if is_shared:
        yield from _family("pipeline_workers", "gauge", "Processes that answer.", [({}, told.processes)])
        yield from _family(
            "pipeline_worker_starts_total", "counter", "Processes that were started.", [({}, told.starts)]
        )
    yield from _family("process_cpu_seconds_total", "counter", "Seconds of processor time.", [({}, told.cpu)])
    yield from _family("process_start_time_seconds", "gauge", "When the service started.", [({}, told.started)])
    if told.memory:
        yield from _family("process_resident_memory_bytes", "gauge", "Memory that is held.", [({}, told.memory)])
    said = "Values of raw columns and predictions, by the bins of the training rows."
    yield from _counted(told, "values", said, ("version", "column", "bin"))


def _counted(told: Told, family: str, said: str, labels: Sequence[str], shown: str | None = None) -> Iterator[str]:
    """A family of counters by its labels."""
    counted = sorted(told.counts.get(family, Counter()).items(), key=lambda item: tuple(map(str, item[0])))
    samples = [(dict(zip(labels, map(str, key))), count) for key, count in counted]
    return _family(f"pipeline_{shown or family}_total", "counter", said, samples)


def _latencies(latency: Mapping[str, list[float]]) -> Iterator[str]:
    name = "pipeline_request_seconds"
    yield f"# HELP {name} Seconds from a request's last byte to its answer."
    yield f"# TYPE {name} histogram"
    for version, histogram in sorted(latency.items()):
        total = 0.0
        for bound, count in zip((*BUCKETS, "+Inf"), histogram):
            total += count
            yield _sample(f"{name}_bucket", {"version": version, "le": str(bound)}, total)
        yield _sample(f"{name}_sum", {"version": version}, histogram[-1])
        yield _sample(f"{name}_count", {"version": version}, total)


def _by_one(counted: Mapping[str, int]) -> Counter[tuple[Any, ...]]:
    return Counter({(key,): count for key, count in dict(counted).items()})


def _values(sketches: Mapping[str, Any]) -> Counter[tuple[Any, ...]]:
    """Served values of the raw columns, and predictions, by version, column and bin of the training rows."""
    return Counter(
        {
            (version, column["name"], each): count
            for version, counts in sketches.items()
            for column in _all_of(counts)
            for each, count in _bins(column).items()
        }
    )


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


def _resident() -> int:
    """Bytes that this process holds; 0 where the system has no /proc."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


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
