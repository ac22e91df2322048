"""The verb `inspect`: cells, dataflow, findings and plan, without running anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec import to_builtins

from nbprod.analysis.incremental import Analyser
from nbprod.api.cells import cells_as_json, finding_as_json
from nbprod.api.editing import EditedNotebooks
from nbprod.api.outlining import analysis_of, notebook_of
from nbprod.api.studying import Study, study
from nbprod.errors import NbprodError, Where
from nbprod.model.plan import FeaturePlan, Refusal, Step
from nbprod.undisturbed import undisturbed

SCHEMA = 1


@undisturbed()
def inspect_notebook(
    path: str, content: str | Mapping[str, Any] | None = None, model: str | None = None
) -> dict[str, Any]:
    """All that can be said of a notebook, as `nbprod inspect --format json` prints it (schemas/inspect.json).

    `content` is an editor's unsaved text of the file, or the notebook as JSON. Raises NbprodError where there is
    no notebook; a notebook without a plan gives `plan: null` and the reason as `plan_error`.
    """
    if content is None:
        return report_of(path, study(notebook_of(path), model=model, auto=True))
    with edited_notebook(path) as analyser:
        return report_of(path, study(notebook_of(path, content), model=model, auto=True, analyser=analyser))


_EDITED = EditedNotebooks()


def edited_notebook(path: str) -> AbstractContextManager[Analyser]:
    """The analyser of a notebook that is being edited, for one caller at a time."""
    return _EDITED.analyser_of(path)


def report_of(path: str, known: Study) -> dict[str, Any]:
    """A study as the interface has it."""
    analysis = known.outline.analysis
    return {
        "notebook": path,
        "schema": SCHEMA,
        "cells": cells_as_json(known.outline, effects=True),
        "edges": [{"from": edge.source, "to": edge.target, "names": list(edge.names)} for edge in analysis.edges],
        "findings": [finding_as_json(finding) for finding in known.findings],
        "plan": plan_as_json(known.plan) if known.plan else None,
        "plan_error": known.failure.as_json() if known.failure else None,
    }


def slice_notebook(path: str, name: str) -> dict[str, Any]:
    """The cells and lines that the value of `name` at the end of the notebook depends on.

    Where no cell defines it, a feature of that name is meant, and the steps that make it are given. Raises NbprodError
    (`undefined-name`) with the nearest name where there is neither.
    """
    notebook = notebook_of(path)
    analysis = analysis_of(notebook)
    try:
        found = analysis.slice_of(name)
    except KeyError:
        plan = study(notebook, auto=True).plan
        features = {} if plan is None else {each.name: each for each in plan.features}
        if plan is None or name not in features:
            defined = {each for cell in analysis.effects for each in cell.defines}
            raise _undefined(path, name, defined | features.keys()) from None
        found = _lines([plan.steps[number] for number in features[name].steps])
    return {"slice": [{"cell": cell, "lines": sorted(lines)} for cell, lines in sorted(found.items())]}


def _lines(steps: Sequence[Step]) -> dict[int, list[int]]:
    """The lines of steps, by cell."""
    found: dict[int, set[int]] = {}
    for step in steps:
        found.setdefault(step.cell, set()).update(range(step.line, step.end_line + 1))
    return {cell: sorted(lines) for cell, lines in found.items()}


def refusals_as_json(refusals: tuple[Refusal, ...]) -> list[dict[str, Any]]:
    """What the plan refuses."""
    return [to_builtins(refusal) for refusal in refusals]


def model_as_json(plan: FeaturePlan) -> dict[str, Any]:
    """The model that is served; `why` is null where it is told by the caller or by the notebook."""
    return {"name": plan.model.name, "estimator": plan.model.estimator, "why": plan.model.why or None}


def plan_as_json(plan: FeaturePlan) -> dict[str, Any]:
    """The plan as the interface has it."""
    return {
        "digest": plan.digest,
        "target": plan.target,
        "model": model_as_json(plan),
        "inputs": list(plan.inputs),
        "features": [{"name": each.name, "digest": each.digest, "steps": list(each.steps)} for each in plan.features],
        "steps": [
            {
                "cell": step.cell,
                "line": step.line,
                "end_line": step.end_line,
                "binding": step.binding,
                "status": step.status,
                "sites": [site.name for site in step.sites],
                "idiom": step.idiom,
            }
            for step in plan.steps
        ],
        "refusals": refusals_as_json(plan.refusals),
    }


def _undefined(path: str, name: str, known: set[str]) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1)
    return NbprodError(
        f'no cell defines "{name}"',
        code="undefined-name",
        where=Where(path),
        hint=f'did you mean "{near[0]}"?' if near else None,
    )
