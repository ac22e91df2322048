"""What is known of a notebook, its package and its runs at one moment: what the checklist goes by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod import tracking, versions
from nbprod.api.checking import compared
from nbprod.api.inspecting import edited_notebook
from nbprod.api.listing import notebook_metrics
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, recorded
from nbprod.api.proving import proof_of
from nbprod.api.studying import study
from nbprod.config import PipelineConfig
from nbprod.model.finding import Finding, Verdict
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import Version
from nbprod.tracking.record import RunSummary

MOST_RUNS = 50


class Facts(Struct, frozen=True):
    """The saved notebook with its plan and findings; its package's newest and newest fitted version; its runs.

    `run_of_this` is the newest finished run of the notebook as it is saved, `metrics` are the notebook's own in it.
    `proof` is the last replay of the newest fitted version, `registered` maps versions to those of the registry.
    """

    notebook: Notebook
    plan: FeaturePlan | None
    why_no_plan: str
    findings: tuple[Finding, ...]
    settings: PipelineConfig
    version: Version | None
    fitted: Version | None
    verdict: Verdict
    hand_edits: tuple[str, ...]
    contract: Mapping[str, Any]
    proof: Mapping[str, Any] | None
    newest_run: RunSummary | None
    run_of_this: RunSummary | None
    metrics: Mapping[str, float]
    registered: Mapping[int, int]

    @property
    def proven_version(self) -> int | None:
        """The version that was replayed."""
        return self.fitted.number if self.fitted is not None and self.proof is not None else None


def facts_of(target: Target, path: str) -> Facts:
    """What is known of the notebook at `path`, as it is saved. Raises NbprodError where it can't be read."""
    with edited_notebook(path) as analyser:
        notebook = notebook_of(path)
        known = study(notebook, model=target.settings.model, auto=True, recorded=recorded(target), analyser=analyser)
        version = versions.latest(target.root, target.name)
        verdict = Verdict.NOT_EXPORTED if version is None else compared(known, target, version).verdict
        findings = known.findings
    fitted = versions.latest_fitted(target.root, target.name)
    uri = target.project.config.tracking_uri or tracking.default_uri(target.project.root)
    runs = tracking.runs(uri=uri, name=target.name, limit=MOST_RUNS)
    same = [run for run in runs if _is_of(run, path) and run.status == "FINISHED"]
    return Facts(
        notebook=notebook,
        plan=known.plan,
        why_no_plan=known.failure.message if known.failure else "",
        findings=findings,
        settings=target.settings,
        version=version,
        fitted=fitted,
        verdict=verdict,
        hand_edits=() if version is None else versions.hand_edits(target.root, target.name, version.number),
        contract={} if version is None else _contract(target, version),
        proof=None if fitted is None else proof_of(target, fitted),
        newest_run=runs[0] if runs else None,
        run_of_this=same[0] if same else None,
        metrics=notebook_metrics(same[0]) if same else {},
        registered={
            each.version: each.number for each in tracking.registered(target.name, uri=uri) if each.version is not None
        },
    )


def _is_of(run: RunSummary, path: str) -> bool:
    """Whether a run ran the notebook as its file is now."""
    return run.tags.get("nbprod.notebook_sha256") == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _contract(target: Target, version: Version) -> Mapping[str, Any]:
    folder = versions.version_folder(target.root, target.name, version.number)
    return versions.read_object(folder / "contract.json") or {}
