"""`missing-seed`: a random step on the way to a model or a score has no seed, so that each run gives another one.

What has a `random_state`, and when it counts, stands in `random_state.toml`. `np.random.seed` before the step covers
what draws from NumPy's global state, which scikit-learn and pandas do where `random_state` is None; `random.seed`
covers the module `random`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.draws import draws
from nbprod.analysis.values import UNKNOWN, Event, Fact
from nbprod.findings.places import finding_at
from nbprod.findings.trials import MODELS
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

CONSUMERS = frozenset({"construct", "split", "resample", "random"})
RESULTS = frozenset({"fit", "metric", "cross-validation", "score"})


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `missing-seed`."""
    used = _used(analysis)
    seeded: set[str] = set()
    reported: set[int] = set()
    for event in analysis.events:
        if event.kind == "seed":
            seeded.add(event.name.partition(".")[0])
        elif event.kind in CONSUMERS and used >> event.statement & 1 and event.statement not in reported:
            name = event.name.removeprefix("+")
            if _source(name) not in seeded and _draws(event, name):
                reported.add(event.statement)
                yield _finding(analysis, event, name)


def _used(analysis: Analysis) -> int:
    """The statements that a model or a score is made by."""
    used = 0
    for event in analysis.events:
        if event.kind in RESULTS and (event.kind != "fit" or event.kindof in MODELS):
            used |= 1 << event.statement
            facts: tuple[Fact | None, ...] = (*event.facts, event.result)
            for fact in facts:
                if fact is not None:
                    used |= fact.fit | (fact.rows.fit if fact.rows is not None else 0)
    return used


def _source(name: str) -> str:
    return "random" if name.startswith("random.") else "numpy"


def _draws(event: Event, name: str) -> bool:
    """Whether a call draws at random without a seed of its own."""
    if event.kind == "random":
        return name.startswith(("random.", "numpy.random."))
    last = name.rpartition(".")[2]
    if isinstance(event.node.func, ast.Attribute) and event.kind == "resample" and last == "fit_resample":
        return False
    given = {
        keyword.arg: keyword.value.value if isinstance(keyword.value, ast.Constant) else UNKNOWN
        for keyword in event.node.keywords
    }
    if None in given or given.get("random_state") is not None:
        return False
    return draws(last, given) is True


def _finding(analysis: Analysis, event: Event, name: str) -> Finding:
    last = name.rpartition(".")[2]
    if event.kind == "random":
        seed = "random.seed(0)" if _source(name) == "random" else "np.random.seed(0)"
        hint = f"call {seed} in the first cell"
    else:
        hint = f"give {last} a random_state"
    return finding_at(
        analysis,
        event.statement,
        "missing-seed",
        Severity.INFO,
        f"{last} draws at random without a seed, so each run gives another model and other scores",
        hint,
    )
