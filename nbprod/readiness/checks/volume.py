"""DT-2: volume and memory are within limits."""

from __future__ import annotations

from typing import Any

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, declare, missing


def _judge(facts: Facts) -> Told:
    asked = facts.settings.requirements
    if (asked.volume_rps, asked.memory_mb, asked.cold_start_s) == (None, None, None):
        return missing("requirements.volume_rps and .memory_mb are not declared", declare("requirements.volume_rps"))
    told = by_evidence(facts, "DT-2", "the service was not measured")
    most = max((each["throughput_rps"] for each in _runs(facts)), default=None)
    if told.state is State.PROVED and asked.volume_rps and most is not None and most < ROOM * asked.volume_rps:
        lacking = f"{most:,.0f} requests a second are its most, and {ROOM} times the peak would leave it room"
        return missing(f"{lacking}; {told.evidence}")
    return told


def _runs(facts: Facts) -> list[dict[str, Any]]:
    """The measured loads."""
    kept = facts.evidence.get("DT-2")
    return [] if kept is None else list(kept.numbers.get("runs", ()))


ROOM = 2
"""How many times the declared peak a service should hold: traffic comes in bursts, and workers are replaced."""


CHECK = Check(
    id="DT-2",
    title="Volume and memory are within limits",
    why="A service that holds one request a second falls over at a hundred. "
    "It is driven at the declared rate, and must answer all of it within its memory.",
    source="ML Test Score, Monitor 6: no regression in serving latency, throughput and use of memory",
    step="declare requirements.volume_rps, and measure: nbprod readiness NOTEBOOK --gather --only DT-2",
    judge=_judge,
    tests=("Monitor 6",),
    keys=(
        "requirements.volume_rps",
        "requirements.memory_mb",
        "requirements.availability",
        "requirements.cold_start_s",
    ),
    gathered=True,
)
