"""Predictions turned back: a model that learns the logarithm of a target answers in the target's own units.

The notebook has to do it itself: `np.log1p` on what becomes the labels, `np.expm1` on the model's predictions.
"""

from __future__ import annotations

import ast

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.numpy_calls import INVERSES
from nbprod.analysis.values import Event, Fact
from nbprod.plan.choosing import uses_of

PREDICTED = "predicted"


def plan_answer(analysis: Analysis, fit: Event, labels: Fact) -> str | None:
    """The expression over `predicted` that turns predictions back, None where the notebook does not."""
    predictions = {
        use.result.digest
        for use in uses_of(analysis.events, fit.obj)
        if use.kind == "predict" and use.const == "predict" and use.result is not None
    }
    rescalings = [event for event in analysis.events if event.kind == "rescale"]
    for event in reversed(rescalings):
        forward = INVERSES.get(event.name.rpartition(".")[2])
        if forward is None or event.facts[0].digest not in predictions or len(event.node.args) != 1:
            continue
        if any(each.name == f"numpy.{forward}" and _made(each, fit, labels) for each in rescalings):
            return f"{ast.unparse(event.node.func)}({PREDICTED})"
    return None


def _made(event: Event, fit: Event, labels: Fact) -> bool:
    """Whether a call is part of what made the labels: in a statement before the training call, or in that call."""
    return event.statement == fit.statement or bool((labels.fit | labels.serve) >> event.statement & 1)
