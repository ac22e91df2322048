"""The checklist for production: what can be told today of each item, with the evidence; all else is unknown.

An item is `yes` only where something was looked at that shows it, or, where its nature is a promise, declared. What the
full check of an item asks for beyond that stands in its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from nbprod.api.answers import ActionKind, ItemStatus, Readiness, ReadinessAction, ReadinessItem
from nbprod.api.facts import Facts, facts_of
from nbprod.api.packages import target_in_project
from nbprod.model.cadence import cron_of
from nbprod.model.finding import Finding, Verdict
from nbprod.model.plan import Status
from nbprod.model.run import Version
from nbprod.tracking.record import RunSummary

YES, NO, UNKNOWN = ItemStatus.YES, ItemStatus.NO, ItemStatus.UNKNOWN

SECTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "NB": (
        "Model only in a notebook",
        {
            "NB-1": "The notebook runs from top to bottom",
            "NB-2": "No hidden state",
            "NB-3": "Every cell that the model needs has a role",
            "NB-4": "The package is the notebook's",
            "NB-5": "The package stands alone",
            "NB-6": "Learned state is apart from code",
        },
    ),
    "SK": (
        "Different preprocessing in training and inference",
        {
            "SK-1": "The notebook has not moved away from its package",
            "SK-2": "Rows give what they gave in the notebook",
            "SK-3": "Edge cases give the same or are refused alike",
            "SK-4": "No row depends on the rows beside it",
            "SK-5": "One schema on both paths",
            "SK-6": "No leakage",
        },
    ),
    "RP": (
        "No experiment tracking or reproducibility",
        {
            "RP-1": "The run is tracked",
            "RP-2": "Training again gives the same model",
            "RP-3": "The environment is locked",
            "RP-4": "The data have a version",
            "RP-5": "Randomness is pinned",
            "RP-6": "The model is registered and can be loaded",
        },
    ),
    "RT": (
        "Retraining not discussed",
        {
            "RT-1": "There is a cadence or trigger for retraining",
            "RT-2": "The run works unattended",
            "RT-3": "Promotion has a gate",
            "RT-4": "Rolling back was rehearsed",
            "RT-5": "Staleness and the delay of labels are known",
        },
    ),
    "MO": (
        "No monitoring plan",
        {
            "MO-1": "The service has technical metrics",
            "MO-2": "Drift is measured against training",
            "MO-3": "Alerts are real",
            "MO-4": "Somebody is woken up, and knows what to do",
            "MO-5": "Data quality is counted",
            "MO-6": "Quality is measured once labels arrive",
        },
    ),
    "DT": (
        "Deployment target undefined",
        {
            "DT-1": "The latency target is met",
            "DT-2": "Volume and memory are within limits",
            "DT-3": "What happens at low confidence is defined",
            "DT-4": "Bad input never fails the service",
            "DT-5": "Container and manifests fit the target",
            "DT-6": "Updates lose no request",
        },
    ),
    "TM": (
        "Data science and engineering apart",
        {
            "TM-1": "Notebook and package have an owner",
            "TM-2": "There is a contract",
            "TM-3": "CI holds the gate",
        },
    ),
    "SU": (
        "Success defined only by accuracy",
        {
            "SU-1": "A business metric decides",
            "SU-2": "The model beats something simple",
            "SU-3": "Slices and inclusion were looked at",
            "SU-4": "Threshold and calibration were chosen on purpose",
            "SU-5": "Only allowed data, and no secrets",
        },
    ),
}


class Told(Struct, frozen=True):
    """What can be told of an item."""

    status: ItemStatus
    evidence: str
    contradicts: str | None = None
    action: ReadinessAction | None = None


def readiness(path: str, *, output: str | None = None) -> Readiness:
    """The checklist of the notebook at `path`, as it is saved, with its package and its runs.

    Packages are looked for in `output`, else in the configuration's folder below the project's root. Raises NbprodError
    where there is no notebook.
    """
    return checklist(facts_of(target_in_project(path, output=output), path))


def checklist(facts: Facts) -> Readiness:
    """Every item of the checklist."""
    items = []
    for title, names in SECTIONS.values():
        for identity, name in names.items():
            told = _CHECKS[identity](facts) if identity in _CHECKS else _NOT_LOOKED_AT
            items.append(
                ReadinessItem(identity, name, title, told.status, told.evidence, told.contradicts, told.action)
            )
    return Readiness(tuple(items), facts.configuration)


_NO_RUN = "missing: no finished run of the notebook as it is saved now"
_NOT_LOOKED_AT = Told(UNKNOWN, "missing: nothing has looked at this yet")
_RUN = ReadinessAction(ActionKind.RUN)
_EXPORT = ReadinessAction(ActionKind.EXPORT)
_WORKFLOW = ReadinessAction(ActionKind.WORKFLOW)


def _declare(key: str) -> ReadinessAction:
    return ReadinessAction(ActionKind.DECLARE, key=key)


def _open(cell: int) -> ReadinessAction:
    return ReadinessAction(ActionKind.OPEN_CELL, cell=cell)


def _by_findings(facts: Facts, rules: frozenset[str], otherwise: str) -> Told:
    """No where one of these rules finds something, at its cell; else yes, for the rules went through the notebook."""
    found: list[Finding] = [each for each in facts.findings if each.rule in rules]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return Told(NO, f"cell {found[0].cell}: {found[0].message}{more}", None, _open(found[0].cell))
    faults = [cell.index for cell in facts.notebook.cells if cell.fault is not None]
    if faults:
        return Told(UNKNOWN, f"missing: cell {faults[0]} does not parse", None, _open(faults[0]))
    return Told(YES, otherwise)


def _by_analysis(facts: Facts, rules: frozenset[str], otherwise: str) -> Told:
    """By findings of rules that go by the dataflow: nothing is known of what the analysis did not come to."""
    told = _by_findings(facts, rules, otherwise)
    if told.status is YES and not facts.complete:
        return Told(UNKNOWN, "missing: the analysis stopped before the end of the notebook")
    return told


def _runs_through(facts: Facts) -> Told:
    """By the newest run of this very text; what another text did tells nothing of it."""
    if not facts.runs_of_this:
        return Told(UNKNOWN, f"{_NO_RUN}{_last_of_another(facts.runs)}", None, _RUN)
    newest = facts.runs_of_this[0]
    name = f"run {newest.run_id[:8]} of this very notebook"
    match newest.status:
        case "FINISHED":
            return Told(YES, f"{name}, in a fresh kernel, finished")
        case "FAILED":
            error = newest.tags.get("nbprod.error", "why is not known")
            return Told(NO, f"the last {name} failed: {error}", _contradicted(facts), _RUN)
        case "RUNNING" | "SCHEDULED":
            return Told(UNKNOWN, f"missing: {name} has not ended", None, _RUN)
        case _:
            return Told(UNKNOWN, f"missing: the last {name} was stopped", None, _RUN)


def _last_of_another(runs: tuple[RunSummary, ...]) -> str:
    if runs and runs[0].status == "FAILED":
        error = runs[0].tags.get("nbprod.error", "why is not known")
        return f"; the last run, {runs[0].run_id[:8]}, was of another text, and failed: {error}"
    return ""


def _contradicted(facts: Facts) -> str | None:
    """What says that the notebook does run through, though its last run failed."""
    if facts.finished is not None:
        return f"run {facts.finished.run_id[:8]} of the same text, which finished"
    return "the outputs that are saved in it" if any(cell.outputs_text for cell in facts.notebook.cells) else None


def _roles(facts: Facts) -> Told:
    if facts.plan is None:
        return Told(UNKNOWN, f"missing: there is no plan: {facts.why_no_plan}")
    needed = {step.cell for step in (*facts.plan.steps, *facts.plan.model.steps)} | {facts.plan.raw.cell}
    bare = sorted(cell for cell in needed if facts.notebook.cells[cell].role is None)
    if bare:
        return Told(NO, f"no role: cells {', '.join(map(str, bare))}", None, _open(bare[0]))
    return Told(YES, f"all {len(needed)} cells that the model needs have a role")


def _is_its_package(facts: Facts) -> Told:
    if facts.version is None:
        return Told(NO, "the notebook was never exported", None, _EXPORT)
    if facts.hand_edits:
        return _edited(facts, facts.version)
    if facts.export.unknown is not None:
        return Told(UNKNOWN, f"missing: {facts.export.unknown}")
    changed = facts.export.changed
    if changed:
        return Told(
            NO, f"an export now would change {_first(changed)} of version {facts.version.number}", None, _EXPORT
        )
    return Told(YES, f"version {facts.version.number} is byte for byte what an export gives now")


def _edited(facts: Facts, version: Version) -> Told:
    return Told(NO, f"edited by hand: {_first(facts.hand_edits)}", f"the manifest of version {version.number}", _EXPORT)


def _first(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _by_verdict(facts: Facts) -> Told:
    if facts.version is None:
        return Told(NO, "the notebook was never exported", None, _EXPORT)
    if facts.hand_edits:
        return _edited(facts, facts.version)
    match facts.verdict:
        case Verdict.SAME | Verdict.COSMETIC:
            return Told(YES, f"compared with version {facts.version.number}: {facts.verdict}")
        case Verdict.UNKNOWN:
            return Told(UNKNOWN, f"missing: {_why_unknown(facts)}")
        case _:
            return Told(NO, f"the notebook has moved on: {facts.verdict}", None, _EXPORT)


def _why_unknown(facts: Facts) -> str:
    """Why the notebook can't be compared with its package."""
    if facts.plan is None:
        return f"there is no plan: {facts.why_no_plan}"
    return "what differs from the package rests on steps that are assumed or refused, which only a replay tells apart"


