"""A divergence in one sentence, for people."""

from __future__ import annotations

from nbprod.model.finding import Divergence


def describe(divergence: Divergence) -> str:
    """What differs and where, such as `feature "Age" changed at cell 4, line 2`."""
    what = _what(divergence)
    if divergence.cell < 0:
        return what
    return f"{what} at cell {divergence.cell}, line {divergence.line}"


def _what(divergence: Divergence) -> str:
    name = divergence.feature
    named = "what all features share" if name.startswith("(") else f'feature "{name}"'
    match divergence.kind:
        case "changed" | "added" | "removed":
            return f"{named} {divergence.kind}"
        case "order":
            return "the order of the features changed"
        case "target":
            return f"the target changed from {divergence.before or 'none'} to {divergence.after or 'none'}"
        case "answer":
            return (
                f"predictions are turned back by {divergence.after or 'nothing'}, not {divergence.before or 'nothing'}"
            )
        case "model":
            return f"the model changed from {divergence.before or 'none'} to {divergence.after or 'none'}"
        case "training":
            return "training of the model changed" if name == "(model)" else "a step of training changed"
        case "hand-edited":
            return f"{name} was edited by hand"
        case "input-added":
            return f'raw column "{name}" is read'
        case "input-removed":
            return f'raw column "{name}" is no longer read'
        case "cosmetic":
            return "another wording of the same"
        case _:
            return f"{named} rests on a step that the analysis does not know; a replay decides"
