"""What is recorded of a run besides values and files: environment, seeds, cells, what it wrote and what it asked."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import nbformat

from nbprod.api.parameters import kind_of, parameters_of
from nbprod.backends.documents import INJECTED_TAG
from nbprod.backends.environments import LOCK, Installed
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook
from nbprod.model.run import RunResult
from nbprod.notebook.parsed import nodes_below, syntax_tree
from nbprod.notebook.redact import redact_text, redacted

SEEDING = frozenset({"seed", "manual_seed", "set_seed", "set_random_seed", "default_rng", "RandomState", "Random"})
"""Functions whose first argument is a seed."""
SEEDED_BY = frozenset({"random_state", "seed", "random_seed", "rng"})
"""Keywords that take a seed."""
UNSEEDED = "missing-seed"
DATA_VERSIONS = "data_versions.json"
"""What a run keeps of the versions that are declared of its data."""
RETRAIN_TAG = "nbprod.retrain"
"""The tag of a run that trains a pipeline again, on whatever data there are by then."""
CI_TAG = "nbprod.ci"
"""The tag of a run that a CI service has made, with its name."""


def texts_of(
    notebook: Notebook,
    parameters: Mapping[str, Any],
    installed: Installed,
    result: RunResult,
    findings: Sequence[Finding],
) -> dict[str, str]:
    """The texts of a run's record, by file name (docs/runs.md).

    `notebook` has the run's parameters in the place of their defaults.
    """
    told = {
        "parameters.json": _parameters(notebook, parameters),
        "outputs.json": [{"path": path, "sha256": sha, "bytes": size} for path, sha, size in result.outputs],
        "unpinned.json": [redact_text(each) for each in result.unpinned],
        "seeds.json": {"set": list(_seeds(notebook)), "missing": _missing(findings)},
        "cells.json": _cells(notebook, result),
    }
    return {LOCK: installed.lock(), **{name: json.dumps(one, indent=2) + "\n" for name, one in told.items()}}


def ci_service(environment: Mapping[str, str]) -> str | None:
    """The CI service that a process runs in, by the variables that it sets; None outside of one.

    `CI` is what nearly all of them set; most also set one that is their own.
    """
    for variable, name in (
        ("GITHUB_ACTIONS", "GitHub Actions"),
        ("GITLAB_CI", "GitLab CI"),
        ("JENKINS_URL", "Jenkins"),
    ):
        if environment.get(variable):
            return name
    return "a CI service" if environment.get("CI", "").lower() not in ("", "0", "false") else None


def _parameters(notebook: Notebook, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All parameters with the values that counted, and whether the run or the notebook gave them."""
    return [
        {
            "name": name,
            "type": kind_of(each),
            "value": redacted(name, given.get(name, each.text)),
            "given": name in given,
        }
        for name, each in parameters_of(notebook).items()
    ]


def _seeds(notebook: Notebook) -> Iterator[dict[str, Any]]:
    """The calls that are given a seed: where they stand, and the text of the seed."""
    for cell in notebook.cells:
        if cell.fault is not None:
            continue
        for node in nodes_below(syntax_tree(cell.code)):
            if isinstance(node, ast.Call):
                seed = _seed_of(node)
                if seed is not None:
                    yield {
                        "cell": cell.index,
                        "line": node.lineno,
                        "call": ast.unparse(node.func),
                        "seed": ast.unparse(seed),
                    }


def _seed_of(call: ast.Call) -> ast.expr | None:
    by_name = next((each.value for each in call.keywords if each.arg in SEEDED_BY), None)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args and name in SEEDING else None
    seed = by_name if by_name is not None else first
    return None if isinstance(seed, ast.Constant) and seed.value is None else seed


def _missing(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {"cell": each.cell, "line": each.line, "message": each.message} for each in findings if each.rule == UNSEEDED
    ]


def _cells(notebook: Notebook, result: RunResult) -> list[dict[str, Any]]:
    """How long each cell took, the kernel's memory after it in bytes, and how many outputs of which kinds it has."""
    document = nbformat.read(result.executed, as_version=4)  # type: ignore[no-untyped-call]
    injected = any(INJECTED_TAG in cell.tags for cell in notebook.cells)
    codes = [
        cell
        for cell in document.cells
        if cell.cell_type == "code" and (injected or INJECTED_TAG not in cell.metadata.get("tags", []))
    ]
    times = {time.cell: time for time in result.cells}
    return [
        {
            "cell": cell.index,
            "role": cell.role,
            "seconds": round(times[cell.index].seconds, 3),
            "memory": times[cell.index].memory,
            "restored": times[cell.index].restored,
            "outputs": [output.output_type for output in node.outputs],
        }
        for cell, node in zip(notebook.cells, codes, strict=False)
        if cell.index in times
    ]
