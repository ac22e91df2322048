"""NB-5: the package is imported, loaded and asked by itself, with no more than its lock file, under an audit hook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbprod.api.facts import within
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.scripts import answered
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "import_alone.py"


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of NB-5."""
    told = answered([ground.fitted.python, "-I", str(SCRIPT), *ground.words])
    if "reason" in told:
        raise UntriedError(f"importing it by itself failed: {told['reason']}")
    told = {**told, "opened": [shortened(each, ground.target.project.root) for each in told["opened"]]}
    number = ground.version.number
    lacking = told["lacking"]
    faults = [
        *([f"it imports {lacking}, which requirements.lock does not lead to"] if lacking else []),
        *(f"it {each}" for each in told["opened"]),
        *(f"it calls {each}" for each in told["calls"]),
    ]
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        against = f"requirements.lock of version {number}" if lacking else None
        said = f"version {number}, imported alone: {'; '.join(faults[:3])}{more}"
        yield ground.seen("NB-5", False, said, contradicts=against, numbers=told)
        return
    needs = ", ".join(told["needs"]) or "the standard library alone"
    text = f"version {number} answered with all hidden but what its lock file leads to ({needs})"
    yield ground.seen("NB-5", True, f"{text}; it opened no other file and made no connection", numbers=told)


def shortened(opened: str, root: Path) -> str:
    """`reads data/a.csv`, `writes ~/cache/b`: the path from the project or the home folder, where it lies there."""
    verb, _, path = opened.partition(" ")
    inside = within(root, path)
    at_home = Path(inside).is_absolute() and Path(inside).is_relative_to(Path.home())
    return f"{verb} {Path('~', Path(inside).relative_to(Path.home())) if at_home else inside}"


PROBE = Probe(("NB-5",), "importing the package by itself", run)
