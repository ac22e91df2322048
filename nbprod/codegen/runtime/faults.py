"""What about a record or a table the contract does not allow, by row and field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_FAULTS = 1000
"""Errors of a request that are told: behind so many of them its further records are not looked at."""


@dataclass(frozen=True)
class Fault:
    """One thing about one field of one row that training has not seen.

    `kind` is missing, extra, type, null, range, unseen, history, unsure or refused; `severity` is `error` (no
    prediction is made) or `flag` (the prediction is made and marked). `row` counts from 0 in the request.
    """

    row: int
    field: str
    kind: str
    message: str
    severity: str = "error"


def in_order(*faults: Iterable[Fault]) -> list[Fault]:
    """Faults of several origins in the order of their rows."""
    return sorted((fault for each in faults for fault in each), key=lambda fault: fault.row)


class ContractError(ValueError):
    """Raw rows that the pipeline does not take; `faults` says why, by row and field."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [f"{fault.field or 'record'} (row {fault.row}): {fault.message}" for fault in self.faults[:5]]
        if len(self.faults) > len(shown):
            shown.append(f"and {len(self.faults) - len(shown)} more")
        super().__init__("; ".join(shown))
