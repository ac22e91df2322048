"""A fitted package as the module of a row, and the proof that the two are equal."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .model import UncompiledError
from .models import given_to, model_text
from .nodes import FLOAT, NUMBERS, Lost, Node, Value
from .sources import UnwrittenError
from .tables import UntraceableError
from .tracing import traced
from .transformers import transformed
from .writing import Writer, module_text

CHANCES = "(probabilities)"
"""Stands for a feature's name where probabilities differ."""


@dataclass
class Compiled:
    """The text of a row's module, the features that it makes, and what goes through the package's own code and why.

    `text` is empty where there is none; `tables` are what it walks through. `lost` names features with the reason and
    the line of features.py; `model` says why the model is asked as it is, where it is: with a text for what the
    features give, without one for whole rows.
    """

    text: str = ""
    tables: list[Any] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    lost: dict[str, Lost] = field(default_factory=dict)
    model: str | None = None


def compiled(pipeline: Any, *, chances: bool = True) -> Compiled:
    """The module of a row of a fitted pipeline, with the probabilities of classes where they can be written."""
    if pipeline.features.together:
        beside = Lost("features are made of the rows around a row")
        return Compiled(lost=dict.fromkeys(pipeline.features.output_names_, beside))
    trace = traced(pipeline.features)
    names = list(trace.names)
    if trace.stopped is not None:
        return Compiled(lost=dict.fromkeys(names, trace.stopped))
    lost = {name: value for name, value in zip(names, trace.cells) if isinstance(value, Lost)}
    if lost:
        return Compiled(features=[name for name in names if name not in lost], lost=lost)
    tools = tools_of(pipeline)
    model, asked = None, None
    try:
        vector = _given(tools, pipeline.model, trace.matrix)
        whole = [at for at, cell in enumerate(vector) if isinstance(cell, Node) and cell.kind != FLOAT]
        model = model_text(tools.last_of(pipeline.model), len(vector), whole)
        model.chances = model.chances if chances else ""
    except UntraceableError as fault:
        return Compiled(features=names, model=str(fault))
    except UncompiledError as fault:
        asked = str(fault)
        if not tools.can_be_asked(tools.last_of(pipeline.model), len(vector)):
            return Compiled(features=names, model=asked)
    own = list(trace.cells)
    is_same = len(own) == len(vector) and all(one is other for one, other in zip(own, vector))
    function = "predict" if pipeline.features.answer is None else "score"
    try:
        given = None if is_same else vector
        text = module_text(Writer(dir(tools)), own, names, model, given, function, trace.fields)
    except UnwrittenError as fault:
        return Compiled(lost=dict.fromkeys(names, Lost(str(fault))))
    tables = [] if model is None else model.tables
    try:
        tools.module_of(text, tables)
    except Exception as fault:  # noqa: BLE001 - functions of the notebook are defined in it, with whatever they need
        return Compiled(lost=dict.fromkeys(names, Lost(f"{type(fault).__name__}: {fault}")))
    return Compiled(text, tables, names, model=asked)


def _given(tools: Any, model: Any, matrix: Any) -> list[Value]:
    """What the last estimator of a model gets. Raises UntraceableError where that is not known, or no number."""
    model = tools.searched(model)
    while type(model).__name__ == "Pipeline":
        *steps, (_name, last) = model.steps
        for _step, transformer in steps:
            if transformer is not None and transformer != "passthrough":
                matrix = transformed(transformer, matrix)
        model = tools.searched(last)
    cells = given_to(model, matrix)
    for cell in cells:
        if isinstance(cell, Lost):
            raise UntraceableError(cell.reason)
        if cell.kind not in NUMBERS or cell.optional:
            raise UntraceableError(f"a model of {cell.kind} values that may be missing")
    return cells


def tools_of(pipeline: Any) -> Any:
    """What a compiled row needs besides, which lies in the package."""
    return importlib.import_module(f"{type(pipeline).__module__.rpartition('.')[0]}.rows")


