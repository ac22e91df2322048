"""What is known of a notebook, its package and its runs at one moment: what the checklist goes by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod import tracking, versions
from nbprod.api.beside import Beside, studied_beside
from nbprod.api.exporting import drafted
from nbprod.api.listing import notebook_metrics
from nbprod.api.packages import Target
from nbprod.api.proving import proof_of
from nbprod.api.schedules import Schedule, schedules
from nbprod.api.tracked import store_of, tracked_runs
from nbprod.api.workflows import Gate, gates
from nbprod.config import PipelineConfig
from nbprod.errors import NbprodError
from nbprod.model.finding import Finding, Verdict
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import Version
from nbprod.tracking.record import RunSummary

MOST_RUNS = 50


class Facts(Struct, frozen=True):
    """The saved notebook with its plan and findings; its package's newest and newest fitted version; its runs.

    `complete` says that the analysis came to the end of the notebook. `export` is what an export would change now.
    `runs` are the newest first, `runs_of_this` those of the notebook as it is saved, and `metrics` are the notebook's
    own in the newest of these that finished. `proof` is the last replay of the newest fitted version, `registered` maps
    versions to those of the registry. `configuration` is the file that `settings` stand in, where there is one, and
    `gates` are the steps of workflows that check, `schedules` the workflows that train it again.
    """

    notebook: Notebook
    plan: FeaturePlan | None
    why_no_plan: str
    complete: bool
    findings: tuple[Finding, ...]
    settings: PipelineConfig
    configuration: str | None
    version: Version | None
    fitted: Version | None
    verdict: Verdict
    hand_edits: tuple[str, ...]
    export: Export
    contract: Mapping[str, Any]
    proof: Mapping[str, Any] | None
    runs: tuple[RunSummary, ...]
    runs_of_this: tuple[RunSummary, ...]
    metrics: Mapping[str, float]
    registered: Mapping[int, int]
    gates: tuple[Gate, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    @property
    def finished(self) -> RunSummary | None:
        """The newest finished run of the notebook as it is saved."""
        return _finished(self.runs_of_this)

    @property
    def proven_version(self) -> int | None:
        """The version that was replayed."""
        return self.fitted.number if self.fitted is not None and self.proof is not None else None


class Export(Struct, frozen=True):
    """The files of the newest version that an export would change now, or why that can't be told."""

    changed: tuple[str, ...] = ()
    unknown: str | None = None


def facts_of(target: Target, path: str) -> Facts:
    """What is known of the notebook at `path`, as it is saved. Raises NbprodError where it can't be read."""
    with studied_beside(target, path) as found:
        findings = found.known.findings
        export = _export(target, found)
    known, version = found.known, found.version
    fitted = versions.latest_fitted(target.root, target.name)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    runs = tracked_runs(target, MOST_RUNS)
    same = tuple(run for run in runs if run.tags.get("nbprod.notebook_sha256") == digest)
    source = target.project.source
    return Facts(
        notebook=known.notebook,
        plan=known.plan,
        why_no_plan=known.failure.message if known.failure else "",
        complete=known.outline.analysis.complete,
        findings=findings,
        settings=target.settings,
        configuration=None if source is None else str(source),
        version=version,
        fitted=fitted,
        verdict=found.comparison.verdict,
        hand_edits=() if version is None else versions.hand_edits(target.root, target.name, version.number),
        export=export,
        contract={} if version is None else _contract(target, version),
        proof=None if fitted is None else proof_of(target, fitted),
        runs=runs,
        runs_of_this=same,
        metrics=notebook_metrics(_finished(same)),
        registered={
            each.version: each.number
            for each in tracking.registered(target.name, uri=store_of(target))
            if each.version is not None
        },
        gates=gates(target.project.root),
        schedules=schedules(target.project.root, target.name),
    )


def _finished(runs: tuple[RunSummary, ...]) -> RunSummary | None:
    return next((run for run in runs if run.status == "FINISHED"), None)


def _export(target: Target, found: Beside) -> Export:
    """The package is made anew and compared byte by byte, as `export --check` does."""
    if found.known.plan is None:
        assert found.known.failure is not None
        return Export(unknown=f"there is no plan: {found.known.failure.message}")
    try:
        draft = drafted(found.known.plan, found.known.notebook, target)
    except NbprodError as error:
        return Export(unknown=f"there would be no export: {error.message}")
    stale = versions.is_stale(target.root, target.name, draft.files, draft.root_files)
    return Export(tuple(each.path for each in stale))


def _contract(target: Target, version: Version) -> Mapping[str, Any]:
    folder = versions.version_folder(target.root, target.name, version.number)
    return versions.read_object(folder / "contract.json") or {}
