"""Predictions turned back: a model that learns the logarithm of a target answers in the target's own units.

The notebook has to do it itself: `np.log1p` on what becomes the labels, `np.expm1` on the model's predictions; or a
scaler that is fitted on the labels, and its `inverse_transform`. Where it can't be told that the scaler's is all that
is done to a prediction, and with the state that the labels were scaled with, the package might answer in other units
than the notebook, so that is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.numpy_calls import INVERSES
from nbprod.analysis.values import Event, Fact
from nbprod.model.plan import LearnedSite, Refusal
from nbprod.plan.choosing import uses_of

PREDICTED = "predicted"


class Answer(Struct, frozen=True):
    """What turns predictions back: an expression over `predicted`, or with `site` what that site has fitted.

    No expression where the notebook leaves predictions as they are, or where that is refused.
    """

    text: str | None = None
    site: str | None = None
    refusals: tuple[Refusal, ...] = ()


def plan_answer(analysis: Analysis, fit: Event, labels: Fact, sites: Sequence[LearnedSite]) -> Answer:
    """How the notebook turns the predictions of a model back, which was fitted on these labels."""
    rescalings = [event for event in analysis.events if event.kind == "rescale"]
    back = list(_by_what_is_fitted(analysis, rescalings, fit, labels))
    if not back:
        return Answer(_by_a_function(analysis, rescalings, fit, labels))
    found = {_site_of(analysis, event, fit, labels, sites) for event in back}
    others = [event for event in rescalings if event not in back and event.facts[0].fit >> fit.statement & 1]
    site = found.pop() if len(found) == 1 and not others else None
    if site is None:
        return Answer(refusals=(_refusal(analysis, back[0]),))
    return Answer(f"{_class_of(back[0])}.inverse_transform({PREDICTED})", site)


def _by_a_function(analysis: Analysis, rescalings: Sequence[Event], fit: Event, labels: Fact) -> str | None:
    """The call of a function that undoes another one, which made the labels: `np.expm1(predicted)`."""
    predictions = _predictions(analysis, fit)
    for event in reversed(rescalings):
        forward = INVERSES.get(event.name.rpartition(".")[2])
        if forward is None or event.facts[0].digest not in predictions or len(event.node.args) != 1:
            continue
        if any(each.name == f"numpy.{forward}" and _made(each, fit, labels) for each in rescalings):
            return f"{ast.unparse(event.node.func)}({PREDICTED})"
    return None


def _predictions(analysis: Analysis, fit: Event) -> set[str]:
    """The digests of what a model predicts."""
    return {
        use.result.digest
        for use in uses_of(analysis.events, fit.obj)
        if use.kind == "predict" and use.const == "predict" and use.result is not None
    }


# ---------------------------------------------------------------------- by what is fitted on the labels

ENCODERS = frozenset({"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "OneHotEncoder", "OrdinalEncoder"})
"""What is fitted on labels to number their classes: a code and a class are one answer in two words."""

SCALERS = frozenset(
    f"sklearn.preprocessing.{name}"
    for name in (
        "MaxAbsScaler",
        "MinMaxScaler",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    )
)
"""What turns each value back by itself, and by what it has learned alone."""


def _by_what_is_fitted(analysis: Analysis, rescalings: Sequence[Event], fit: Event, labels: Fact) -> Iterator[Event]:
    """The calls that turn predictions back by a transformer fitted on the labels: `scaler.inverse_transform(…)`."""
    made = labels.fit | labels.serve
    for event in rescalings:
        if event.obj < 0 or _class_of(event) in ENCODERS or not event.facts[0].fit >> fit.statement & 1:
            continue
        if any(made >> each.statement & 1 for each in _fits_of(analysis, event)):
            yield event


def _site_of(analysis: Analysis, event: Event, fit: Event, labels: Fact, sites: Sequence[LearnedSite]) -> str | None:
    """The site whose scaler turns predictions back, in the state with which it gave the very labels of the training.

    None where that can't be told: the call is given more than predictions, the scaler was fitted anew in between, or
    the labels are not as it gave them.
    """
    of_predictions = event.facts[0].digest in _predictions(analysis, fit)
    if event.name not in SCALERS or not of_predictions or len(event.node.args) != 1 or event.node.keywords:
        return None
    place = analysis.events.index(event)
    scaled = [
        number
        for number, each in enumerate(analysis.events[:place])
        if (each.kind, each.obj, each.const) == ("transform", event.obj, event.const)
        and each.result is not None
        and each.result.digest == labels.digest
    ]
    fits = [each for each in _fits_of(analysis, event) if analysis.events.index(each) < place]
    if not scaled or not fits or analysis.events.index(fits[-1]) > scaled[0]:
        return None
    return _named_by(analysis, fits[-1], sites)


def _named_by(analysis: Analysis, fitted: Event, sites: Sequence[LearnedSite]) -> str | None:
    """The one site that a call of `fit` became; None for a call in a block or a function, which may run again."""
    statement = analysis.program.statements[fitted.statement]
    text = ast.get_source_segment(analysis.program.sources[statement.cell], fitted.node)
    found = [
        site.name
        for site in sites
        if (site.cell, site.line, site.expression) == (statement.cell, fitted.node.lineno, text)
    ]
    return found[0] if len(found) == 1 and statement.parent == -1 and not fitted.frames else None


def _fits_of(analysis: Analysis, event: Event) -> list[Event]:
    """The calls that fit the estimator of a call."""
    return [each for each in analysis.events if each.kind == "fit" and each.obj == event.obj]


def _refusal(analysis: Analysis, event: Event) -> Refusal:
    name = _class_of(event)
    return Refusal(
        analysis.program.statements[event.statement].cell,
        event.node.lineno,
        "inverse_transform",
        f"a {name} fitted on the labels turns predictions back, and it can't be told that this is all that is done to "
        "them, and with what was learned of these labels: the package might answer in other units",
        f"train a TransformedTargetRegressor(regressor=…, transformer={name}()), which turns them back itself",
    )


def _class_of(event: Event) -> str:
    return event.name.rpartition(".")[2]


def _made(event: Event, fit: Event, labels: Fact) -> bool:
    """Whether a call is part of what made the labels: in a statement before the training call, or in that call."""
    return event.statement == fit.statement or bool((labels.fit | labels.serve) >> event.statement & 1)
