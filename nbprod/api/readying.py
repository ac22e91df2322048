"""The checklist for production: every item with its state, its evidence and the next step, and what they come to."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from msgspec import to_builtins
from msgspec.structs import asdict

from nbprod.api.answers import (
    MlTestScore,
    Readiness,
    ReadinessAction,
    ReadinessItem,
    ReadinessSection,
    ReadinessStanding,
    ReadinessStep,
)
from nbprod.api.evidence import standings
from nbprod.api.facts import facts_of, within
from nbprod.api.packages import Target, target_in_project, target_of
from nbprod.errors import NbprodError, Where
from nbprod.model.readiness import Evidence, Standing, State, Told
from nbprod.readiness import CHECKS as CHECKS
from nbprod.readiness import judged
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.next_steps import next_steps
from nbprod.readiness.scoring import scored
from nbprod.readiness.sections import SECTIONS, section_of


def readiness(path: str, *, output: str | None = None) -> Readiness:
    """The checklist of the notebook at `path`, as it is saved, with its package and its runs.

    Nothing is run: what takes time is known by the evidence that `gather` has kept. Packages are looked for in
    `output`, else in the configuration's folder below the project's root. Raises NbprodError where there is no
    notebook, and `bad-config` for an item that can't be declared not applicable.
    """
    return checklist(target_in_project(path, output=output), path)


def readiness_report(path: str, *, output: str | None = None) -> dict[str, Any]:
    """`readiness` as JSON has it (schemas/readiness.json); packages lie where the command line looks for them."""
    told: dict[str, Any] = to_builtins(checklist(target_of(path, output=output), path))
    return told


def checklist(target: Target, path: str) -> Readiness:
    """`readiness` for a package that is known."""
    return checklist_of(target, facts_of(target, path))


def checklist_of(target: Target, facts: Facts) -> Readiness:
    """Every item of the checklist, and what they come to."""
    _check_left_out(facts)
    told = judged(facts)
    score = scored({item: each.state for item, each in told.items()})
    test_score = score.ml_test_score
    shown = within(target.project.root, facts.notebook.path)
    return Readiness(
        notebook=shown,
        name=target.name,
        version=None if facts.version is None else facts.version.number,
        at=facts.now.strftime("%Y-%m-%d %H:%M"),
        items=tuple(_item(check, told[check.id], facts.evidence.get(check.id)) for check in CHECKS),
        sections=tuple(
            ReadinessSection(each.id, each.title, each.points, each.of, each.score) for each in score.sections
        ),
        score=score.overall,
        lowest=score.lowest,
        blockers=score.blockers,
        open=score.open,
        ml_test_score=MlTestScore(test_score.sections, test_score.score, test_score.band),
        maturity=score.maturity,
        next=tuple(
            ReadinessStep(each.text, each.items, each.blocking) for each in next_steps(CHECKS, told, shown, target.name)
        ),
        standings=tuple(ReadinessStanding(**asdict(each)) for each in standings(target)),
        configuration=facts.configuration,
    )


def standing_of(told: Readiness) -> Standing:
    """What is noted of a checklist."""
    proved = sum(each.state is State.PROVED for each in told.items)
    return Standing(told.version, told.at, told.score, proved, len(told.open), len(told.blockers))


def check_of(identity: str) -> Check:
    """The check of an item. Raises NbprodError (`no-item`) with the nearest where there is none."""
    found = next((check for check in CHECKS if check.id == identity.upper()), None)
    if found is None:
        raise _no_item(identity, None)
    return found


def left_out(facts: Facts) -> frozenset[str]:
    """The items that are declared not applicable."""
    return frozenset(facts.settings.not_applicable)


def _item(check: Check, told: Told, kept: Evidence | None) -> ReadinessItem:
    action = told.action
    return ReadinessItem(
        id=check.id,
        title=check.title,
        section=SECTIONS[section_of(check.id)],
        state=told.state,
        evidence=told.evidence,
        contradicts=told.contradicts,
        action=None if action is None else ReadinessAction(action.kind, action.cell, action.key),
        blocking=check.blocking,
        gathered=check.gathered,
        is_promise=check.is_promise,
        why=check.why,
        source=check.source,
        step=check.step,
        keys=check.keys,
        tests=check.tests,
        numbers=None if kept is None else kept.numbers or None,
    )


def _check_left_out(facts: Facts) -> None:
    """What is declared not applicable must be an item that can be left out, and have a reason."""
    for item, reason in facts.settings.not_applicable.items():
        known = next((check for check in CHECKS if check.id == item), None)
        if known is None:
            raise _no_item(item, facts.configuration)
        if not known.optional:
            message = f"{item} applies to every model: {known.title}"
        elif not reason.strip():
            message = f"{item} is declared not applicable without a reason"
        else:
            continue
        where = None if facts.configuration is None else Where(facts.configuration)
        hint = f"these can be left out, with a reason: {', '.join(check.id for check in CHECKS if check.optional)}"
        raise NbprodError(message, code="bad-config", where=where, hint=hint)


def _no_item(identity: str, configuration: str | None) -> NbprodError:
    known = [check.id for check in CHECKS]
    near = get_close_matches(identity.upper(), known, n=1)
    return NbprodError(
        f'no item "{identity}" in the checklist',
        code="no-item",
        where=None if configuration is None else Where(configuration),
        hint=f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}",
    )
