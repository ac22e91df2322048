"""The pipeline without pandas and scikit-learn: it answers ordinary records, and loads the whole one for any others."""

from __future__ import annotations

import importlib
import json
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .contract import Contract
from .faults import MOST_FAULTS, ContractError, Fault, in_order
from .rows import EXAMPLE, FILE, load_rows
from .state import HERE, OfVersion, StateError, checked

MOST_RECORDS = 256
"""Records that are answered one by one; of more than these pandas is as fast, and answers them together."""

MOST_ASKED = 16
"""The same where the model itself is asked for each of them."""


def load(folder: str | Path | None = None) -> Any:
    """What serves a fitted version (this one by default): `Light` where its rows are compiled, else the pipeline.

    Raises as `Pipeline.load` does.
    """
    folder = HERE if folder is None else Path(folder)
    fitted, contract = checked(folder)
    rows = load_rows(folder / "state") if FILE in fitted["files"] else None
    example = json.loads((folder / "state" / EXAMPLE).read_text(encoding="utf-8")) if rows is not None else None
    if rows is None or not hasattr(rows, "predict") or example is None or contract.lookups:
        return importlib.import_module(".pipeline", __package__).Pipeline.of_checked(folder, fitted, contract)
    return Light(folder, contract, rows, example)


def at_once(contract: Contract, rows: ModuleType | None, records: Sequence[Any]) -> Any:
    """Predictions and flags for a few ordinary records, without pandas; None where the whole pipeline is needed.

    Raises ContractError where the contract refuses a record.
    """
    most = MOST_ASKED if getattr(rows, "asked", False) else MOST_RECORDS
    if rows is None or contract.lookups or not 0 < len(records) <= most:
        return None
    faults = contract.validate(records, MOST_FAULTS)
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        raise ContractError(errors)
    predictions = answered(rows, records)
    if predictions is None:
        return None
    if contract.unsure is not None:
        chances = chances_of(rows, records)
        if chances is None:
            return None
        faults = in_order(faults, contract.doubts(chances))
        for row in contract.withheld(faults):
            predictions[row] = None
    for row in contract.defaulted(faults):
        predictions[row] = contract.default
    return predictions, faults


def answered(rows: ModuleType, records: Sequence[Any]) -> list[Any] | None:
    """The predictions for records, one by one; None where the code that they stand for has to tell what is odd."""
    try:
        return [rows.predict(record) for record in records]
    except Exception:  # noqa: BLE001 - whatever is odd about a record, the package's own code says what that means
        return None


def chances_of(rows: ModuleType | None, records: Sequence[Any]) -> list[list[float]] | None:
    """The probabilities of the classes for records, one by one; None where that takes the package's own code."""
    ask = getattr(rows, "probabilities", None)
    most = MOST_ASKED if getattr(rows, "asked", False) else MOST_RECORDS
    if ask is None or len(records) > most:
        return None
    try:
        return [list(ask(record)) for record in records]
    except Exception:  # noqa: BLE001 - whatever is odd about a record, the package's own code says what that means
        return None


class Light(OfVersion):
    """A fitted version that is served: the contract, the compiled rows, and an example with its answer."""

    def __init__(self, folder: Path, contract: Contract, rows: ModuleType, example: dict[str, Any]) -> None:
        self.folder = folder
        self.contract = contract
        self.rows = rows
        self._example = example
        self._whole: Any = None
        self._loading = threading.Lock()

    def at_once(self, records: Sequence[Any]) -> Any:
        """As `answer`, without pandas; None where that takes the whole pipeline."""
        return at_once(self.contract, self.rows, records)

    def answer(self, records: Sequence[Any]) -> tuple[list[Any], list[Fault]]:
        """Predictions for records as JSON has them, with their flags; see `Pipeline.answer`."""
        made: tuple[list[Any], list[Fault]] | None = self.at_once(records)
        return self.whole().answer(records) if made is None else made

    def probabilities(self, records: Sequence[Any]) -> list[list[float]]:
        """The probabilities of the classes for records; see `Pipeline.probabilities`."""
        made = chances_of(self.rows, records)
        if made is None:
            whole: list[list[float]] = self.whole().probabilities(records)
            return whole
        return made

    def whole(self) -> Any:
        """The whole pipeline, which is loaded when it is needed for the first time, and takes its second or two."""
        with self._loading:
            if self._whole is None:
                self._whole = importlib.import_module(".pipeline", __package__).Pipeline.load(self.folder)
            return self._whole

    def example(self) -> dict[str, Any]:
        """A record as training had it."""
        return dict(self._example["record"])

    def hold(self) -> None:
        """Raise StateError where the example is not answered as it was when the version was fitted."""
        made, then = answered(self.rows, [self._example["record"]]), self._example["answer"]
        if made is None or not (made[0] == then or _is_close(made[0], then)):
            raise StateError("the pipeline no longer answers its example")


def _is_close(now: Any, then: Any) -> bool:
    """Numbers that another release of NumPy gives, which may part in the last bits."""
    return isinstance(now, float) and isinstance(then, float) and math.isclose(now, then, rel_tol=1e-9, abs_tol=1e-12)
