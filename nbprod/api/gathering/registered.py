"""RP-6: the registered model is loaded in a fresh process, and answers as the package does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.scripts import answered
from nbprod.api.tracked import store_of
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "load_registered.py"
OWN = Path(__file__).parent / "scripts" / "answer_rows.py"
ROWS = 20
INPUTS = ("the registry",)


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of RP-6."""
    number = ground.facts.registered.get(ground.version.number)
    if number is None:
        raise UntriedError(f"version {ground.version.number} is not registered")
    rows = ground.records[:ROWS]
    uri = f"models:/{ground.target.name}/{number}"
    own = ground.asked(OWN, given=rows)
    told = answered([sys.executable, str(SCRIPT), store_of(ground.target), uri], rows)
    name = f"{ground.target.name} {number} of the registry (version {ground.version.number})"
    if "reason" in told:
        yield ground.seen("RP-6", False, f"{name} can't be loaded in a fresh process: {told['reason']}", *INPUTS)
        return
    pairs = zip(own["predictions"], told["predictions"], strict=False)
    # A row of a batch that can't be answered has NaN on both sides.
    same = sum(one == other or (one != one and other != other) for one, other in pairs)
    faults = []
    if len(own["predictions"]) != len(told["predictions"]):
        faults.append(
            f"it gives {len(told['predictions'])} predictions where the package gives {len(own['predictions'])}"
        )
    elif same != len(own["predictions"]):
        faults.append(f"{len(own['predictions']) - same} of {len(rows)} predictions are others than the package's")
    if not told["signature"]:
        faults.append("it has no signature")
    if told["digest"] not in (None, ground.version.digest):
        faults.append(f"it is of another package ({told['digest'][:12]})")
    if faults:
        yield ground.seen("RP-6", False, f"{name}: {'; '.join(faults)}", *INPUTS, contradicts="the registry")
        return
    text = f"{name} was loaded in a fresh process, has a signature, and predicts {same} rows as the package does"
    yield ground.seen("RP-6", True, text, *INPUTS)


PROBE = Probe(("RP-6",), "loading the registered model", run, inputs=INPUTS)
