"""NB-5: the package is imported, loaded and asked by itself, while an audit hook looks on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbprod.api.gates.case import answered
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "import_alone.py"
UNWANTED = frozenset(
    {
        "ipython",
        "ipykernel",
        "jupyter-core",
        "jupyterlab",
        "matplotlib",
        "mlflow",
        "nbclient",
        "nbformat",
        "nbprod",
        "papermill",
    }
)
"""Distributions that belong to a notebook, or to this tool, and that nothing in serving needs."""


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of NB-5."""
    told = answered([ground.fitted.python, "-I", str(SCRIPT), *ground.words])
    if "reason" in told:
        raise UntriedError(f"importing it by itself failed: {told['reason']}")
    faults = [
        *(f"it imports {each}" for each in told["modules"] if each in UNWANTED),
        *(f"it {each}" for each in told["opened"]),
        *(f"it calls {each}" for each in told["calls"]),
        *(f"requirements.lock does not lead to {each}" for each in told["missing"]),
    ]
    number = ground.version.number
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        yield ground.seen(
            "NB-5", False, f"version {number}, imported alone: {'; '.join(faults[:3])}{more}", numbers=told
        )
        return
    needs = ", ".join(told["modules"]) or "the standard library alone"
    text = f"version {number} was imported by python -I, loaded and asked: it needs {needs}, opens no other file"
    yield ground.seen("NB-5", True, f"{text}, and makes no connection", numbers=told)


PROBE = Probe(("NB-5",), "importing the package by itself", run)
