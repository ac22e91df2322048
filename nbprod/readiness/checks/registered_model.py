"""RP-6: the model is registered and can be loaded."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import RUN, by_evidence, missing, no_run


def _judge(facts: Facts) -> Told:
    if facts.fitted is None:
        return missing("no version of the package is fitted", RUN)
    if facts.store_fault is not None:
        return no_run(facts)
    number = facts.registered.get(facts.fitted.number)
    if number is None:
        return missing(f"version {facts.fitted.number} is fitted and not registered", RUN)
    return by_evidence(
        facts, "RP-6", f"version {facts.fitted.number} is registered as {number}, and loading it was not tried"
    )


CHECK = Check(
    id="RP-6",
    title="The model is registered and can be loaded",
    why="What stands in a registry counts only if a fresh process can load it. "
    "It is loaded by its number, and must give the prediction that is stored with it.",
    source="ML Test Score, Infra 4: model quality is validated before serving",
    step="load it: nbprod readiness NOTEBOOK --gather --only RP-6",
    judge=_judge,
    tests=("Infra 4",),
    blocking=True,
    gathered=True,
)
