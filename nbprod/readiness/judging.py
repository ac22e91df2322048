"""Words that several checks share: what is proved, missing or stale, by findings, by a replay or by kept evidence."""

from __future__ import annotations

from typing import Any

from nbprod.model.finding import Finding, Verdict
from nbprod.model.readiness import Action, ActionKind, State, Told
from nbprod.readiness.facts import Facts

RUN = Action(ActionKind.RUN)
EXPORT = Action(ActionKind.EXPORT)
GATHER = Action(ActionKind.GATHER)
WORKFLOW = Action(ActionKind.WORKFLOW)

PACKAGE = "the package"
"""The input of evidence that is about a fitted version."""

NO_RUN = "no finished run of the notebook as it is saved now"
NEVER_EXPORTED = "the notebook was never exported"


def declare(key: str) -> Action:
    """The step of declaring a key."""
    return Action(ActionKind.DECLARE, key=key)


def show_cell(cell: int) -> Action:
    """The step of looking at a cell."""
    return Action(ActionKind.OPEN_CELL, cell=cell)


def proved(evidence: str) -> Told:
    """It holds, and this shows it."""
    return Told(State.PROVED, evidence)


def declared(evidence: str, action: Action | None = None) -> Told:
    """Somebody has said so, and nothing speaks against it."""
    return Told(State.DECLARED, evidence, None, action)


def missing(evidence: str, action: Action | None = None) -> Told:
    """Nothing shows it; `evidence` says what is not there or could not be looked at."""
    return Told(State.MISSING, evidence, None, action)


def stale(evidence: str, action: Action | None = None) -> Told:
    """It was shown of something that has changed since."""
    return Told(State.STALE, evidence, None, action)


def contradicted(evidence: str, against: str | None = None, action: Action | None = None) -> Told:
    """It does not hold; `against` is the declaration, or other word, that the evidence speaks against."""
    return Told(State.CONTRADICTED, evidence, against, action)


def by_findings(facts: Facts, rules: frozenset[str], otherwise: str) -> Told:
    """Contradicted where one of these rules finds something, at its cell; else proved.

    Nothing is known of what the analysis did not come to, nor of a cell that does not parse.
    """
    found: list[Finding] = [each for each in facts.findings if each.rule in rules]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        at = found[0].cell
        return contradicted(f"cell {at}: {found[0].message}{more}", None, show_cell(at))
    faults = [cell.index for cell in facts.notebook.cells if cell.fault is not None]
    if faults:
        return missing(f"cell {faults[0]} does not parse", show_cell(faults[0]))
    if not facts.complete:
        return missing("the analysis stopped before the end of the notebook")
    return proved(otherwise)


def no_plan(facts: Facts) -> str:
    """Why there is no plan."""
    return f"there is no plan: {facts.why_no_plan}"


def unplanned(facts: Facts) -> Told:
    """Missing, since nothing can be extracted from the notebook."""
    return missing(no_plan(facts), Action(ActionKind.PLAN))


def no_run(facts: Facts) -> Told:
    """Missing, since no run of the notebook as it is has finished, or since the store of runs can't be asked."""
    if facts.store_fault is not None:
        return missing(f"not known, since the store of runs can't be asked: {facts.store_fault}")
    return missing(NO_RUN, RUN)


def first_of(names: tuple[str, ...], most: int = 3) -> str:
    """`a, b, c and 2 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def edited(facts: Facts) -> Told:
    """The package has been edited by hand."""
    assert facts.version is not None
    manifest = f"the manifest of version {facts.version.number}"
    return contradicted(f"edited by hand: {first_of(facts.hand_edits)}", manifest, EXPORT)


def since_the_fit(facts: Facts) -> str | None:
    """Why what is known of the newest fitted version tells nothing of the notebook as it is now; None where it does."""
    newest, fitted = facts.version, facts.fitted
    if newest is not None and fitted is not None and newest.number != fitted.number:
        return f"version {newest.number} is newer and was never fitted"
    if facts.hand_edits:
        return f"the package was edited by hand since: {first_of(facts.hand_edits)}"
    if fitted is not None and not facts.state_kept:
        return f"the learned state of version {fitted.number} is not the one that was fitted"
    if facts.verdict in (Verdict.SAME, Verdict.COSMETIC):
        return None
    return why_unknown(facts) if facts.verdict is Verdict.UNKNOWN else "the notebook has moved on since"


def why_unknown(facts: Facts) -> str:
    """Why the notebook can't be compared with its package."""
    if facts.plan is None:
        return no_plan(facts)
    return "what differs from the package rests on steps that are assumed or refused, which only a replay tells apart"


def by_replay(facts: Facts) -> Told:
    """By the last replay of the newest fitted version, where that holds for the notebook as it is."""
    proof = facts.proof
    if proof is None:
        return missing("no version with its present state was replayed here", RUN)
    rows, predictions = (f"{proof[f'{what}_equal']:,} of {proof[what]:,} {what}" for what in ("rows", "predictions"))
    told = f"{rows} and {predictions} equal" if proof["predictions"] else f"{rows} equal, and the run predicts none"
    text = f"replay of version {facts.proven_version}: {told}"
    since = since_the_fit(facts)
    if since is not None:
        return stale(f"{text}, and {since}", RUN)
    if proof["status"] not in ("proven", "observed"):
        return contradicted(text, None, RUN)
    return proved(text)


def by_replay_check(facts: Facts, names: tuple[str, ...], text: str) -> Told:
    """By single checks of the replay: every one whose name begins with one of `names`, of which there must be some."""
    whole = by_replay(facts)
    if whole.state is not State.PROVED or facts.proof is None:
        return missing("the replay failed", RUN) if whole.state is State.CONTRADICTED else whole
    checks: list[Any] = [each for each in facts.proof.get("checks", ()) if each["name"].startswith(names)]
    if not checks:
        return missing(f"the replay made no check {names[0]!r}", RUN)
    failed = next((each for each in checks if not each["passed"]), None)
    if failed is not None:
        return contradicted(f"version {facts.proven_version}, {failed['name']}: {failed['detail']}")
    return proved(f"{text} (version {facts.proven_version}: {first_of(tuple(each['name'] for each in checks))})")


def by_evidence(facts: Facts, item: str, otherwise: str, *, is_of_fit: bool = True) -> Told:
    """By what a check that takes time has left; `otherwise` says what nothing has looked at, where there is nothing.

    It is stale as soon as one of the hashes that it was made from is another one, and where it `is_of_fit`, of the
    fitted version alone, once the notebook has moved away from that.
    """
    kept = facts.evidence.get(item)
    if kept is None:
        return missing(f"not looked at yet: {otherwise}", GATHER)
    changed = tuple(name for name, was in sorted(kept.inputs.items()) if facts.inputs.get(name) != was)
    if changed:
        return stale(f"{kept.text} ({kept.when}); changed since: {first_of(changed)}", GATHER)
    if kept.held is None:
        return missing(f"could not be tried: {kept.text}", Action(ActionKind.WAIT))
    since = since_the_fit(facts) if is_of_fit and PACKAGE in kept.inputs else None
    if since is not None:
        return stale(f"{kept.text} ({kept.when}), and {since}", RUN)
    if not kept.held:
        return contradicted(f"{kept.text} ({kept.when})", kept.contradicts, GATHER)
    return proved(f"{kept.text} ({kept.when})")
