"""The verb behind the sidebar: all that can be shown of a notebook while it is being edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from nbprod.api.beside import studied_beside
from nbprod.api.fitted_state import Fitted, fitted_state
from nbprod.api.inspecting import report_of
from nbprod.api.packages import target_in_project
from nbprod.api.studying import Study
from nbprod.model.notebook import Cell, Notebook, Role
from nbprod.model.plan import Feature, FeaturePlan, LearnedSite, Status, Step
from nbprod.undisturbed import undisturbed

_WORST = (Status.REFUSED, Status.ASSUMED, Status.OBSERVED, Status.PROVEN)


def watch_notebook(
    path: str, content: str | Mapping[str, Any] | None = None, *, output: str | None = None
) -> dict[str, Any]:
    """What `inspect` tells, with the comparison with the newest version, the features, and the cells left out.

    `content` is an editor's unsaved text of the file, or the notebook as JSON. Packages are looked for in `output`,
    else in the configuration's folder below the project's root. Raises NbprodError where there is no notebook.
    """
    return watched(path, content, output=output)[0]


@undisturbed()
def watched(
    path: str, content: str | Mapping[str, Any] | None = None, *, output: str | None = None
) -> tuple[dict[str, Any], Notebook]:
    """What `watch_notebook` tells, and the notebook that it tells of. Raises NbprodError where there is none."""
    target = target_in_project(path, output=output)
    with studied_beside(target, path, content) as found:
        report = report_of(path, found.known)
    told = {
        **report,
        "check": {
            "name": target.name,
            "version": None if found.version is None else found.version.number,
            "verdict": found.comparison.verdict,
            "divergences": [to_builtins(each) for each in found.comparison.divergences],
        },
        "features": features_as_json(found.known.plan, fitted_state(target)),
        "left_out": left_out(found.known),
    }
    return told, found.known.notebook


def features_as_json(plan: FeaturePlan | None, fitted: Fitted | None) -> list[dict[str, Any]]:
    """The features of a plan, with what the newest fitted version knows of them."""
    if plan is None:
        return []
    return [feature_as_json(each, plan, fitted) for each in plan.features]


def feature_as_json(feature: Feature, plan: FeaturePlan, fitted: Fitted | None = None) -> dict[str, Any]:
    """A feature: how sure it is, the raw columns that it needs, the cells that make it, and what it learns.

    Serving and learned values are only told of where `fitted` makes the feature as the notebook does.
    """
    steps = [plan.steps[number] for number in feature.steps]
    same = fitted if fitted is not None and fitted.has(feature) else None
    return {
        "name": feature.name,
        "status": status_of(steps) if same is None else _after_proof(feature, status_of(steps), same.proof),
        "inputs": list(feature.inputs),
        "cells": sorted({step.cell for step in steps}),
        "learned": [_site_as_json(site, same) for step in steps for site in step.sites],
        "missing": same and same.missing(feature),
        "unseen": same and same.unseen(feature),
    }


def _after_proof(feature: Feature, status: Status, proof: Mapping[str, Any]) -> Status:
    """The status of a feature once the version that makes it was replayed."""
    mismatch = proof.get("mismatch")
    if mismatch is not None:
        return Status.REFUSED if mismatch.get("feature") == feature.name else status
    if proof.get("status") in ("proven", "observed") and status is Status.ASSUMED:
        return Status.OBSERVED
    return status


def status_of(steps: Sequence[Step]) -> Status:
    """The status of what is made by these steps: that of the least sure of them."""
    return next((status for status in _WORST if any(step.status is status for step in steps)), Status.PROVEN)


def left_out(known: Study) -> list[dict[str, Any]]:
    """The cells that are no part of the package, each with the reason."""
    if known.plan is None:
        return []
    plan = known.plan
    taken = {step.cell for step in (*plan.steps, *plan.evaluate_steps, *plan.definitions, *plan.model.steps)}
    taken |= {plan.raw.cell, plan.model.fit.cell, *(call.cell for call in plan.model.predicts)}
    found = []
    for cell in known.notebook.cells:
        if cell.index in taken or not cell.code.strip() or "imports" in known.outline.steps[cell.index]:
            continue
        found.append({"cell": cell.index, "why": _why_left_out(cell, known.outline.steps[cell.index], plan)})
    return found


_PREPARES = frozenset({"data", "preprocessing", "features"})


def _why_left_out(cell: Cell, does: Sequence[str], plan: FeaturePlan) -> str:
    """The reason, in the order in which a reader would look for one."""
    if cell.fault is not None:
        return "it does not parse"
    if cell.role is Role.EXPLORE:
        return "it is marked as exploration"
    if "train" in does:
        return f"it trains a model that is not served: {plan.model.name} is"
    if "evaluate" in does or "predict" in does:
        return "it tries a model out, and makes nothing that serving needs"
    if "explore" in does and _PREPARES.isdisjoint(does):
        return "it only looks at data"
    if "save" in does and _PREPARES.isdisjoint(does):
        return "it only saves what others made"
    return "nothing that the model is given needs it"


def _site_as_json(site: LearnedSite, fitted: Fitted | None) -> dict[str, Any]:
    return {
        "site": site.name,
        "expression": site.expression,
        "cell": site.cell,
        "line": site.line,
        "value": fitted and fitted.value(site),
    }
