"""The gate of proof: the version, as it lies there, gives what its notebook gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbprod import versions
from nbprod.api.gates.case import Case
from nbprod.api.proving import proof_of, prove, verify_as_json
from nbprod.errors import NbprodError
from nbprod.model.promotion import Gate

NAME = "proof"
PROVEN = ("proven", "observed")


def proven(case: Case) -> Gate:
    """Passed where a replay of these very files against the run that they were fitted in came out equal.

    A replay that is kept counts where code and state are still those that were replayed; else it is made now where the
    run's captures are on this machine, and else the store's record of the run counts.
    """
    version, name = case.candidate, case.target.name
    again = f"nbprod verify {name}@{version.number}"
    edited = versions.hand_edits(case.target.root, name, version.number)
    if edited:
        return _failed(f"edited by hand since it was exported: {', '.join(edited[:3])}", "run the notebook again")
    if not versions.is_state_recorded(case.target.root, name, version.number):
        return _failed("its learned state is not the one that the ledger has", "run the notebook again")
    kept = proof_of(case.target, version)
    if kept is None and case.last is not None:
        case.tell("replaying its run")
        try:
            kept = verify_as_json(
                prove(case.target, version, case.last.captures, case.last.python, on_progress=lambda *_: None)
            )
        except NbprodError as error:
            return _failed(f"the replay fails: {error.message}", again)
    if kept is not None:
        return _told(kept, again)
    recorded = case.run.tags.get("nbprod.verify") if case.run is not None else None
    if recorded in PROVEN:
        return Gate(NAME, "passed", f"{recorded}, as the record of its run says", numbers={"run": version.run})
    if recorded in ("failed", "refused"):
        return _failed(f"{recorded}, as the record of its run says", again)
    first = case.champion is None
    return Gate(
        NAME,
        "unknown",
        "no replay of it is known, and the run that it was fitted in is not on this machine",
        blocks=not first,
        hint=again,
    )


def _told(proof: Mapping[str, Any], again: str) -> Gate:
    keys = ("rows", "rows_equal", "predictions", "predictions_equal")
    numbers = {key: proof[key] for key in keys}
    text = (
        f"{proof['status']}: {proof['rows_equal']} of {proof['rows']} rows and "
        f"{proof['predictions_equal']} of {proof['predictions']} predictions equal"
    )
    if proof["status"] in PROVEN:
        return Gate(NAME, "passed", text, numbers=numbers)
    return Gate(NAME, "failed", text, blocks=True, hint=f"{again} shows the first difference", numbers=numbers)


def _failed(reason: str, hint: str) -> Gate:
    return Gate(NAME, "failed", reason, blocks=True, hint=hint)