def _parity(facts: Facts) -> Told:
    proof = facts.proof
    if proof is None:
        return Told(UNKNOWN, "missing: no version with its present state was replayed here", None, _RUN)
    rows, predictions = (f"{proof[f'{what}_equal']} of {proof[what]} {what}" for what in ("rows", "predictions"))
    text = f"replay of version {facts.proven_version}: {rows} and {predictions} equal"
    since = _since_the_proof(facts)
    if since is not None:
        return Told(UNKNOWN, f"missing: {text}, and {since}", None, _RUN)
    if proof["status"] not in ("proven", "observed"):
        return Told(NO, text, None, _RUN)
    return Told(YES, text)


def _since_the_proof(facts: Facts) -> str | None:
    """Why the replay of the newest fitted version tells nothing of the notebook as it is now; None where it does."""
    newest, fitted = facts.version, facts.fitted
    if newest is not None and fitted is not None and newest.number != fitted.number:
        return f"version {newest.number} is newer and was never fitted"
    if facts.hand_edits:
        return f"the package was edited by hand since: {_first(facts.hand_edits)}"
    if facts.verdict in (Verdict.SAME, Verdict.COSMETIC):
        return None
    return _why_unknown(facts) if facts.verdict is Verdict.UNKNOWN else "the notebook has moved on since"


