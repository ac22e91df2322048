"""The verb behind the sidebar: all that can be shown of a notebook while it is being edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from nbprod import versions
from nbprod.api.checking import compared
from nbprod.api.inspecting import edited_notebook, report_of
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, recorded, target_of
from nbprod.api.studying import Study, study
from nbprod.model.finding import Comparison, Verdict
from nbprod.model.notebook import Role
from nbprod.model.plan import Feature, FeaturePlan, LearnedSite, Status, Step

_WORST = (Status.REFUSED, Status.ASSUMED, Status.OBSERVED, Status.PROVEN)


def watch_notebook(
    path: str, content: str | Mapping[str, Any] | None = None, *, output: str | None = None
) -> dict[str, Any]:
    """What `inspect` tells, with the comparison with the newest version, the features, and the cells left out.

    `content` is an editor's unsaved text of the file, or the notebook as JSON. Packages are looked for in `output`,
    else in the configuration's folder below the project's root. Raises NbprodError where there is no notebook.
    """
    target = in_project(path, output)
    with edited_notebook(path) as analyser:
        notebook = notebook_of(path, content)
        known = study(notebook, model=target.settings.model, auto=True, recorded=recorded(target), analyser=analyser)
        version = versions.latest(target.root, target.name)
        found = Comparison(path, None, Verdict.NOT_EXPORTED) if version is None else compared(known, target, version)
        report = report_of(path, known)
    return {
        **report,
        "check": {
            "name": target.name,
            "version": None if version is None else version.number,
            "verdict": found.verdict,
            "divergences": [to_builtins(each) for each in found.divergences],
        },
        "features": [] if known.plan is None else [feature_as_json(each, known.plan) for each in known.plan.features],
        "left_out": left_out(known),
    }


def in_project(path: str, output: str | None = None) -> Target:
    """The package of a notebook, in the project's own folder wherever the server was started."""
    target = target_of(path, output=output)
    if output is not None or target.root.is_absolute():
        return target
    return target_of(path, output=str(target.project.root / target.root))


def feature_as_json(feature: Feature, plan: FeaturePlan) -> dict[str, Any]:
    """A feature: how sure it is, the raw columns that it needs, the cells that make it, and what it learns."""
    steps = [plan.steps[number] for number in feature.steps]
    return {
        "name": feature.name,
        "status": status_of(steps),
        "inputs": list(feature.inputs),
        "cells": sorted({step.cell for step in steps}),
        "learned": [_site_as_json(site) for step in steps for site in step.sites],
        "missing": None,
        "unseen": None,
    }


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
        why = "it is marked as exploration" if cell.role is Role.EXPLORE else "nothing that the model is given needs it"
        found.append({"cell": cell.index, "why": why if cell.fault is None else "it does not parse"})
    return found


def _site_as_json(site: LearnedSite) -> dict[str, Any]:
    return {
        "site": site.name,
        "expression": site.expression,
        "cell": site.cell,
        "line": site.line,
        "value": None,
    }
