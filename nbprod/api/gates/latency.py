"""The gate of latency: one record is answered within the time that the configuration states."""

from __future__ import annotations

from pathlib import Path

import nbprod
from nbprod.api.gates.case import Case
from nbprod.api.scripts import answered
from nbprod.api.serving import interpreter
from nbprod.model.promotion import Gate

NAME = "latency"
SCRIPT = Path(nbprod.__file__).parent / "api" / "answer_times.py"
CALLS = 500


def fast_enough(case: Case) -> Gate:
    """Passed where 99 of 100 calls of `predict_one`, or of a batch, stay below `requirements.latency_ms`.

    They are made in the notebook's environment on this machine, without HTTP.
    """
    asked = case.target.settings.requirements.latency_ms
    if asked is None:
        return Gate(NAME, "not-applicable", "requirements.latency_ms is not declared")
    case.tell("measuring how long an answer takes")
    target = case.target
    captures = "" if case.last is None else str(case.last.captures.resolve())
    words = [str(target.root.resolve()), target.name, str(case.candidate.number), captures, str(CALLS)]
    told = answered([interpreter(target, case.candidate), str(SCRIPT), *words])
    if "reason" in told:
        return Gate(NAME, "unknown", f"it can't be measured: {told['reason']}", blocks=True)
    numbers = {**told, "latency_ms": asked}
    calls = f"{told['calls']} calls" + (f" with {told['batch']} rows each" if told["batch"] > 1 else "")
    text = (
        f"p99 {told['p99_ms']:.3g} ms (p50 {told['p50_ms']:.3g} ms) of {calls} on this machine, "
        f"without HTTP; {asked:g} ms are asked for"
    )
    if told["p99_ms"] <= asked:
        return Gate(NAME, "passed", text, numbers=numbers)
    hint = "make the features or the model cheaper, or state another requirements.latency_ms"
    return Gate(NAME, "failed", text, blocks=True, hint=hint, numbers=numbers)
