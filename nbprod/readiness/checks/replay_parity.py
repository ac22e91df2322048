"""SK-2: rows give what they gave in the notebook."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_replay, contradicted, proved


def _judge(facts: Facts) -> Told:
    """By the replay, and what is declared of features that may part."""
    told, shares = by_replay(facts), facts.settings.tolerance
    if not shares:
        return told
    said = ", ".join(f"tolerance.{name} = {share:g}" for name, share in shares.items())
    if told.state is State.CONTRADICTED:
        return contradicted(told.evidence, said, told.action)
    return proved(f"{told.evidence}, with {said}") if told.state is State.PROVED else told


CHECK = Check(
    id="SK-2",
    title="Rows give what they gave in the notebook",
    why="The only proof that serving computes the notebook's features is to give it the notebook's own rows. "
    "Each row is replayed alone and in batches, and held against the matrix that trained the model.",
    source="Rules of ML, 37: measure training-serving skew; ML Test Score, Monitor 3 and Infra 5",
    step="run and replay it: nbprod run NOTEBOOK",
    judge=_judge,
    tests=("Monitor 3", "Infra 5"),
    blocking=True,
    keys=("tolerance",),
)
