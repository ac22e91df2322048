"""What lies in a running kernel against the package's transform of the kernel's raw rows, column by column."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .captured import Served, served_whole
from .compare import CELLS_AT_ONCE, compare, structural_fault, tolerance
from .matching import match_rows
from .matrix import Matrix, matrix_of, plain
from .outcome import described
from .subject import Call, CaptureError, Captures, Subject, module_of

_MATCHED = {
    "index": "",
    "value": "which row is which was told by equal values, not by labels: rows in another order would not show",
    "order": "its rows have no labels of the raw rows, and were taken in the order that they stand in",
}
"""What is to be said of how rows were found; labels that are the raw frame's say it themselves."""


@dataclass(frozen=True)
class Held:
    """An object of the kernel: its name there, its columns, and labels of its rows where another object has them.

    `is_given` says that it is what the model is given; any other frame is held against the package's own of that name.
    """

    name: str
    matrix: Matrix
    labels: Any
    is_given: bool


def live(request: dict[str, Any]) -> dict[str, Any]:
    """Compare the objects that the kernel wrote to `captures` with what the fitted package makes of its raw rows."""
    folder, kept = Path(request["captures"]), request["held"]
    codec = module_of("nbprod_codec", Path(request["codec"]))
    frame = codec.load(Path(request["raw_folder"]), request["raw"])
    frame = frame["frame"] if isinstance(frame, dict) else frame
    nothing = Call(0, 0, "fit", None, None, None, None)
    subject = Subject(Path(request["root"]), request["name"], request["version"], Captures((frame,), None, nothing, ()))
    if not subject.is_saved:
        raise CaptureError("the version was never fitted")
    subject.open_served()
    served, own = _served(subject, frame)
    if served.matrix is None:
        return {"columns": [], "refused": described(served.fault) if served.fault else "no row", "held": []}
    held = [Held(each["name"], *_values(codec, folder, each), each["is_given"]) for each in kept]
    names = _names(served.matrix, request["features"])
    return {
        "columns": list(names),
        "refused": None,
        "rows": len(frame),
        "left_out": len(frame) - len(served.rows),
        "held": [_compared(each, served, own, names) for each in held],
    }


def _served(subject: Subject, frame: Any) -> tuple[Served, dict[str, Any]]:
    """What the package makes of the raw rows, and its own frames, by the author's names, where it is done with them.

    Training rows go along behind the raw rows; frames whose rows were left out or moved are not taken.
    """
    code = subject.features_module.Features.prepare.__code__
    anchors = getattr(subject.served.features, "anchors_", None)
    expected = len(frame) + (0 if anchors is None else len(anchors))
    given: list[Any] = []
    own: dict[str, Any] = {}

    def look(running: Any, event: str, _value: Any) -> None:
        if running.f_code is not code:
            return
        if event == "call":
            given[:] = [running.f_locals[code.co_varnames[0]].index]
        elif event == "return" and len(given[0]) == expected:
            found = {name: each for name, each in running.f_locals.items() if isinstance(each, pd.DataFrame)}
            own.update({name: each.iloc[: len(frame)] for name, each in found.items() if each.index.equals(given[0])})

    sys.setprofile(look)
    try:
        served = served_whole(subject, frame)
    finally:
        sys.setprofile(None)
    return served, own


def _counterpart(
    held: Held, served: Served, own: dict[str, Any], names: tuple[str, ...]
) -> tuple[Matrix, tuple[str, ...]] | None:
    """What to hold an object against, and its columns that are features; None where the package has no such frame."""
    if held.name in own and len(served.rows) == len(served.frame):
        made = own[held.name]
        known = [name for name in made.columns if str(name) in names and list(made.columns).count(name) == 1]
        return matrix_of(made[known]), tuple(str(name) for name in known)
    return (served.matrix, names) if held.is_given and served.matrix is not None else None


def _values(codec: Any, folder: Path, entry: dict[str, Any]) -> tuple[Matrix, Any]:
    labels = codec.load(folder, entry["labels"]) if entry["labels"] else None
    return matrix_of(codec.load(folder, entry["stem"])), getattr(labels, "index", None)


def _names(matrix: Matrix, features: list[str]) -> tuple[str, ...]:
    return matrix.names if matrix.named or len(features) != matrix.width else tuple(features)


