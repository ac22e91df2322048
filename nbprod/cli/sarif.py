"""Problems as SARIF 2.1.0 (OASIS), which code scanning services and editors read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbprod import __version__
from nbprod.cli.places import file_line, file_lines
from nbprod.cli.problem import Problem
from nbprod.model.notebook import Notebook

RULES: dict[str, str] = {
    "preprocessing-leakage": "Preprocessing is fitted on rows that include test rows.",
    "overlap-leakage": "The rows that test a model, or copies of them, are learned from.",
    "multi-test-leakage": "The same test rows are used to choose and to report.",
    "target-leakage": "A feature is computed from the target.",
    "divergent-test-path": "Test rows are prepared otherwise than training rows.",
    "missing-seed": "A random step has no seed.",
    "out-of-order": "Cells were executed in another order than they stand.",
    "syntax-error": "A cell does not parse.",
    "undefined-name": "A name is read that no remaining cell defines.",
    "stale-output": "A saved output does not belong to the cell's code.",
    "secret": "A secret stands in a cell or an output.",
    "conflicting-role": "A cell carries two roles.",
    "unknown-role": "A cell carries a role that nbprod does not know.",
    "pandas-version": "A write that reaches the frame under one pandas and not under another.",
    "not-servable": "A step on the serving path can not be extracted.",
    "missing-data": "A file that the notebook reads is not here, so that not all could be checked.",
    "divergence": "The notebook is no longer what its package was exported from.",
    "stale": "The exported package is not what the notebook gives today.",
}

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(
    problems: Sequence[Problem], notebooks: Mapping[str, Notebook], failed: Sequence[Problem] = ()
) -> dict[str, Any]:
    """A SARIF log of one run. `failed` are the errors that stopped the work on single notebooks."""
    rules = sorted({problem.rule for problem in problems})
    lines = {path: file_lines(notebook) for path, notebook in notebooks.items()}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "nbprod",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not failed,
                        "toolExecutionNotifications": [_notification(problem) for problem in failed],
                    }
                ],
                "results": [
                    _result(problem, rules.index(problem.rule), lines, notebooks.get(problem.path))
                    for problem in problems
                ],
            }
        ],
    }


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": RULES.get(rule, rule.replace("-", " "))}}


def _result(
    problem: Problem, index: int, lines: Mapping[str, tuple[tuple[int, ...], ...]], notebook: Notebook | None
) -> dict[str, Any]:
    known = lines.get(problem.path, ())
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": _LEVELS[problem.severity],
        "message": {"text": problem.told},
        "locations": [_location(problem.path, problem.cell, problem.line, problem.end_line, known)],
        "partialFingerprints": {"nbprod/v1": _fingerprint(problem, notebook)},
    }
    if problem.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(problem.path, each.cell, each.line, each.line, known),
                "message": {"text": each.message},
            }
            for number, each in enumerate(problem.related)
        ]
    return result


def _location(
    path: str, cell: int | None, line: int, end_line: int, known: tuple[tuple[int, ...], ...]
) -> dict[str, Any]:
    artifact = {"artifactLocation": {"uri": _uri(path)}}
    if cell is None:
        return {"physicalLocation": {**artifact, "region": {"startLine": max(1, line)}}}
    first, last = file_line(known, cell, line), file_line(known, cell, end_line)
    return {
        "physicalLocation": {**artifact, "region": {"startLine": first, "endLine": max(first, last)}},
        "logicalLocations": [
            {"name": f"cell {cell}, line {line}", "fullyQualifiedName": f"{path}#cell={cell}", "kind": "cell"}
        ],
    }


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "error",
        "descriptor": {"id": problem.rule},
        "message": {"text": problem.told},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(problem.path)}}}],
    }


def _fingerprint(problem: Problem, notebook: Notebook | None) -> str:
    """Stays the same when the cell or the line moves: rule, and the text it stands at."""
    text = ""
    if notebook is not None and problem.cell is not None and problem.cell < len(notebook.cells):
        source = notebook.cells[problem.cell].source.splitlines()
        text = "\n".join(line.strip() for line in source[problem.line - 1 : problem.end_line])
    return blake2b(f"{problem.rule}\0{problem.path}\0{text}".encode(), digest_size=16).hexdigest()


def _uri(path: str) -> str:
    """Relative to the current directory where it lies below it, as code scanning wants; else absolute."""
    absolute = Path(path).resolve()
    here = Path.cwd()
    if absolute.is_relative_to(here):
        return quote(absolute.relative_to(here).as_posix())
    return absolute.as_uri()
