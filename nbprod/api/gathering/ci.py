"""TM-3: the checks of the workflow hold, as seen by a CI service that runs them on this very commit."""

from __future__ import annotations

import os
from collections.abc import Iterator

from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.api.recording import ci_service
from nbprod.model.finding import Severity, Verdict
from nbprod.model.readiness import Evidence
from nbprod.versions import git_state

INPUTS = ("the notebook", "the workflows", "the commit")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of TM-3: only where a CI service is at work; what passes on a desk shows nothing of it."""
    service = ci_service(os.environ)
    if service is None:
        raise UntriedError("this is no CI service: the workflow gathers it where it runs")
    state = git_state(ground.target.project.root)
    if state is None or state.commit is None:
        raise UntriedError("there is no commit that it could be about")
    facts, commit = ground.facts, state.commit[:12]
    faults = [f"{each.rule} in cell {each.cell}" for each in facts.findings if each.severity is Severity.ERROR]
    if facts.verdict not in (Verdict.SAME, Verdict.COSMETIC):
        faults.append(f"the notebook and its package: {facts.verdict}")
    if facts.export.unknown is not None:
        faults.append(facts.export.unknown)
    if facts.export.changed:
        faults.append(f"an export would change {facts.export.changed[0]}")
    numbers = {"commit": state.commit, "service": service}
    if faults:
        yield ground.seen(
            "TM-3", False, f"{service}, commit {commit}: {'; '.join(faults[:3])}", *INPUTS, numbers=numbers
        )
        return
    text = f"{service}, commit {commit}: no error is found, and an export would change nothing"
    yield ground.seen("TM-3", True, text, *INPUTS, numbers=numbers)


PROBE = Probe(("TM-3",), "asking whether CI holds the gate", run, inputs=INPUTS)
