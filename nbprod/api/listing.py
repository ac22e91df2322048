"""Versions and runs of a notebook's package as a panel shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nbprod import versions
from nbprod.api.answers import FeatureChanges, Run, RunParameter, RunParameters, Runs, Version, Versions
from nbprod.api.one_row import one_row, one_row_text
from nbprod.api.packages import Target
from nbprod.api.parameters import choices_of, kind_of, parameters_of, text_of
from nbprod.api.proving import EXECUTED, RUNS, proof_of
from nbprod.api.tracked import tracked_runs
from nbprod.errors import NbprodError, Where
from nbprod.model.run import RunSummary
from nbprod.model.run import Version as Listed
from nbprod.notebook import read
from nbprod.notebook.redact import redact_text, redacted
from nbprod.versions.files import replace_file

MOST = 50
_SEARCHED = 1000
_OWN = ("nbprod.", "verify.")
"""Beginnings of the names of metrics that nbprod logs beside the notebook's."""


def version_list(target: Target) -> Versions:
    """The versions of a package with metrics of their runs; none where it was never exported."""
    listed = versions.ledger(target.root, target.name)
    wanted = {each.run for each in listed if each.run}
    known = {run.run_id: run for run in tracked_runs(target, _SEARCHED)} if wanted else {}
    made: list[Version] = []
    before: Mapping[str, str] | None = None
    for each in listed:
        digests = _digests(target, each)
        made.append(_version(target, each, known.get(each.run or ""), _changes(before, digests)))
        before = digests
    return Versions(target.name, tuple(made))


def run_list(target: Target) -> Runs:
    """The newest runs of a package, from the store of runs; none where there is no store."""
    listed = {each.run: each for each in versions.ledger(target.root, target.name)}
    return Runs(tuple(_run(target, each, listed.get(each.run_id)) for each in tracked_runs(target, MOST)))


def parameter_list(path: str) -> RunParameters:
    """What a run of a notebook can be given. Raises NbprodError where there is no notebook."""
    found = parameters_of(read(path)).values()
    return RunParameters(
        tuple(
            RunParameter(
                name=each.name,
                default=text_of(each),
                kind=kind_of(each),
                required=each.is_required,
                secret=each.is_secret,
                description=redact_text(each.description),
                choices=choices_of(each),
            )
            for each in found
        )
    )


def executed_copy(target: Target, path: str, run_id: str) -> str:
    """The path of a copy of a run's executed notebook, beside the notebook; one that is there already is left as it is.

    Raises NbprodError (`no-executed`) where the run's notebook is not kept here.
    """
    folder = target.project.root / RUNS
    kept = folder / run_id / EXECUTED
    if not kept.is_file() or kept.resolve().parent.parent != folder.resolve():
        raise NbprodError(
            "the executed notebook of this run is not kept here",
            code="no-executed",
            where=Where(str(kept)),
            hint="run the notebook again, or take it from the run's artifacts in MLflow",
        )
    copy = Path(path).with_name(f"{Path(path).stem}-executed-{run_id[:8]}.ipynb")
    if not copy.exists():
        replace_file(copy, kept.read_bytes())
    return str(copy)


def _version(target: Target, listed: Listed, run: RunSummary | None, changes: FeatureChanges | None) -> Version:
    proof = proof_of(target, listed)
    alone = one_row(versions.version_folder(target.root, target.name, listed.number))
    return Version(
        number=listed.number,
        created=listed.when,
        digest=listed.digest,
        fitted=listed.state is not None,
        run_id=listed.run,
        aliases=listed.aliases,
        reason=listed.why,
        features=changes,
        metrics=notebook_metrics(run),
        verify=proof["status"] if proof is not None else _verified(run),
        one_row=None if alone is None else one_row_text(alone),
    )


def _run(target: Target, run: RunSummary, version: Listed | None) -> Run:
    executed = target.project.root / RUNS / run.run_id / EXECUTED
    number = run.tags.get("nbprod.version", "")
    return Run(
        run_id=run.run_id,
        started=_moment(run.start),
        ended=None if run.end is None else _moment(run.end),
        status=run.status,
        parameters={name: redacted(name, value) for name, value in run.params.items()},
        metrics=notebook_metrics(run),
        version=version.number if version is not None else int(number) if number.isdecimal() else None,
        verify=_verified(run),
        executed=str(executed) if executed.is_file() else None,
    )


def notebook_metrics(run: RunSummary | None) -> dict[str, float]:
    """The notebook's own metrics that are numbers."""
    if run is None:
        return {}
    return {name: value for name, value in run.metrics.items() if math.isfinite(value) and not name.startswith(_OWN)}


def _verified(run: RunSummary | None) -> str | None:
    status = None if run is None else run.tags.get("nbprod.verify")
    return None if status in (None, "skipped") else status


def _digests(target: Target, listed: Listed) -> dict[str, str]:
    folder: Path = versions.version_folder(target.root, target.name, listed.number)
    features: Sequence[Any] = (versions.read_manifest(folder) or {}).get("features", ())
    return {str(each["name"]): str(each["digest"]) for each in features}


def _changes(before: Mapping[str, str] | None, after: Mapping[str, str]) -> FeatureChanges | None:
    if before is None:
        return None
    return FeatureChanges(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and before[name] != after[name]),
    )


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
