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
from nbprod.model.finding import Finding, Verdict
from nbprod.model.plan import Status

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
    return Readiness(tuple(items))


_NOT_LOOKED_AT = Told(UNKNOWN, "missing: nothing has looked at this yet")
_RUN = ReadinessAction(ActionKind.RUN)
_EXPORT = ReadinessAction(ActionKind.EXPORT)


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


def _runs_through(facts: Facts) -> Told:
    if facts.run_of_this is not None:
        return Told(YES, f"run {facts.run_of_this.run_id[:8]} of this very notebook, in a fresh kernel, finished")
    if facts.newest_run is not None and facts.newest_run.status == "FAILED":
        error = facts.newest_run.tags.get("nbprod.error", "it failed")
        return Told(NO, f"the last run, {facts.newest_run.run_id[:8]}, failed: {error}", None, _RUN)
    return Told(UNKNOWN, "missing: no finished run of the notebook as it is saved now", None, _RUN)


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
        edited = ", ".join(facts.hand_edits[:3])
        return Told(NO, f"edited by hand: {edited}", f"the manifest of version {facts.version.number}", _EXPORT)
    if facts.verdict is Verdict.SAME:
        return Told(YES, f"version {facts.version.number} is what an export gives now, and nobody edited it")
    return _by_verdict(facts)


def _by_verdict(facts: Facts) -> Told:
    match facts.verdict:
        case Verdict.NOT_EXPORTED:
            return Told(NO, "the notebook was never exported", None, _EXPORT)
        case Verdict.UNKNOWN:
            return Told(UNKNOWN, f"missing: there is no plan: {facts.why_no_plan}")
        case Verdict.DIVERGES | Verdict.TRAINING_ONLY:
            return Told(NO, f"the notebook has moved on: {facts.verdict}", None, _EXPORT)
        case _:
            return Told(YES, f"compared with version {facts.version and facts.version.number}: {facts.verdict}")


def _parity(facts: Facts) -> Told:
    proof = facts.proof
    if proof is None:
        return Told(UNKNOWN, "missing: no version with its present state was replayed here", None, _RUN)
    rows, predictions = (f"{proof[f'{what}_equal']} of {proof[what]} {what}" for what in ("rows", "predictions"))
    text = f"replay of version {facts.proven_version}: {rows} and {predictions} equal"
    if proof["status"] not in ("proven", "observed"):
        return Told(NO, text, None, _RUN)
    if facts.verdict not in (Verdict.SAME, Verdict.COSMETIC):
        return Told(UNKNOWN, f"missing: {text}, and the notebook has moved on since", None, _RUN)
    return Told(YES, text)


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
    return _by_findings(facts, rules, "no finding of leakage; the ids of rows were not compared")


def _tracked(facts: Facts) -> Told:
    run = facts.run_of_this
    if run is None:
        return Told(UNKNOWN, "missing: no finished run of the notebook as it is saved now", None, _RUN)
    if not facts.metrics:
        return Told(NO, f"run {run.run_id[:8]} has no metric", None, _RUN)
    return Told(YES, f"run {run.run_id[:8]} has {', '.join(sorted(facts.metrics)[:3])}, and the notebook's own hash")


def _registered(facts: Facts) -> Told:
    if facts.fitted is None:
        return Told(NO, "no version of the package is fitted", None, _RUN)
    number = facts.registered.get(facts.fitted.number)
    if number is None:
        return Told(NO, f"version {facts.fitted.number} is fitted and not registered", None, _RUN)
    return Told(YES, f"version {facts.fitted.number} is registered as {number}; loading it was not tried")


def _declared(key: str, value: object, is_promise: bool, beyond: str) -> Told:
    """An item whose nature is a promise is `yes` once it is declared; another one stays unknown."""
    if not value:
        return Told(UNKNOWN, f"missing: {key} is not declared", None, _declare(key))
    return Told(YES if is_promise else UNKNOWN, f"declared: {key} = {value}; {beyond}")


def _retrained(facts: Facts) -> Told:
    stated = facts.settings.retraining
    return _declared(
        "retraining.cadence", stated.cadence or stated.trigger, False, "missing: no schedule was looked at"
    )


def _contract(facts: Facts) -> Told:
    if facts.version is None:
        return Told(NO, "the notebook was never exported", None, _EXPORT)
    if not facts.contract:
        return Told(NO, f"version {facts.version.number} has no contract.json", None, _EXPORT)
    if "contract.json" in facts.hand_edits:
        return Told(NO, "contract.json was edited by hand", f"the manifest of version {facts.version.number}", _EXPORT)
    count = len(facts.contract.get("columns", ()))
    return Told(YES, f"contract.json of version {facts.version.number} names {count} columns, as it was exported")


def _business(facts: Facts) -> Told:
    success = facts.settings.success
    if not success.metric:
        return Told(UNKNOWN, "missing: success.metric is not declared", None, _declare("success.metric"))
    if facts.run_of_this is None:
        return Told(UNKNOWN, "missing: no finished run of the notebook as it is saved now", None, _RUN)
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
    "NB-2": lambda facts: _by_findings(
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
    "RP-5": lambda facts: _by_findings(
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
    "SU-1": _business,
    "SU-5": _allowed,
}
