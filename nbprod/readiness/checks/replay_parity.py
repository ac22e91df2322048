"""SK-2: rows give what they gave in the notebook."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_replay

CHECK = Check(
    id="SK-2",
    title="Rows give what they gave in the notebook",
    why="The only proof that serving computes the notebook's features is to give it the notebook's own rows. "
    "Each row is replayed alone and in batches, and held against the matrix that trained the model.",
    source="Rules of ML, 37: measure training-serving skew; ML Test Score, Monitor 3 and Infra 5",
    step="run and replay it: nbprod run NOTEBOOK",
    judge=by_replay,
    tests=("Monitor 3", "Infra 5"),
    blocking=True,
)
