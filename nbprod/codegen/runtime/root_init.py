"""A pipeline made from a notebook: load a fitted version, train a new state, evaluate it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def load(version: int | str | None = None) -> Any:
    """The fitted pipeline: the newest fitted version, or the one of this number (2), name ("v0002") or alias."""
    return support(_fitted(version), "pipeline").Pipeline.load()


def service(version: int | str | None = None) -> Any:
    """What answers requests for a version, chosen as by `load`: without pandas where its rows are compiled."""
    number = _fitted(version)
    return support(number, "light").load() if _has(f"{_folder(number)}/light.py") else load(number)


def train(frame: Any, version: int | str | None = None) -> Any:
    """Fit features and model on raw rows (a DataFrame), by the newest version's code; `.save()` keeps the result."""
    return importlib.import_module(f".v{numbered(version):04d}.train", __name__).train(frame)


def evaluate(pipeline: Any, frame: Any) -> dict[str, float]:
    """The notebook's metrics of a pipeline on raw rows with their target, by the pipeline's own version."""
    package = type(pipeline.features).__module__.rpartition(".")[0]
    metrics: dict[str, float] = importlib.import_module(f"{package}.evaluate").evaluate(pipeline, frame)
    return metrics


def versions() -> list[dict[str, Any]]:
    """The ledger's entries of the versions that are here, oldest first, each with `number` and `fitted`."""
    ledger = json.loads((_HERE / "versions.json").read_text(encoding="utf-8")) if _has("versions.json") else []
    known = {int(entry["number"]): entry for entry in (ledger["versions"] if isinstance(ledger, dict) else ledger)}
    here = sorted(int(path.name[1:]) for path in _HERE.glob("v[0-9]*") if path.name[1:].isdigit() and path.is_dir())
    if not here:
        raise RuntimeError(f"there is no version of {__name__} in {_HERE}")
    return [
        {**known.get(number, {}), "number": number, "fitted": _has(f"v{number:04d}/state/fitted.json")}
        for number in here
        if number in known or not known
    ]


def numbered(version: int | str | None = None) -> int:
    """The number of a version by its code, fitted or not: the newest, or the one that is named."""
    return int(versions()[-1]["number"]) if version is None else _number(version)


def support(number: int, name: str) -> Any:
    """A support module of a version, such as "score"; `train` and the other modules of the notebook are none."""
    return importlib.import_module(f".{_folder(number).replace('/', '.')}.{name}", __name__)


def _folder(number: int) -> str:
    """Where the support modules of a version lie: beside the notebook's own in what earlier releases have exported."""
    version = f"v{number:04d}"
    return f"{version}/runtime" if _has(f"{version}/runtime") else version


def _has(path: str) -> bool:
    return (_HERE / path).exists()


def _fitted(version: int | str | None) -> int:
    if version is not None:
        return _number(version)
    fitted = [int(entry["number"]) for entry in versions() if entry["fitted"]]
    if not fitted:
        raise RuntimeError(
            f"no version of {__name__} is fitted: "
            f"call {__name__}.train(frame) on raw rows, then .save() on what it returns"
        )
    return fitted[-1]


def _number(version: int | str) -> int:
    """The number behind a number, a name or an alias; a number is told by its folder where the ledger is broken."""
    try:
        entries = versions()
    except ValueError:
        if isinstance(version, int) and _has(f"v{version:04d}"):
            return version
        raise
    for entry in entries:
        names = {str(entry["number"]), f"v{entry['number']:04d}", *entry.get("aliases", ())}
        if str(version) in names:
            return int(entry["number"])
    there = ", ".join(f"{entry['number']}" for entry in entries)
    raise LookupError(f"{__name__} has no version {version!r}; there are {there}")
