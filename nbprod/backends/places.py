"""The capture plan as the kernel finds it again: each place by its text and by how often that text stood before."""

from __future__ import annotations

import ast

from msgspec import Struct, to_builtins

from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Cell, Notebook
from nbprod.model.plan import CallPlace
from nbprod.model.run import CapturePlan
from nbprod.notebook.parsed import syntax_tree


class Place(Struct, frozen=True):
    """One place for the kernel: `occurrence` counts equal nodes before it in the cell, in preorder.

    `kind` is `raw` (the call that reads the rows), `fit` or `predict`.
    """

    key: str
    kind: str
    cell: int
    line: int
    text: str
    occurrence: int
    method: str = ""


def capture_places(notebook: Notebook, capture: CapturePlan | None) -> tuple[Place, ...]:
    """The places of `capture` in `notebook`. Raises NbprodError where the notebook has no such call."""
    if capture is None:
        return ()
    frames = (capture.raw, *capture.others)
    raws = [_call_place(notebook, place, "raw", f"raw_{number}") for number, place in enumerate(frames)]
    fit = _call_place(notebook, capture.fit, "fit", "fit_0")
    predicts = [
        _call_place(notebook, place, "predict", f"predict_{number}") for number, place in enumerate(capture.predicts)
    ]
    return (*raws, fit, *predicts)


def as_json(places: tuple[Place, ...]) -> list[dict[str, object]]:
    """Plain values for the kernel."""
    return [to_builtins(place) for place in places]


def _call_place(notebook: Notebook, place: CallPlace, kind: str, key: str) -> Place:
    cell = _cell(notebook, place.cell, place.line)
    for node in _preorder(syntax_tree(cell.code)):
        if isinstance(node, ast.Call) and _span(node) == (
            place.line,
            place.column,
            place.end_line,
            place.end_column,
        ):
            text = ast.get_source_segment(cell.code, node) or place.text
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            return Place(key, kind, place.cell, place.line, text, _occurrence(cell, node), method=method)
    raise _lost(notebook, cell, place.line, f"the call {place.text!r} is not there")


def _span(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _cell(notebook: Notebook, index: int, line: int) -> Cell:
    if not 0 <= index < len(notebook.cells) or notebook.cells[index].fault is not None:
        raise NbprodError(
            "the plan looks into a cell that the notebook does not have or that does not parse",
            code="capture-lost",
            where=Where(notebook.path, index, None, line),
            hint="export the notebook again, so that plan and notebook agree",
        )
    return notebook.cells[index]


def _lost(notebook: Notebook, cell: Cell, line: int, reason: str) -> NbprodError:
    return NbprodError(
        f"the capture point is lost: {reason}",
        code="capture-lost",
        where=Where(notebook.path, cell.index, cell.id, line),
        hint="export the notebook again, so that plan and notebook agree",
    )


def _preorder(node: ast.AST) -> list[ast.AST]:
    nodes = [node]
    for child in ast.iter_child_nodes(node):
        nodes.extend(_preorder(child))
    return nodes


def _occurrence(cell: Cell, wanted: ast.AST) -> int:
    """How many equal nodes stand before the one at `wanted`'s position, in preorder as the kernel counts."""
    text = ast.dump(wanted)
    equal = [
        node for node in _preorder(syntax_tree(cell.code)) if type(node) is type(wanted) and ast.dump(node) == text
    ]
    positions = [(getattr(node, "lineno", 0), getattr(node, "col_offset", 0)) for node in equal]
    return positions.index((getattr(wanted, "lineno", 0), getattr(wanted, "col_offset", 0)))
