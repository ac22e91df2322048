"""The contract as a schema of pandera, for those who check their tables with it: the same verdict on each row.

https://pandera.readthedocs.io; pandera is needed for nothing else, so it is imported here alone.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from .contract import Column, Contract
from .observing import as_json

OLDEST = (0, 24)


def schema_of(contract: Contract) -> Any:
    """A `DataFrameSchema` for raw rows. What the contract refuses is an error, what it marks a warning.

    Types, missing values, ranges and categories are checks of the columns from which features are made; other columns
    of training may be there, ones that it did not have are marked, or refused where the contract is strict. What hangs
    on more than the row's own values (lookup tables, the rows around a row, the model's doubts) is told by the package.

    Raises ImportError where pandera is not installed, or too old.
    """
    pandera = _pandera()
    known = frozenset(column.name for column in contract.columns)
    extra = pandera.Check(
        lambda frame: known.issuperset(map(str, frame.columns)),
        name="extra",
        error="extra: a column that the pipeline does not know",
        raise_warning=True,
    )
    return pandera.DataFrameSchema(
        {column.name: _column(pandera, contract, column) for column in contract.columns},
        checks=[] if contract.strict else [extra],
        strict=contract.strict,
        name=contract.name,
        description=f"raw rows of {contract.name}, digest {contract.digest or '-'}",
        metadata={"digest": contract.digest, "policy": contract.policy},
    )


def _column(pandera: Any, contract: Contract, column: Column) -> Any:
    told = {
        name: getattr(column, name) for name in ("dtype", "kind", "min", "max") if getattr(column, name) is not None
    }
    if not column.required:
        return pandera.Column(required=False, nullable=True, metadata=told)
    is_marked = contract.severity_of(column.on_unseen) == "flag"
    is_refused = column.on_missing == "reject"
    checks = [_check(pandera, contract, column, "type", f"no {column.kind}", is_marked=False)]
    if column.min is not None:
        said = f"outside of {column.min} to {column.max}"
        checks.append(_check(pandera, contract, column, "range", said, is_marked, min=column.min, max=column.max))
    if column.categories is not None:
        said = "is none of those declared" if "categories" in column.stated else "does not occur in training"
        checks.append(_check(pandera, contract, column, "unseen", said, is_marked, categories=column.categories))
    if column.filled:
        is_marked = contract.severity_of(column.on_missing) == "flag"
        checks.append(_check(pandera, contract, column, "null", "training has no missing value", is_marked))
    return pandera.Column(nullable=(column.nullable or column.filled) and not is_refused, checks=checks, metadata=told)


def _check(
    pandera: Any, contract: Contract, column: Column, kind: str, said: str, is_marked: bool, **statistics: Any
) -> Any:
    """A check that fails for the values of which the contract says that they have a fault of this kind."""
    return pandera.Check(
        _is_fine(contract, column, kind),
        name=kind,
        error=f"{kind}: {said}",
        ignore_na=kind != "null",
        raise_warning=is_marked,
        statistics=statistics or None,
    )


def _is_fine(contract: Contract, column: Column, kind: str) -> Callable[[Any], Any]:
    def is_fine(series: Any) -> Any:
        verdicts: dict[Any, bool] = {}
        fine = []
        for gone, value in zip(series.isna().tolist(), series.astype(object).tolist()):
            said = None if gone else as_json(value)
            key = type(said), said
            if key not in verdicts:
                verdicts[key] = all(fault.kind != kind for fault in contract.faults_of(0, column, said))
            fine.append(verdicts[key])
        return pd.Series(fine, index=series.index, dtype=bool)

    return is_fine


def _pandera() -> Any:
    try:
        known = importlib.import_module("pandera").__version__
    except ImportError as error:
        raise ImportError(
            "a schema of pandera takes pandera, which is not installed: pip install pandera, or nbprod[pandera]"
        ) from error
    if tuple(map(int, re.findall(r"\d+", known)[:2])) < OLDEST:
        raise ImportError(f"a schema of pandera takes pandera {'.'.join(map(str, OLDEST))} or later, not {known}")
    return importlib.import_module("pandera.pandas")