def _apart(facts: Facts) -> Told:
    if facts.plan is not None and any(step.status is Status.REFUSED for step in facts.plan.steps):
        return Told(NO, "a step of the plan is refused")
    return _by_check(facts, "learned state unchanged", "serving leaves the learned state as it is, row by row")


def _independent(facts: Facts) -> Told:
    return _by_check(facts, "shuffled", "shuffled rows and other batch sizes give the same")


def _by_check(facts: Facts, name: str, text: str) -> Told:
    """By one of the checks of the replay, where that holds for the notebook as it is."""
    parity = _parity(facts)
    if parity.status is not YES or facts.proof is None:
        return Told(UNKNOWN, parity.evidence if parity.status is UNKNOWN else "missing: the replay failed", None, _RUN)
    checks: dict[str, Any] = {each["name"]: each["passed"] for each in facts.proof.get("checks", ())}
    if name not in checks:
        return Told(UNKNOWN, f"missing: the replay made no check {name!r}")
    return Told(YES if checks[name] else NO, f"{text}: version {facts.proven_version}")


def _no_leakage(facts: Facts) -> Told:
    if facts.plan is None:
        return Told(UNKNOWN, f"missing: there is no plan: {facts.why_no_plan}")
    rules = frozenset({"preprocessing-leakage", "overlap-leakage", "multi-test-leakage", "target-leakage"})
    return _by_analysis(facts, rules, "no finding of leakage; the ids of rows were not compared")


def _tracked(facts: Facts) -> Told:
    run = facts.finished
    if run is None:
        return Told(UNKNOWN, _NO_RUN, None, _RUN)
    if not facts.metrics:
        return Told(NO, f"run {run.run_id[:8]} has no metric", None, _RUN)
    return Told(YES, f"run {run.run_id[:8]} has {', '.join(sorted(facts.metrics)[:3])}, and the notebook's own hash")


def _registered(facts: Facts) -> Told:
    if facts.fitted is None:
        return Told(NO, "no version of the package is fitted", None, _RUN)
    number = facts.registered.get(facts.fitted.number)
    if number is None:
        return Told(NO, f"version {facts.fitted.number} is fitted and not registered", None, _RUN)
    return Told(
        UNKNOWN, f"missing: version {facts.fitted.number} is registered as {number}, and loading it was not tried"
    )


def _declared(key: str, value: object, is_promise: bool, beyond: str) -> Told:
    """An item whose nature is a promise is `yes` once it is declared; another one stays unknown."""
    if not value:
        return Told(UNKNOWN, f"missing: {key} is not declared", None, _declare(key))
    return Told(YES if is_promise else UNKNOWN, f"declared: {key} = {value}; {beyond}")