def _compared(held: Held, served: Served, own: dict[str, Any], features: tuple[str, ...]) -> dict[str, Any]:
    """The columns that both have, each with the number of rows that differ and the first of them."""
    raw_index = served.frame.index[served.rows]
    counterpart = _counterpart(held, served, own, features)
    found: dict[str, Any] = {"name": held.name, "rows": held.matrix.rows, "note": "", "columns": {}}
    if counterpart is None:
        return {**found, "note": "the package has no frame of that name, with these rows, to hold it against"}
    made, names = counterpart
    pairs = _pairs(held.matrix, made, names)
    if not pairs:
        return {**found, "note": _unlike(held.matrix, made)}
    if not held.matrix.rows:
        return {**found, "note": "it has no rows, so that nothing of it was compared"}
    if held.matrix.rows * len(pairs) > CELLS_AT_ONCE and (held.matrix.sparse is not None or made.sparse is not None):
        return {**found, "note": "it is too wide to be compared column by column: nbprod verify compares it whole"}
    block = _columns(held.matrix, [at for _, at, _ in pairs])
    other = _columns(made, [at for _, _, at in pairs])
    index = held.matrix.index if held.matrix.index is not None else held.labels
    rows = _rows(block, other, raw_index, index)
    if rows is None:
        return {**found, "note": "its rows could not be found among the raw rows"}
    by, positions, missing = rows
    found["note"] = _MATCHED[by]
    if missing:
        found["note"] = f"{missing} of its rows are like none that the package makes; the nearest ones are shown"
    labels = index if index is not None and by == "index" else raw_index.take(positions)
    for place, (name, _, _) in enumerate(pairs):
        found["columns"][name] = _column(_columns(block, [place]), _columns(other, [place]).take(positions), labels)
    return found


def _column(kernel: Matrix, package: Matrix, labels: Any) -> dict[str, Any]:
    comparison = compare(kernel, package, tolerance(kernel), strict=False)
    if not comparison.unequal.any():
        return {"unequal": 0, "first": None, "kind": ""}
    at = int(np.flatnonzero(comparison.unequal)[0])
    first = {"row": str(labels[at]), "kernel": plain(kernel.value(at, 0)), "package": plain(package.value(at, 0))}
    return {"unequal": int(comparison.unequal[: kernel.rows].sum()), "first": first, "kind": comparison.structure}


def _pairs(held: Matrix, made: Matrix, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Name, place in the kernel's object and place in the package's matrix of the columns to be compared."""
    if held.named:
        known = {name: place for place, name in enumerate(held.names)}
        return [(name, known[name], place) for place, name in enumerate(names) if name in known]
    return [(name, place, place) for place, name in enumerate(names)] if held.width == made.width else []


def _unlike(held: Matrix, made: Matrix) -> str:
    if held.named:
        return "it has none of the columns that the package makes"
    return f"it has {held.width} columns without names, the package makes {made.width}"


def _columns(matrix: Matrix, places: list[int]) -> Matrix:
    """Some columns of a matrix, as columns also where it is sparse."""
    if matrix.sparse is not None:
        dense = matrix_of(matrix.sparse[:, places].toarray())
        return replace(dense, names=tuple(matrix.names[place] for place in places))
    return replace(
        matrix,
        names=tuple(matrix.names[place] for place in places),
        columns=tuple(matrix.columns[place] for place in places),
    )


def _rows(block: Matrix, made: Matrix, raw_index: Any, index: Any) -> tuple[str, Any, int] | None:
    """How the rows were found, each row's place among those that the package made, and how many have none.

    Labels tell where they are the raw frame's; else equal values; else the order, where there are as many rows.
    """
    bare = replace(block, index=None)
    match = match_rows(bare, replace(made, index=None), raw_index, index, tolerance(block))
    if match.by == "index" or match.comparison.equal:
        return match.by, match.guess, 0
    if block.rows == made.rows:
        return "order", np.arange(block.rows), 0
    missing = int((match.positions < 0).sum())
    fault = structural_fault(bare, replace(made.take(match.guess), index=None), strict=False)
    if fault is not None or missing == block.rows:
        return None
    return match.by, match.guess, missing
