"""RT-3: promotion has a gate."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, missing, proved


def _judge(facts: Facts) -> Told:
    champion, record = facts.champion, facts.promotion
    if champion is None:
        return missing("no version is the champion yet")
    text = f"version {champion.number} is the champion"
    if record is None or record.version != champion.number:
        return contradicted(f"{text}, and no record of a promotion says how it came to be", "the ledger's alias")
    failed = [gate.name for gate in record.gates if gate.outcome in ("failed", "unknown")]
    if record.forced:
        return contradicted(f"{text} against {', '.join(failed)}: {record.why} ({record.who})", "the gates")
    if record.action == "rollback":
        return proved(f"{text} since a rollback by {record.who} on {record.when}")
    if not record.gates:
        return contradicted(f"{text}, and its record has no gates", "the record of promotions")
    passed = [gate.name for gate in record.gates if gate.outcome == "passed"]
    return proved(f"{text} since {record.when}; passed: {', '.join(passed)}")


CHECK = Check(
    id="RT-3",
    title="Promotion has a gate",
    why="A new model goes live because it was shown to be no worse, and not because it is new. "
    "The record of the promotion keeps what each gate has found.",
    source="ML Test Score, Infra 4 and Model 5: quality is validated before serving, against what it replaces",
    step="promote it through the gates: nbprod versions NAME promote",
    judge=_judge,
    tests=("Infra 4", "Model 5"),
    blocking=True,
    keys=("success.metric", "gate.min_delta"),
)
