"""SK-1: whether a divergence that a person has acknowledged changes what the package gives, on the last run's rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from nbprod.api.exporting import drafted, planned, published
from nbprod.api.fitting import fitted
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.progress import Progress
from nbprod.api.proving import replayed
from nbprod.errors import NbprodError
from nbprod.model.finding import Verdict
from nbprod.model.readiness import Evidence
from nbprod.model.run import RunResult

INPUTS = ("the notebook", "acknowledged")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of SK-1 where a divergence is acknowledged: a package of the notebook as it is, against the last run."""
    facts = ground.facts
    if facts.settings.acknowledged is None or facts.verdict not in (Verdict.DIVERGES, Verdict.TRAINING_ONLY):
        return
    said = f"acknowledged = {facts.settings.acknowledged}"
    captures = ground.captures
    assert ground.last is not None
    found = planned(ground.path, output=str(ground.target.root), auto=True)
    with tempfile.TemporaryDirectory(prefix="nbprod-acknowledged-") as folder:
        target = replace(ground.target, root=Path(folder))

        def tell(progress: Progress) -> None:
            ground.tell(f"the notebook as it is: {progress.text}")

        try:
            version = published(drafted(found.plan, found.notebook, target))
            result = RunResult("", str(captures), "", ground.last.python, 0.0)
            version = fitted(target, version, result, run_id=None, on_progress=tell, notebook=ground.path)
            proof = replayed(target, version, captures, ground.last.python, level="quick", on_progress=lambda *_: None)
        except NbprodError as error:
            text = f"on the rows of the last run the notebook as it is fails: {error.message}"
            yield ground.seen("SK-1", False, text, *INPUTS, contradicts=said)
            return
    text = f"{proof.rows_equal:,} of {proof.rows:,} rows of the last run get what they got"
    if proof.status == "failed":
        at = f", not so {proof.mismatch.feature} (cell {proof.mismatch.cell})" if proof.mismatch else ""
        yield ground.seen("SK-1", False, f"{text}{at}", *INPUTS, contradicts=said)
        return
    yield ground.seen("SK-1", True, f"{text} by the notebook as it is", *INPUTS)


PROBE = Probe(("SK-1",), "holding the notebook as it is against the last run", run, inputs=INPUTS)
