"""MO-1: the service has technical metrics."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="MO-1",
    title="The service has technical metrics",
    why="What cannot be counted cannot be promised: requests, errors and times, by version. "
    "The service is started and asked, and its counters must move by exactly what was asked.",
    source="ML Test Score, Monitor 6: no regression in training speed, serving latency and use of memory",
    step="ask the service: nbprod readiness NOTEBOOK --gather --only MO-1",
    judge=lambda facts: by_evidence(facts, "MO-1", "no service was asked"),
    tests=("Monitor 6",),
    blocking=True,
    keys=("monitoring.metrics",),
    gathered=True,
)