def _retrained(facts: Facts) -> Told:
    stated, beyond = facts.settings.retraining, "missing: no workflow trains it again on a schedule"
    if stated.trigger and not stated.cadence:
        return _declared("retraining.trigger", stated.trigger, False, beyond)
    if not stated.cadence or not facts.schedules:
        return _declared("retraining.cadence", stated.cadence, False, beyond)
    text = f"declared: retraining.cadence = {stated.cadence}"
    found = next((each for each in facts.schedules if each.cron == cron_of(stated.cadence)), None)
    if found is not None:
        return Told(YES, f"{text}; {found.file} trains it again at {found.cron}")
    other = facts.schedules[0]
    return Told(NO, f"{other.file} trains it again at {other.cron}", text)


def _contract(facts: Facts) -> Told:
    if facts.version is None:
        return Told(NO, "the notebook was never exported", None, _EXPORT)
    if not facts.contract:
        return Told(NO, f"version {facts.version.number} has no contract.json", None, _EXPORT)
    if "contract.json" in facts.hand_edits:
        return Told(NO, "contract.json was edited by hand", f"the manifest of version {facts.version.number}", _EXPORT)
    count = len(facts.contract.get("columns", ()))
    return Told(YES, f"contract.json of version {facts.version.number} names {count} columns, as it was exported")


def _gate(facts: Facts) -> Told:
    """Never yes: whether the workflow passed is known where it runs, and not here."""
    if not facts.gates:
        return Told(UNKNOWN, "missing: no workflow in .github/workflows checks with nbprod", None, _WORKFLOW)
    loose = next((each for each in facts.gates if each.loosened is not None), None)
    if loose is not None and all(each.loosened is not None for each in facts.gates):
        return Told(NO, f"{loose.file}: `{loose.command}`", loose.loosened)
    held = next(each for each in facts.gates if each.loosened is None)
    return Told(UNKNOWN, f"{held.file}: `{held.command}`; missing: whether it passed is not known here")


def _business(facts: Facts) -> Told:
    success = facts.settings.success
    if not success.metric:
        return Told(UNKNOWN, "missing: success.metric is not declared", None, _declare("success.metric"))
    if facts.finished is None:
        return Told(UNKNOWN, _NO_RUN, None, _RUN)
    value = facts.metrics.get(success.metric)
    declared = f"success.metric = {success.metric}"
    if value is None:
        return Told(NO, f"the run has no metric {success.metric}", declared, _RUN)
    if success.target is None:
        return Told(
            UNKNOWN, f"missing: {success.metric} is {value:g}, without a target", None, _declare("success.target")
        )
    reached = value >= success.target if success.higher_is_better else value <= success.target
    text = f"{success.metric} is {value:g}, and {success.target:g} is the target"
    return Told(YES, text) if reached else Told(NO, text, f"success.target = {success.target:g}")


def _allowed(facts: Facts) -> Told:
    found = _by_findings(facts, frozenset({"secret"}), "no secret in cells and outputs")
    if found.status is not YES:
        return found
    return Told(UNKNOWN, f"missing: {found.evidence}, and nothing has looked for personal data in columns yet")


_CHECKS: Mapping[str, Callable[[Facts], Told]] = {
    "NB-1": _runs_through,
    "NB-2": lambda facts: _by_analysis(
        facts, frozenset({"out-of-order", "undefined-name"}), "no name is read before a cell above binds it"
    ),
    "NB-3": _roles,
    "NB-4": _is_its_package,
    "NB-6": _apart,
    "SK-1": _by_verdict,
    "SK-2": _parity,
    "SK-4": _independent,
    "SK-6": _no_leakage,
    "RP-1": _tracked,
    "RP-5": lambda facts: _by_analysis(
        facts, frozenset({"missing-seed"}), "no split, sample or estimator without a seed; training was not repeated"
    ),
    "RP-6": _registered,
    "RT-1": _retrained,
    "MO-4": lambda facts: _declared("owner", facts.settings.owner, False, "missing: there is no runbook"),
    "DT-1": lambda facts: _declared(
        "requirements.latency_ms", facts.settings.requirements.latency_ms, False, "missing: nothing was measured"
    ),
    "DT-2": lambda facts: _declared(
        "requirements.volume_rps", facts.settings.requirements.volume_rps, False, "missing: nothing was measured"
    ),
    "DT-3": lambda facts: _declared(
        "low_confidence.band", facts.settings.low_confidence.band, False, "missing: nothing was measured"
    ),
    "DT-5": lambda facts: _declared(
        "deploy_target", facts.settings.deploy_target, False, "missing: no manifest was looked at"
    ),
    "TM-1": lambda facts: _declared("owner", facts.settings.owner, True, "not checked against version control"),
    "TM-2": _contract,
    "TM-3": _gate,
    "SU-1": _business,
    "SU-5": _allowed,
}
