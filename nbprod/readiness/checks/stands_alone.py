"""NB-5: the package stands alone."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="NB-5",
    title="The package stands alone",
    why="What serves must not need the notebook, Jupyter or this tool, nor read files or open connections on import. "
    "Each such need is one more thing that can be missing where the model runs.",
    source="ML Test Score, Infra 2: model specification code is unit tested",
    step="import it by itself: nbprod readiness NOTEBOOK --gather --only NB-5",
    judge=lambda facts: by_evidence(facts, "NB-5", "the package was not imported by itself"),
    tests=("Infra 2",),
    keys=("runtime_deps",),
    gathered=True,
)
