"""Parameters that a package would need and can't have: secrets, and those that only a run gives a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from nbprod.api.parameters import Parameter, parameters_of
from nbprod.model.notebook import Notebook
from nbprod.model.parameter import SecretValue
from nbprod.model.plan import FeaturePlan, Refusal, Step
from nbprod.notebook.parsed import nodes_below, parsed
from nbprod.notebook.redact import is_secret


def needed_parameters(notebook: Notebook, plan: FeaturePlan, given: Mapping[str, Any]) -> Iterator[Refusal]:
    """The parameters that steps of the package read and that it can't hold; `given` are the values of a run."""
    for name, parameter in parameters_of(notebook).items():
        # A name alone makes no secret of a default, which the notebook's own text tells: its shape does.
        is_hidden = isinstance(given.get(name), SecretValue) or is_secret("value", parameter.default)
        if not is_hidden and not (parameter.is_required and name not in given):
            continue
        step = next((each for each in _steps(plan) if _reads(each, name)), None)
        if step is not None:
            yield _secret(parameter, step) if is_hidden else _without_value(parameter, step)


def _steps(plan: FeaturePlan) -> tuple[Step, ...]:
    return (*plan.steps, *plan.model.steps, *plan.definitions, *plan.evaluate_steps)


def _reads(step: Step, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for node in nodes_below(parsed(step.code))
    )


def _secret(parameter: Parameter, step: Step) -> Refusal:
    name = parameter.name
    return _refusal(
        step,
        f"it reads {name} (cell {parameter.cell}, line {parameter.line}), a secret, and a package holds none",
        f"use {name} only where the raw rows are read; where it is no secret, give it a name that does not say so",
    )


def _without_value(parameter: Parameter, step: Step) -> Refusal:
    name = parameter.name
    return _refusal(
        step,
        f"it reads {name}, which has no value but what a run gives it (cell {parameter.cell}, line {parameter.line})",
        f"nbprod run -p {name} VALUE makes the package with that value; or set a default in the cell",
    )


def _refusal(step: Step, reason: str, hint: str) -> Refusal:
    return Refusal(step.cell, step.line, step.source.strip().splitlines()[0].rstrip(":"), reason, hint)
