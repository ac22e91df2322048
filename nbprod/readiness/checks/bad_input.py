"""DT-4: bad input never fails the service."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="DT-4",
    title="Bad input never fails the service",
    why="What clients send is not what the contract says, and a crash takes the good requests with it. "
    "Hundreds of malformed requests must be refused with a reason, and leave the service and its state as they were.",
    source="ML Test Score, Monitor 5: the model is numerically stable",
    step="send malformed requests: nbprod readiness NOTEBOOK --gather --only DT-4",
    judge=lambda facts: by_evidence(facts, "DT-4", "no malformed request was sent"),
    tests=("Monitor 5",),
    blocking=True,
    gathered=True,
)
