"""All gates, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable

from nbprod.api.gates.case import Case
from nbprod.api.gates.champion import no_worse
from nbprod.api.gates.contract import compatible
from nbprod.api.gates.latency import fast_enough
from nbprod.api.gates.proof import proven
from nbprod.api.gates.readiness import ready
from nbprod.api.gates.thresholds import above_thresholds
from nbprod.model.promotion import Gate

GATES: tuple[Callable[[Case], Gate], ...] = (proven, above_thresholds, no_worse, compatible, ready, fast_enough)


def judged(case: Case) -> tuple[Gate, ...]:
    """What each gate finds. Raises nothing for what a gate can't find out: that is `unknown`, with the reason."""
    return tuple(gate(case) for gate in GATES)
