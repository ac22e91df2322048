"""NB-5: the package is imported, loaded and asked by itself, with no more than its lock file, under an audit hook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbprod.api.facts import within
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.scripts import answered
from nbprod.model.readiness import Evidence
from nbprod.readiness.judging import first_of

SCRIPT = Path(__file__).parent / "scripts" / "import_alone.py"


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of NB-5."""
    declared = ground.facts.settings.runtime_deps
    told = answered([ground.fitted.python, "-I", str(SCRIPT), *ground.words, *declared])
    if "reason" in told:
        raise UntriedError(f"importing it by itself failed: {told['reason']}")
    told = {**told, "opened": [shortened(each, ground.target.project.root) for each in told["opened"]]}
    number = ground.version.number
    faults, against = _faults(told, number, declared)
    if faults:
        said = f"version {number}, imported alone: {first_of(tuple(faults))}"
        yield ground.seen("NB-5", False, said, "runtime_deps", contradicts=against, numbers=told)
        return
    needs = ", ".join(told["needs"]) or "the standard library alone"
    text = f"version {number} answered with all hidden but what its lock file leads to ({needs})"
    text = f"{text}; it opened no other file and made no connection"
    yield ground.seen("NB-5", True, text, "runtime_deps", numbers=told)


def _faults(told: Mapping[str, Any], number: int, declared: Sequence[str]) -> tuple[list[str], str | None]:
    """What the package needs or does that it may not, and what says so: its lock file before what is declared."""
    lacking = told["lacking"]
    faults = [
        *([f"it imports {lacking}, which requirements.lock does not lead to"] if lacking else []),
        *(f"it {each}" for each in told["opened"]),
        *(f"it calls {each}" for each in told["calls"]),
    ]
    if faults:
        return faults, f"requirements.lock of version {number}" if lacking else None
    other = [
        *(f"it imports {each}, which they do not lead to" for each in told["undeclared"]),
        *(f"it does not import {each}" for each in told["unused"]),
    ]
    return (other, f"runtime_deps = {list(declared)}") if declared else ([], None)


def shortened(opened: str, root: Path) -> str:
    """`reads data/a.csv`, `writes ~/cache/b`: the path from the project or the home folder, where it lies there."""
    verb, _, path = opened.partition(" ")
    inside = within(root, path)
    at_home = Path(inside).is_absolute() and Path(inside).is_relative_to(Path.home())
    return f"{verb} {Path('~', Path(inside).relative_to(Path.home())) if at_home else inside}"


PROBE = Probe(("NB-5",), "importing the package by itself", run, inputs=("runtime_deps",))
