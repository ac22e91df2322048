"""Predictions turned back: a model that learns the logarithm of a target answers in the target's own units.

The notebook has to do it itself: `np.log1p` on what becomes the labels, `np.expm1` on the model's predictions. Where a
transformer that was fitted on the labels does it, the package would answer in its units, so that is refused.
"""

from __future__ import annotations

import ast

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.numpy_calls import INVERSES
from nbprod.analysis.values import Event, Fact
from nbprod.model.plan import Refusal
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


ENCODERS = frozenset({"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "OneHotEncoder", "OrdinalEncoder"})
"""What is fitted on labels to number their classes: a code and a class are one answer in two words."""


def turned_back_by_what_is_fitted(analysis: Analysis, fit: Event, labels: Fact) -> list[Refusal]:
    """A refusal where a transformer fitted on the labels turns predictions back: `scaler.inverse_transform(…)`."""
    made = labels.fit | labels.serve
    for event in analysis.events:
        if event.kind != "rescale" or event.obj < 0 or event.name.rpartition(".")[2] in ENCODERS:
            continue
        fitted = (each for each in analysis.events if each.kind == "fit" and each.obj == event.obj)
        if event.facts[0].fit >> fit.statement & 1 and any(made >> each.statement & 1 for each in fitted):
            name = event.name.rpartition(".")[2]
            refusal = Refusal(
                analysis.program.statements[event.statement].cell,
                event.node.lineno,
                "inverse_transform",
                f"a {name} fitted on the labels turns predictions back, and the package would answer without it",
                f"train a TransformedTargetRegressor(regressor=…, transformer={name}()), which turns them back itself",
            )
            return [refusal]
    return []


def _made(event: Event, fit: Event, labels: Fact) -> bool:
    """Whether a call is part of what made the labels: in a statement before the training call, or in that call."""
    return event.statement == fit.statement or bool((labels.fit | labels.serve) >> event.statement & 1)
