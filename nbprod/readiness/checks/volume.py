"""DT-2: volume and memory are within limits."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, declare, missing


def _judge(facts: Facts) -> Told:
    asked = facts.settings.requirements
    if asked.volume_rps is None and asked.memory_mb is None:
        return missing("requirements.volume_rps and .memory_mb are not declared", declare("requirements.volume_rps"))
    return by_evidence(facts, "DT-2", "the service was not measured")


CHECK = Check(
    id="DT-2",
    title="Volume and memory are within limits",
    why="A service that holds one request a second falls over at a hundred. "
    "It is driven at the declared rate, and must answer all of it within its memory.",
    source="ML Test Score, Monitor 6: no regression in serving latency, throughput and use of memory",
    step="declare requirements.volume_rps, and measure: nbprod readiness NOTEBOOK --gather --only DT-2",
    judge=_judge,
    tests=("Monitor 6",),
    keys=("requirements.volume_rps", "requirements.memory_mb", "requirements.availability"),
    gathered=True,
)
