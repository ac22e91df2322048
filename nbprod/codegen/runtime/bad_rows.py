"""The rows of a table that a pipeline answers, and those that it cannot, with all that is wrong about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .faults import ContractError, Fault
from .observing import outside
from .pipeline import Pipeline
from .schema import misfits, with_numbers

REASON_LENGTH = 300


@dataclass(frozen=True)
class Judged:
    """The places of the rows that are answered, their answers and flags, and the faults of the others by place."""

    kept: list[int]
    predictions: Any
    flags: list[Fault]
    bad: dict[int, list[Fault]]


def judged(
    pipeline: Pipeline, read: Callable[[Sequence[int]], Any], places: Sequence[int], typing: dict[str, Any]
) -> Judged:
    """Answer the rows at `places`, which `read` gives as a frame, but for those that cannot be answered.

    Text of csv gets the types that it has without them. Raises ContractError where a column is missing, and what the
    pipeline raises where no row of its own is at fault.
    """
    kept = list(places)
    bad: dict[int, list[Fault]] = {}
    while True:
        frame = read(kept)
        try:
            predictions, flags = pipeline.judge(frame)
        except Exception as error:
            told = _faults(pipeline, frame, error, typing)
            if not told:
                raise
            for fault in told:
                bad.setdefault(kept[fault.row], []).append(fault)
            kept = [place for place in kept if place not in bad]
        else:
            return Judged(kept, predictions, flags, bad)


def _faults(pipeline: Pipeline, frame: Any, error: Exception, typing: dict[str, Any]) -> list[Fault]:
    """What is wrong with which rows of a frame that the pipeline does not take; nothing where no row is at fault."""
    if isinstance(error, ContractError):
        if any(fault.kind in ("missing", "refused") for fault in error.faults):
            return []
        numbers = with_numbers(frame, pipeline.features.schema_, typing)
        wrong = misfits(numbers, pipeline.features.schema_)
        known = {(fault.row, fault.field) for fault in wrong}
        wrong += [
            fault
            for fault in outside(pipeline.contract, numbers)
            if fault.severity == "error" and (fault.row, fault.field) not in known
        ]
        return sorted(wrong or error.faults, key=lambda fault: fault.row)
    try:
        pipeline.predict(pipeline.features.schema_.template)
    except Exception:  # noqa: BLE001 - then the pipeline is at fault, not the rows
        return []
    return [] if pipeline.features.together else _failing(pipeline, frame, 0)


def _failing(pipeline: Pipeline, frame: Any, first: int) -> list[Fault]:
    """The rows on which the pipeline fails, by halves."""
    try:
        pipeline.judge(frame)
    except ContractError as error:
        return [Fault(first + fault.row, fault.field, fault.kind, fault.message) for fault in error.faults]
    except Exception as error:  # noqa: BLE001 - the notebook's code may raise anything for a value it never met
        if len(frame) == 1:
            reason = str(error).strip().split("\n")[0][:REASON_LENGTH]
            return [
                Fault(first, "", "refused", f"{type(error).__name__}: {reason}" if reason else type(error).__name__)
            ]
        half = len(frame) // 2
        parts = ((frame.iloc[:half], first), (frame.iloc[half:], first + half))
        return [fault for part, at in parts for fault in _failing(pipeline, part, at)]
    return []