@dataclass(frozen=True)
class Proof:
    """How many rows the module answered as the package's own code does, and how many it left to it.

    `wrong` is the first row that it answered otherwise, with the two answers; `raised` is what it said of the first
    that it left.
    """

    rows: int
    odd: int
    wrong: tuple[int, str, Any, Any] | None = None
    max_error: float = 0.0
    raised: str = ""

    @property
    def holds(self) -> bool:
        """Whether it answered rows, and none otherwise."""
        return self.wrong is None and self.odd < self.rows


def proven(
    module: Any,
    names: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    matrix: Any,
    answers: Any,
    chances: Any = None,
) -> Proof:
    """Hold a module against the package's own matrix, answers and, where there are any, probabilities of the rows."""
    whole = matrix.toarray() if hasattr(matrix, "tocsr") else matrix
    frame = pd.DataFrame(whole)
    columns = [frame.iloc[:, at].tolist() for at in range(frame.shape[1])]
    wanted = list(zip(*columns))
    odd, largest, raised, tolerance = 0, 0.0, "", tolerance_of(module)
    assert len(names) == len(columns), "one name for each feature"
    for row, record in enumerate(records):
        try:
            made, answer = module.features(record), module.predict(record)
        except Exception as fault:  # noqa: BLE001 - a row that raises goes through the package's own code
            odd, raised = odd + 1, raised or f"{type(fault).__name__} {fault}".strip()
            continue
        unequal = None if made == wanted[row] else first_unequal(names, made, wanted[row])
        if unequal is not None:
            return Proof(len(records), odd, (row, *unequal))
        if not is_same_answer(answer, answers[row], tolerance):
            return Proof(len(records), odd, (row, "(prediction)", answer, answers[row]))
        if chances is not None:
            unlike = chances_unlike(module.probabilities(record), chances[row], tolerance)
            if unlike is not None:
                return Proof(len(records), odd, (row, CHANCES, *unlike))
        if isinstance(answer, float) and answer == answer:
            largest = max(largest, abs(answer - answers[row]))
    return Proof(len(records), odd, None, largest, raised)


def tolerance_of(module: Any) -> float:
    """The share of a number by which a module's answers may be off: none but where it says so."""
    tolerance: float = getattr(module, "TOLERANCE", 0.0)
    return tolerance


def chances_unlike(made: Sequence[float], expected: Sequence[float], tolerance: float) -> tuple[Any, Any] | None:
    """Probabilities that part by more than the last bits."""
    most = max(1e-12, tolerance)
    if len(made) == len(expected) and all(abs(one - other) <= most for one, other in zip(made, expected)):
        return None
    return list(made), list(expected)


def first_unequal(
    names: Sequence[str],
    made: Sequence[Any],
    expected: Iterable[Any],
    is_alike: Callable[[Any, Any], bool] | None = None,
) -> tuple[str, Any, Any] | None:
    """The first feature of a row that is another one, with what was made and what was expected.

    Features are alike where they are equal, unless `is_alike` says otherwise.
    """
    is_alike = is_equal if is_alike is None else is_alike
    for name, value, wanted in zip(names, made, expected):
        if not is_alike(value, wanted):
            return name, value, wanted
    return None


def is_same_answer(one: Any, other: Any, tolerance: float = 0.0) -> bool:
    """Whether two predictions are the same: numbers of linear models may part in the last bits.

    Those of a library that computes in 32 bits may part by `tolerance`, a share of the number.
    """
    if isinstance(one, float) and isinstance(other, float):
        most = max(1e-12, 1e-12 * abs(other), tolerance * abs(other))
        return one == other or (one != one and other != other) or abs(one - other) <= most
    return type(one) is type(other) and bool(one == other)


def is_equal(one: Any, other: Any) -> bool:
    """Whether a feature is the same number, or missing in both."""
    if one is None or (isinstance(one, float) and one != one):
        return other is None or bool(pd.isna(other))
    return bool(one == other)
