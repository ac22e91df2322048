"""SK-3, SK-5: violations of the schema, and values at edges, are planted in a record and in a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "plant_violations.py"
MOST_REFUSED = 0.001
"""The share of training rows that a contract may refuse: more, and it is no contract of these rows."""
_TYPES: dict[str, tuple[type, ...]] = {"integer": (int, float), "number": (int, float), "boolean": (bool,)}
MOST_EDGES = 300
"""Records with fields at edges at most: each is answered twice by the package's own code."""


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of SK-5, and of SK-3 where no form for one row was held against the package's own code by its fit."""
    captures = "" if ground.last is None else str(ground.captures)
    before = ground.request(ground.record)["records"][:-1] if ground.serves_batches else []
    one_row = ground.facts.one_row
    edges = [] if one_row.get("edges") and not one_row.get("differs") else list(_edges(ground))
    told = ground.asked(SCRIPT, captures, given={"before": before, "record": ground.record, "edges": edges})
    at_edges = _of_edges(ground, told) if edges else None
    stated = _as_declared(ground, told)
    if stated is not None and (at_edges is None or at_edges.held):
        yield stated
    elif at_edges is not None:
        yield at_edges
    faults = [*told["apart"], *(f"{each}: neither path tells of it" for each in told["passed"])]
    columns = ground.facts.settings.columns
    against = None
    if told["rows"] and told["refused"] > MOST_REFUSED * told["rows"]:
        faults.insert(0, f"the contract refuses {told['refused']:,} of {told['rows']:,} training rows")
        against = f"columns.{', columns.'.join(columns)}" if columns else None
    number = ground.version.number
    if not told["planted"]:
        raise UntriedError(f"the contract of version {number} asks for nothing that could be violated")
    if faults:
        yield ground.seen(
            "SK-5", False, f"version {number}: {_first(faults)}", "columns", contradicts=against, numbers=told
        )
        return
    rows = f"; {told['refused']:,} of {told['rows']:,} training rows are refused" if told["rows"] else ""
    text = f"version {number} refuses or flags {told['planted']} planted violations alike on both paths{rows}"
    yield ground.seen("SK-5", True, text, "columns", numbers=told)


def _as_declared(ground: Ground, told: Mapping[str, Any]) -> Evidence | None:
    """What both paths do with what is declared of single columns; None where nothing is."""
    wanted = {
        (name, kind): {"reject": "refused", "flag": "flagged"}[policy]
        for name, each in ground.facts.settings.columns.items()
        for policy, kinds in ((each.on_missing, ("null",)), (each.on_unseen, ("below", "above", "a new category")))
        if policy is not None
        for kind in kinds
    }
    tried = {key: how for key in wanted if (how := told["taken"].get(key[0], {}).get(key[1])) is not None}
    if not wanted:
        return None
    number = ground.version.number
    other = [(key, how) for key, how in tried.items() if how != [wanted[key]] * 2]
    if other:
        (name, kind), (one, table) = other[0]
        key = "on_missing" if kind == "null" else "on_unseen"
        against = f"columns.{name}.{key} = {getattr(ground.facts.settings.columns[name], key)}"
        text = f"version {number}: {name}, {kind}: one record is {one}, a table is {table}"
        return ground.seen("SK-3", False, text, "columns", contradicts=against)
    if not tried:
        return ground.seen("SK-3", None, "no value could be planted in the declared columns", "columns")
    text = f"{len(tried)} values outside of what is declared are taken as declared on both paths (version {number})"
    return ground.seen("SK-3", True, text, "columns")


def _of_edges(ground: Ground, told: Mapping[str, Any]) -> Evidence:
    number, parted = ground.version.number, told["parted"]
    if parted:
        return ground.seen("SK-3", False, f"version {number}: {_first(parted)}", "columns", numbers=told)
    text = f"{told['edges']:,} edge cases give the same in a record and in a table (version {number})"
    return ground.seen("SK-3", True, text, "columns", numbers=told)


def _edges(ground: Ground) -> Iterator[dict[str, Any]]:
    """The fields of records with values at edges, but for those that JSON can't hold, and those of another type.

    A table says of a column what type it is of, and so may hold ones for `true`, which a record may not.
    """
    from nbprod.replay.runner.edges import at_edges

    columns = [SimpleNamespace(**each, required=True) for each in ground.columns.values()]
    found = [each.changed for each in at_edges(columns, [ground.record])]
    held = [
        each
        for each in found
        if all(_is_json(value) and _is_of(value, ground.columns[name]["kind"]) for name, value in each.items())
    ]
    yield from held[:: max(1, -(-len(held) // MOST_EDGES))]


def _is_json(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= each <= "\udfff" for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def _is_of(value: Any, kind: str) -> bool:
    """Whether JSON says a value of this kind of column so, or that it is missing."""
    return value is None or type(value) in _TYPES.get(kind, (str,))


def _first(faults: list[str]) -> str:
    return "; ".join(faults[:3]) + (f", and {len(faults) - 3} more" if len(faults) > 3 else "")


PROBE = Probe(("SK-3", "SK-5"), "planting violations of the schema, and values at edges", run, inputs=("columns",))
