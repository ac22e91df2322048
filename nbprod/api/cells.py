"""Cells, suggestions and findings as the JSON interface has them."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from nbprod.api.outlining import Outline
from nbprod.model.finding import Finding
from nbprod.model.notebook import Suggestion


def cells_as_json(known: Outline, *, effects: bool) -> list[dict[str, Any]]:
    """The cells with role, suggestion and steps, and on request what they define, update and use."""
    cells = []
    suggestions = {each.cell: each for each in known.suggestions}
    for cell in known.notebook.cells:
        suggestion = suggestions.get(cell.index)
        row: dict[str, Any] = {
            "index": cell.index,
            "id": cell.id,
            "role": cell.role,
            "marked_by": cell.marked_by,
            "suggestion": suggestion_as_json(suggestion) if suggestion else None,
            "steps": list(known.steps[cell.index]),
        }
        if effects:
            did = known.analysis.effects[cell.index]
            row |= {"defines": list(did.defines), "updates": list(did.updates), "uses": list(did.uses)}
        cells.append(row)
    return cells


def suggestion_as_json(suggestion: Suggestion) -> dict[str, Any]:
    """A suggested role with its reason."""
    return {"role": suggestion.role, "confidence": suggestion.confidence, "reason": suggestion.reason}


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as the interface has it."""
    return {**to_builtins(finding), "related": [to_builtins(each) for each in finding.related]}
