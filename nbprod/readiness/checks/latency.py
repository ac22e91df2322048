"""DT-1: the latency target is met."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, declare, missing


def _judge(facts: Facts) -> Told:
    if facts.settings.requirements.latency_ms is None:
        return missing("requirements.latency_ms is not declared", declare("requirements.latency_ms"))
    return by_evidence(facts, "DT-1", "the service was not measured")


CHECK = Check(
    id="DT-1",
    title="The latency target is met",
    why="A model that answers too late is a model that does not answer. "
    "The service is driven with recorded rows, and 99 of 100 answers must come in time.",
    source="ML Test Score, Monitor 6 and Data 3: no feature costs more than it gives",
    step="declare requirements.latency_ms, and measure: nbprod readiness NOTEBOOK --gather --only DT-1",
    judge=_judge,
    tests=("Monitor 6", "Data 3"),
    blocking=True,
    keys=("serve_mode", "requirements.latency_ms"),
    gathered=True,
)
