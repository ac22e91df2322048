"""Roles proposed for untagged cells, by what they do and by their place in the dataflow."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from nbprod.analysis.roles.rules import Rule
from nbprod.analysis.roles.steps import SHAPE, Evidence, evidence_of_cells
from nbprod.model.notebook import Notebook, Role, Suggestion
from nbprod.model.program import Edge
from nbprod.notebook.parsed import parsed

_ROLE_OF_STEP = {
    "data": Role.DATA,
    "preprocessing": Role.FEATURES,
    "features": Role.FEATURES,
    "train": Role.TRAIN,
    "evaluate": Role.EVALUATE,
    "predict": Role.EVALUATE,
    "explore": Role.EXPLORE,
}
_MIXED, _NEAR_FIT, _AWAY = 0.12, 0.08, 0.35
_UNKNOWN_ON_THE_WAY = 0.6


class _Place(Struct, frozen=True):
    """Where a cell stands: the training cell that its values reach, and whether anything uses them at all."""

    reaches: int | None
    feeds: bool
    known: bool


def suggest(
    notebook: Notebook,
    steps: Sequence[tuple[str, ...]],
    flow: Sequence[Edge] | None = None,
    rules: tuple[Rule, ...] = (),
) -> tuple[Suggestion, ...]:
    """A role for each untagged cell that should have one, with its reason and a confidence in 0…1.

    `steps` are those of the cells (`steps_of_cells`), `flow` the edges between cells, where they are known;
    `rules` are a project's own. Cells that only import or define get none.
    """
    evidence = evidence_of_cells(notebook.cells, rules)
    trained = {
        index
        for index, found in enumerate(evidence)
        if "train" in steps[index] and _strongest(found, "train") is not None
    } | {cell.index for cell in notebook.cells if cell.role is Role.TRAIN}
    places = _places(len(notebook.cells), trained, flow)
    found = (
        _suggestion(cell.index, cell.code, evidence[cell.index], tuple(steps[cell.index]), places[cell.index])
        for cell in notebook.cells
        if cell.role is None and cell.fault is None
    )
    return tuple(suggestion for suggestion in found if suggestion is not None)


def _places(count: int, trained: set[int], flow: Sequence[Edge] | None) -> tuple[_Place, ...]:
    if flow is None:
        return tuple(_Place(None, feeds=False, known=False) for _ in range(count))
    leading: dict[int, set[int]] = {}
    for edge in flow:
        leading.setdefault(edge.target, set()).add(edge.source)
    feeding, reached = {edge.source for edge in flow}, _reached(leading, trained)
    return tuple(_Place(reached.get(cell), cell in feeding, known=True) for cell in range(count))


def _reached(leading: dict[int, set[int]], trained: set[int]) -> dict[int, int]:
    """For each cell the first training cell that its values flow into, without another one between."""
    reached: dict[int, int] = {}
    for training in sorted(trained):
        queue = [training]
        while queue:
            for source in leading.get(queue.pop(), ()):
                if source not in reached:
                    reached[source] = training
                    if source not in trained:
                        queue.append(source)
    return reached


def _strongest(found: Sequence[Evidence], *steps: str) -> Evidence | None:
    """The best evidence for one of the steps that happens when the cell runs."""
    mine = [one for one in found if one.step in steps and not one.deferred]
    return max(mine, key=lambda one: one.confidence, default=None)


@lru_cache(maxsize=4096)
def _suggestion(
    cell: int, code: str, found: tuple[Evidence, ...], steps: tuple[str, ...], place: _Place
) -> Suggestion | None:
    if _only_defines(code):
        return None
    happens = [one for one in found if not one.deferred and one.step in steps and one.rule != SHAPE.rule]
    chosen = _chosen(happens)
    if chosen is None:
        return _by_place(cell, place)
    role, best = chosen
    others = {_ROLE_OF_STEP[one.step] for one in happens if one.step in _ROLE_OF_STEP} - {role, Role.EXPLORE}
    confidence = best.confidence - _MIXED * len(others)
    reason = f"{best.message}: `{best.text}`"
    if others:
        reason += f"; also does {_listed(sorted(others))}"
    if place.known:
        role, confidence, reason = _placed(role, confidence, reason, place)
    return Suggestion(cell, role, round(min(max(confidence, 0.05), 0.99), 2), reason)


def _chosen(happens: Sequence[Evidence]) -> tuple[Role, Evidence] | None:
    """The role of the stage furthest along, for a cell does earlier stages to get there."""
    fit = _strongest([one for one in happens if one.confidence >= 0.8], "train")
    judged = _strongest(happens, "evaluate", "predict")
    if fit is not None:
        return Role.TRAIN, fit
    if judged is not None:
        return Role.EVALUATE, judged
    read = _strongest(happens, "data")
    made = [one for one in happens if one.step in ("preprocessing", "features")]
    if read is not None and len({one.line for one in made}) <= 2:
        return Role.DATA, read
    for step_group in (("train",), ("features", "preprocessing"), ("data",), ("explore",)):
        best = _strongest(happens, *step_group)
        if best is not None:
            return _ROLE_OF_STEP[best.step], best
    return None


def _placed(role: Role, confidence: float, reason: str, place: _Place) -> tuple[Role, float, str]:
    """The suggestion in the light of what the cell's values are used for."""
    match role:
        case Role.FEATURES | Role.DATA if place.reaches is not None:
            return role, confidence + _NEAR_FIT, f"{reason}; it reaches the training in cell {place.reaches}"
        case Role.FEATURES if not place.feeds:
            return Role.EXPLORE, 0.6, f"{reason}, but nothing uses the result"
        case Role.FEATURES | Role.DATA:
            return role, confidence - _AWAY, f"{reason}, but it reaches no training"
        case Role.EXPLORE if not place.feeds:
            return role, confidence + _NEAR_FIT, f"{reason}; nothing depends on it"
        case Role.EXPLORE if place.reaches is not None:
            return Role.FEATURES, 0.5, f"{reason}, and it changes what reaches the training in cell {place.reaches}"
        case _:
            return role, confidence, reason


def _by_place(cell: int, place: _Place) -> Suggestion | None:
    """A cell that no rule knows, on the way to the training."""
    if place.reaches is None:
        return None
    reason = f"its values reach the training in cell {place.reaches}"
    return Suggestion(cell, Role.FEATURES, _UNKNOWN_ON_THE_WAY, reason)


@lru_cache(maxsize=2048)
def _only_defines(code: str) -> bool:
    """Whether the cell holds nothing but imports, definitions, constants and text."""
    return all(_defines(statement) for statement in parsed(code).body)


def _defines(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Pass():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(value=value) | ast.AnnAssign(value=value) if value is not None:
            return not any(isinstance(node, ast.Call | ast.Subscript | ast.Name) for node in ast.walk(value))
        case ast.Try(body=body, handlers=handlers):
            return all(map(_defines, body)) and all(_defines(inner) for one in handlers for inner in one.body)
        case _:
            return False


def _listed(roles: Sequence[Role]) -> str:
    return " and ".join(f"`{role}`" for role in roles)
