"""What is known of a notebook, its package and its runs at one moment: what the checklist goes by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from nbprod.config import PipelineConfig
from nbprod.model.finding import Divergence, Finding, Verdict
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.model.promotion import Promotion
from nbprod.model.readiness import Evidence
from nbprod.model.run import RunSummary, Version
from nbprod.model.workflow import CheckStep, Schedule


class Export(Struct, frozen=True):
    """The files of the newest version that an export would change now, or why that can't be told."""

    changed: tuple[str, ...] = ()
    unknown: str | None = None


class DataFile(Struct, frozen=True):
    """A file that a run has read: its sha256 then, and now (None where it is gone).

    `version` is the one that was declared of it then.
    """

    path: str
    then: str
    now: str | None
    version: str | None = None


class ShownOtherwise(Struct, frozen=True):
    """A cell whose saved output is not what a fresh kernel shows, by the first line of each that differs.

    It is not `settled` where nothing but numbers differs and one run alone shows them: they may be draws or times.
    """

    cell: int
    saved: str
    fresh: str
    settled: bool = True


class Joined(Struct, frozen=True):
    """How many of the true answers of a file had answers that they are true of, when that was looked at last."""

    file: str
    when: str
    joined: int
    truths: int


class People(Struct, frozen=True):
    """Who the project's version control knows: authors of the last half year, and the rules of CODEOWNERS.

    A rule is a pattern of paths with the owners that it names; of several that match a path, the last counts.
    """

    authors: tuple[str, ...] = ()
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Facts(Struct, frozen=True):
    """The saved notebook with its plan and findings; its package's newest and newest fitted version; its runs.

    `complete` says that the analysis came to the end of the notebook. `export` is what an export would change now.
    `store_fault` says why the store of runs can't be asked, where it can't. `runs` are the newest first, `runs_of_this`
    those of the notebook as it is saved, and `metrics` are the notebook's own in the newest of these that finished.
    `as_saved` is the first of them that a person has made, with its metrics, and cells in which that has
    `shown_otherwise` what is saved: a run on other data, as in retraining, may show whatever comes of these.
    `ci_read_other_data` says whether the newest run by a CI service has read other contents than the newest by hand,
    None where that is not known here. `champion_metrics` are those of the run of the champion,
    and `joined` is what monitoring found of the last true answers.
    `proof` is the last replay of the newest fitted version, `registered` maps versions to those of the registry.
    `configuration` is the file that `settings` stand in, where there is one, `check_steps` are the steps of workflows
    that check, `schedules` the workflows that train it again. `columns` are those of the raw rows as far as they are
    known, and `personal` those of which the rows that the fitted version keeps show what is about a person, with what
    it looks like. `champion` is the version that serves, and `promotion` the record of how it came to. `state_kept`
    says that the fitted version has the learned state which the ledger has of it, and `champion_state_kept` that the
    champion has. Of the fitted version there are what was compiled (`one_row`), the number of rows that its baseline
    counts, the versions of Python and of libraries that it was fitted with, and those of its lock file.
    `data` are the files of the newest finished run, None where they are not known
    here. `evidence` is that of checks that take time, by item, and `inputs` are the hashes that they are held
    against. `manifests` are the paths of container files and manifests, `manifest_texts` what stands in them.
    `places` are the notebook and a file of its newest version, as paths from the project's root. `is_error` says that
    the function of the metric that decides is known to give less where it is better.
    """

    notebook: Notebook
    plan: FeaturePlan | None
    why_no_plan: str
    complete: bool
    findings: tuple[Finding, ...]
    settings: PipelineConfig
    configuration: str | None
    now: datetime
    version: Version | None = None
    fitted: Version | None = None
    verdict: Verdict = Verdict.NOT_EXPORTED
    divergences: tuple[Divergence, ...] = ()
    hand_edits: tuple[str, ...] = ()
    state_kept: bool = True
    champion_state_kept: bool = True
    export: Export = Export()
    contract: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    personal: Mapping[str, str] = field(default_factory=dict)
    proof: Mapping[str, Any] | None = None
    one_row: Mapping[str, Any] = field(default_factory=dict)
    baseline_rows: int | None = None
    fitted_with: Mapping[str, str] = field(default_factory=dict)
    fitted_python: str = ""
    locked: Mapping[str, str] = field(default_factory=dict)
    champion: Version | None = None
    promotion: Promotion | None = None
    store_fault: str | None = None
    runs: tuple[RunSummary, ...] = ()
    runs_of_this: tuple[RunSummary, ...] = ()
    shown_otherwise: tuple[ShownOtherwise, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    as_saved: RunSummary | None = None
    metrics_as_saved: Mapping[str, float] = field(default_factory=dict)
    ci_read_other_data: bool | None = None
    champion_metrics: Mapping[str, float] = field(default_factory=dict)
    joined: Joined | None = None
    data: tuple[DataFile, ...] | None = None
    registered: Mapping[int, int] = field(default_factory=dict)
    check_steps: tuple[CheckStep, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    people: People | None = None
    places: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    manifest_texts: Mapping[str, str] = field(default_factory=dict)
    is_error: bool = False
    runbook: str | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> RunSummary | None:
        """The newest finished run of the notebook as it is saved."""
        return next((run for run in self.runs_of_this if run.status == "FINISHED"), None)

    @property
    def proven_version(self) -> int | None:
        """The version that was replayed."""
        return self.fitted.number if self.fitted is not None and self.proof is not None else None
