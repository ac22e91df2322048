"""TM-2: there is a contract."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import EXPORT, NEVER_EXPORTED, contradicted, missing, proved


def _judge(facts: Facts) -> Told:
    if facts.version is None:
        return missing(NEVER_EXPORTED, EXPORT)
    number = facts.version.number
    if not facts.contract:
        return missing(f"version {number} has no contract.json", EXPORT)
    if "contract.json" in facts.hand_edits:
        return contradicted("contract.json was edited by hand", f"the manifest of version {number}", EXPORT)
    if any(each.rpartition("/")[2] == "contract.json" for each in facts.export.changed):
        text = "the notebook as it is gives another contract"
        return contradicted(text, f"contract.json of version {number}", EXPORT)
    count = len(facts.contract.get("columns", ()))
    return proved(f"contract.json of version {number} names {count} columns, as it was exported")


CHECK = Check(
    id="TM-2",
    title="There is a contract",
    why="Whoever calls the model needs to know what to send, and whoever trains it what was promised. "
    "The contract is generated from the notebook, and stands beside the code.",
    source="ML Test Score, Data 6: new features can be added quickly",
    step="export it: nbprod export NOTEBOOK",
    judge=_judge,
    tests=("Data 6",),
)
