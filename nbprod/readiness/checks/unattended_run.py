"""RT-2: the run works unattended."""

from __future__ import annotations

from nbprod.model.cadence import cron_of, longest_gap
from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.checks.cadence import LATE
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, missing, no_run, proved, stale

CI_TAG = "nbprod.ci"

ON_WHAT = {
    None: "",
    True: ", on other data than by hand",
    False: ", on the data of the run by hand: new rows are not tried",
}


def _judge(facts: Facts) -> Told:
    """By the newest run that a CI service has made; a run by hand shows nothing of it."""
    unattended = [run for run in facts.runs if CI_TAG in run.tags]
    if facts.store_fault is not None:
        return no_run(facts)
    if not unattended:
        return missing("no run on record was made by a CI service or a schedule")
    newest = unattended[0]
    name = f"run {newest.run_id[:8]} by {newest.tags[CI_TAG]}"
    if newest.status == "FAILED":
        return contradicted(f"the last {name} failed: {newest.tags.get('nbprod.error', 'why is not known')}")
    if newest.status != "FINISHED":
        return missing(f"{name} has not finished")
    if newest not in facts.runs_of_this:
        return stale(f"{name} finished, and was of another text")
    cadence = facts.settings.retraining.cadence
    days = (facts.now - newest.start).total_seconds() / 86_400
    if cadence is not None and days > LATE * longest_gap(cron_of(cadence)):
        return stale(f"{name} finished {days:,.0f} days ago, and retraining.cadence = {cadence}")
    return proved(f"{name} finished{ON_WHAT[facts.ci_read_other_data]}")


CHECK = Check(
    id="RT-2",
    title="The run works unattended",
    why="Retraining happens at night, without a screen and without the person who knows what to click. "
    "A run that a CI service has made shows that nothing else is needed.",
    source="ML Test Score, Infra 3: the whole pipeline is integration tested",
    step="let CI run it: nbprod run NOTEBOOK in a workflow, or nbprod run NAME --retrain on a schedule",
    judge=_judge,
    tests=("Infra 3",),
    blocking=True,
)
