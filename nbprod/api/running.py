"""The verb `run`: run the notebook, fit its package on what it read, prove the two equal, track and register."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from nbprod import replay, tracking, versions
from nbprod.api.beginning import Beginning
from nbprod.api.cells import finding_as_json
from nbprod.api.executing import Caching, executed, executed_to
from nbprod.api.exporting import Draft, Planned, drafted, planned, published, refused, version_path
from nbprod.api.fitting import GOLDEN, fitted
from nbprod.api.fitting_once import fit_of, fitted_before, note_fit
from nbprod.api.inspecting import model_as_json, plan_as_json, refusals_as_json
from nbprod.api.measuring import metrics_of
from nbprod.api.one_row import one_row
from nbprod.api.outlining import notebook_of
from nbprod.api.parameters import as_recorded, in_clear, read_parameters, typed
from nbprod.api.progress import OnProgress, Progress, one_at_a_time, silent
from nbprod.api.proving import EXECUTED, RUNS, verify_as_json
from nbprod.api.proving_in_fit import ProofInFit
from nbprod.api.recording import CI_TAG, DATA_VERSIONS, RETRAIN_TAG, ci_service, texts_of
from nbprod.api.registry import challenged
from nbprod.api.sending import Place, failed, log_model_ahead, recorded
from nbprod.api.soundness import hold_to_modules, modules_of
from nbprod.api.tracked import store_of
from nbprod.backends.ending import Ending
from nbprod.backends.environments import Installed, hold_to_needs, installed_for
from nbprod.backends.kernels import choose_kernel
from nbprod.backends.stage_cache import StageCache
from nbprod.errors import NbprodError, from_system
from nbprod.ignored import keep_out_of_git
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook, Role
from nbprod.model.parameter import SecretValue
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import RunResult, VerifyResult, Version
from nbprod.plan.stages import ORDER
from nbprod.versions.lock import locked

EXAMPLE, EXAMPLE_OF_BATCH = 2, 20
"""Rows of the input example of a model."""

FITTING = ".nbprod/fitting"
"""The locks of packages that a run is fitting."""

LONGEST_FIT = 3600.0
"""Seconds that a run waits for another one of the same package."""

REGISTERED = frozenset({"proven", "observed"})


class _Job(Struct, frozen=True):
    """One call of `run`: the draft of the package, the notebook as it is, its parameters, and who is told."""

    draft: Draft
    planned: Planned
    notebook: Notebook
    parameters: Mapping[str, Any]
    record: tracking.RunRecord
    uri: str
    tell: OnProgress
    findings: tuple[Finding, ...]
    installed: Installed
    caching: Caching | None
    retrains: bool = False

    @property
    def name(self) -> str:
        return self.draft.target.name

    @property
    def place(self) -> Place:
        return Place(self.draft.target.project.root, self.uri, self.name)

    def say(self, stage: str, text: str, done: int = 0, total: int = 0) -> None:
        self.tell(Progress(self.notebook.path, stage, text, done, total))


def run_notebook(
    path: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    parameters_file: str | None = None,
    output: str | None = None,
    name: str | None = None,
    auto: bool = False,
    allow_assumed: bool = False,
    model: str | None = None,
    batch: bool = False,
    verify: bool = True,
    kernel: str | None = None,
    timeout: float | None = None,
    first_stage: str | None = None,
    last_stage: str | None = None,
    use_cache: bool = True,
    retrains: bool = False,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Run the notebook, and make of it a version of its package that is fitted, proven, tracked and registered.

    Stages that an earlier run has done, and that nothing has changed since, are restored, up to `first_stage` (`data`,
    `features`, `train` or `evaluate`) where that is given, and not at all without `use_cache`.
    With `last_stage` the run stops behind that stage, whose values stay in the cache for the next run: so orchestrators
    run each stage as a task of its own. Nothing is fitted, tracked or registered then (schemas/run_to.json).

    `parameters` go before those of `parameters_file`, and these before the configuration's. `timeout` is in seconds
    a cell. `batch` is as for `export_notebook`. The record of a run that `retrains` a pipeline says so.
    What the plan refuses is in `refusals`, and then nothing runs
    (schemas/run.json). Raises NbprodError: wrong parameters, no plan, an environment without skops, a cell that fails
    (the partial notebook is kept and tracked), a package that can't be fitted; `not-kept` where the last stage can't
    hand over what it gives, so that what follows it has to run in the same call.
    """
    asked = partial(planned, path, output=output, name=name, auto=auto, model=model, batch=batch, kernel=kernel)
    found = asked()
    given = {
        **found.target.settings.parameters,
        **(read_parameters(parameters_file) if parameters_file else {}),
        **(parameters or {}),
    }
    values = typed(found.notebook, given)
    for said in in_clear(values):
        on_progress(Progress(path, "plan", said))
    if values:
        # The package is that of the notebook as it runs, with these values in the place of its defaults.
        found = asked(parameters=values)
    plan, notebook, target, findings = found.plan, found.notebook, found.target, found.findings
    # The replay decides on steps that are merely assumed: with it they come out as observed, or the proof fails.
    refusals = refused(plan, notebook, allow_assumed=allow_assumed or verify, parameters=values)
    if refusals:
        report = _refused(path, plan, refusals_as_json(refusals), findings)
        return report if last_stage is None else _as_far(report, last_stage)
    draft = drafted(plan, notebook, target)
    on_progress(Progress(path, "plan", f"{len(plan.steps)} steps, {len(plan.features)} features, {plan.model.name}"))
    as_it_is = notebook_of(path)
    own_modules = modules_of(target.project.root, as_it_is, draft.files)
    installed = installed_for(choose_kernel(as_it_is, kernel), own_modules)
    if last_stage is None:
        hold_to_needs(installed)
        hold_to_modules(as_it_is, own_modules, installed.not_found)
    hidden = [name for name, value in values.items() if isinstance(value, SecretValue)]
    if hidden:
        # What cells make with a secret may hold it, under any name.
        said = f"no stage is restored or kept, for what it holds may tell {' and '.join(hidden)}"
        on_progress(Progress(path, "plan", said))
    job = _Job(
        draft,
        found,
        as_it_is,
        values,
        _record(draft, path, as_recorded(notebook, values)),
        store_of(target),
        one_at_a_time(on_progress),
        findings,
        installed,
        None if hidden else _caching(draft, as_it_is, installed, _first(first_stage, use_cache=use_cache)),
        retrains,
    )
    if last_stage is not None:
        return _run_to(job, _stage(last_stage), kernel=kernel, timeout=timeout)
    return _run(job, verify=verify, kernel=kernel, timeout=timeout)


def _run_to(job: _Job, last: Role, *, kernel: str | None, timeout: float | None) -> dict[str, Any]:
    """Run the notebook up to the end of a stage; nothing is fitted, tracked or registered."""
    runs = job.draft.target.project.root / RUNS
    try:
        keep_out_of_git(runs)
        runs.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".to-", dir=runs) as folder:
            stages = executed_to(
                job.notebook,
                job.planned,
                Path(folder),
                last=last,
                parameters=job.parameters,
                kernel=kernel,
                timeout=timeout,
                caching=job.caching,
                on_progress=job.tell,
            )
    except OSError as refused:
        raise from_system(refused, str(runs)) from refused
    told = {
        "notebook": job.notebook.path,
        "stages": [to_builtins(stage) for stage in stages],
        "refusals": [],
        "findings": [finding_as_json(finding) for finding in job.findings],
    }
    return _as_far(told, last.value)


def _as_far(told: Mapping[str, Any], last_stage: str) -> dict[str, Any]:
    """What a run that stops behind a stage tells of one that does not."""
    return {key: told[key] for key in ("notebook", "stages", "refusals", "findings")} | {"to": last_stage}


def _first(stage: str | None, *, use_cache: bool) -> Role | None:
    """The first stage that runs in any case."""
    chosen = None if stage is None else _stage(stage)
    return chosen if use_cache else Role.DATA


def _stage(name: str) -> Role:
    if name not in ORDER:
        raise NbprodError(f'there is no stage "{name}"', code="unknown-stage", hint=f"stages are: {', '.join(ORDER)}")
    return Role(name)


def _caching(draft: Draft, notebook: Notebook, installed: Installed, first: Role | None) -> Caching | None:
    """The cache of the notebook's stages; None where the configuration wants none."""
    project = draft.target.project
    limit = project.config.cache_mb * 1_000_000
    return Caching(StageCache(project.root, notebook, installed.digest, limit=limit), first) if limit > 0 else None


class _Beside(NamedTuple):
    """What goes on beside the notebook: the run's way into the store, processes to fit and prove in, the kernel's end.

    `trains` is the first cell that trains something, `last` the last one.
    """

    beginning: Beginning
    runners: replay.Runners
    ending: Ending
    trains: int
    last: int

    def at(self, job: _Job, progress: Progress) -> None:
        """Pass progress on; no training begins before the run is on record, and none goes on where the store refuses.

        The process starts with the first cell behind the opening of the store, so that the two do not get into each
        other's way, and that of the proof with the last cell.
        """
        if progress.cell is not None and progress.cell >= self.trains:
            self.beginning.run_id(job.say)
        if progress.cell is not None and self.beginning.is_decided:
            self.runners.prepare(2 if progress.cell == self.last else 1)
        self.beginning.check()
        job.tell(progress)


def _run(job: _Job, *, verify: bool, kernel: str | None, timeout: float | None) -> dict[str, Any]:
    root = job.draft.target.project.root
    try:
        keep_out_of_git(root / FITTING)
        beginning = Beginning(job.record, job.place, root / RUNS)
    except OSError as refused:
        raise from_system(refused, str(root / RUNS)) from refused
    try:
        with Ending() as ending, replay.Runners(job.installed.executable, 2 if verify else 1) as runners:
            beside = _Beside(beginning, runners, ending, _first_training(job.planned), job.notebook.cells[-1].index)
            return _carried_out(job, beside, verify=verify, kernel=kernel, timeout=timeout)
    except OSError as refused:
        error = from_system(refused, str(beginning.folder))
        _track_failure(job, beginning, error)
        raise error from refused
    except (NbprodError, KeyboardInterrupt, SystemExit) as stopped:
        _track_failure(job, beginning, stopped)
        raise


def _first_training(planned: Planned) -> int:
    """The first cell that is told to train, or that trains the model."""
    told = [cell.index for cell in planned.notebook.cells if cell.role is Role.TRAIN]
    return min([planned.plan.model.fit.cell, *told])


def _carried_out(
    job: _Job, beside: _Beside, *, verify: bool, kernel: str | None, timeout: float | None
) -> dict[str, Any]:
    target, beginning = job.draft.target, beside.beginning
    result = executed(
        job.notebook,
        job.planned,
        beginning.folder,
        parameters=job.parameters,
        kernel=kernel,
        timeout=timeout,
        caching=job.caching,
        ending=beside.ending,
        on_progress=partial(beside.at, job),
    )
    run_id = beginning.run_id(job.say)
    result = beginning.settled(result, run_id)
    # One run at a time from export to fit: another would put its own code in the place of one not fitted yet.
    with locked(target.project.root / FITTING / target.name, wait=LONGEST_FIT):
        version = published(job.draft)
        known = fit_of(target, version, result, with_proof=verify)
        if known is None:
            version, proof, result = _fitted(job, version, result, run_id, beside.runners, verify=verify)
        else:
            version = fitted_before(target, version, job.draft.files, known, run_id=run_id)
            proof = known.verify if verify else None
            job.say("fit", f"{version_path(target, version)} is fitted and proven on these rows already")
            note_fit(version, result, known.verify, known.metrics)
            result = replace(result, metrics=known.metrics)
    job.say("track", "logging the run")
    is_good = proof is None or proof.status in REGISTERED
    finished = _finished(job, version, result, proof)
    is_tracked = recorded(finished, job.place, run_id, register=is_good, say=job.say)
    if proof is not None and proof.status in REGISTERED:
        version = challenged(target, version)
    return {
        "notebook": job.notebook.path,
        "run_id": run_id,
        "package": version_path(target, version),
        "version": version.number,
        "digest": version.digest,
        "aliases": list(version.aliases),
        "model": model_as_json(job.draft.plan),
        "serves": "batch" if job.draft.plan.around else "rows",
        "one_row": one_row(versions.version_folder(target.root, target.name, version.number)),
        "metrics": dict(result.metrics),
        "stages": [to_builtins(stage) for stage in result.stages],
        "restored": known is not None,
        "not_kept": _not_kept(job),
        "not_run": list(job.caching.cache.changed) if job.caching is not None else [],
        "verify": verify_as_json(proof) if proof else None,
        "refusals": [],
        "findings": [finding_as_json(finding) for finding in job.findings],
        "executed": result.executed,
        "tracking_uri": tracking.redact_text(job.uri),
        "tracked": is_tracked,
    }


def _fitted(
    job: _Job, version: Version, result: RunResult, run_id: str, runners: replay.Runners, *, verify: bool
) -> tuple[Version, VerifyResult | None, RunResult]:
    """The version with what it learned in this run, its proof, and the run with its metrics."""
    target = job.draft.target
    job.say("fit", f"fitting {version_path(target, version)} on what the notebook read")
    fit = partial(fitted, target, version, result, run_id=run_id, on_progress=job.tell, notebook=job.notebook.path)
    if verify:
        with ProofInFit(target, version, result, runners, partial(job.say, "verify")) as proving:
            version = fit(runners=runners, proof=proving)
            log_model_ahead(_of_version(job, version), job.place, run_id)
            proof = proving.of(version)
    else:
        version, proof = fit(runners=runners), None
    metrics = metrics_of(target, job.draft.plan, version, result, partial(job.say, "fit"))
    note_fit(version, result, proof, metrics)
    return version, proof, replace(result, metrics=metrics)


def _not_kept(job: _Job) -> list[dict[str, Any]]:
    """The stages of this run that can't be restored in the next one, with the reasons."""
    reasons = job.caching.cache.reasons if job.caching is not None else {}
    return [{"after": after, "reason": reason} for after, reason in sorted(reasons.items())]


def _record(draft: Draft, path: str, values: Mapping[str, Any]) -> tracking.RunRecord:
    git = versions.git_state(draft.target.project.root)
    return tracking.RunRecord(
        name=draft.target.name,
        notebook=draft.notebook.path,
        digest=draft.plan.digest,
        params=dict(values),
        notebook_sha256=hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        commit=git.commit if git else None,
        dirty=git.dirty if git else False,
        diff=git.diff if git else "",
        start=datetime.now(UTC),
    )


def _finished(job: _Job, version: Version, result: RunResult, proof: VerifyResult | None) -> tracking.RunRecord:
    target = job.draft.target
    folder = versions.version_folder(target.root, target.name, version.number)
    metrics = dict(result.metrics)
    restored = ", ".join(stage.role for stage in result.stages if stage.restored)
    texts = {
        "plan.json": json.dumps(plan_as_json(job.draft.plan), indent=2) + "\n",
        **texts_of(job.draft.notebook, job.parameters, job.installed, result, job.findings),
    }
    if target.settings.data.versions:
        texts[DATA_VERSIONS] = json.dumps(target.settings.data.versions, indent=2) + "\n"
    if proof:
        texts["verify.json"] = json.dumps(verify_as_json(proof), indent=2, default=str) + "\n"
        metrics |= {"verify.rows": proof.rows, "verify.rows_equal": proof.rows_equal}
    return replace(
        _of_version(job, version),
        metrics=metrics,
        tags={
            "nbprod.verify": proof.status if proof else "skipped",
            "nbprod.platform": job.installed.platform,
            **({CI_TAG: service} if (service := ci_service(os.environ)) else {}),
            **({RETRAIN_TAG: "true"} if job.retrains else {}),
            **({"nbprod.restored": restored} if restored else {}),
            **({"nbprod.memory_mb": f"{result.memory / 1e6:.0f}"} if result.memory else {}),
        },
        kernel=result.kernel,
        python=result.python,
        versions=result.versions,
        inputs=result.inputs,
        artifacts={EXECUTED: Path(result.executed), "package": folder},
        texts=texts,
        end=datetime.now(UTC),
    )


def _of_version(job: _Job, version: Version) -> tracking.RunRecord:
    """The record with what makes the model: a fitted version, and examples of its rows."""
    target = job.draft.target
    folder = versions.version_folder(target.root, target.name, version.number)
    package, example = (target.root / target.name).resolve(), _example(folder, job.draft.plan)
    return replace(job.record, version=version.number, package=package, example=example)


def _example(folder: Path, plan: FeaturePlan) -> tuple[dict[str, Any], ...]:
    """Golden rows, two or a batch, with the columns that a request needs: MLflow's input example."""
    from nbprod.codegen.runtime import codec

    if not (folder / GOLDEN).is_file():
        return ()
    rows = codec.load((folder / GOLDEN).parent, "golden")["rows"]
    known = [name for name in rows.columns if name in plan.inputs or (plan.open_inputs and name != plan.target)]
    return tuple(rows[known].head(EXAMPLE_OF_BATCH if plan.around else EXAMPLE).to_dict("records"))


def _track_failure(job: _Job, beginning: Beginning, error: BaseException) -> None:
    """What there is of a run that failed stays, in the store too, with the partial notebook.

    What stopped the run is what a person must know: that the store refuses besides is only said, and the next run
    closes this one there.
    """
    if not beginning.is_decided and not isinstance(error, NbprodError):
        return  # nobody who wants to stop waits for a store; the next run gives the folder its name
    try:
        run_id: str | None = beginning.run_id(job.say)
    except NbprodError as refused:
        if refused is error:
            beginning.abandon()
            return
        run_id = None
        job.say("track", f"the run is not in the store: {refused.message}")
    name = run_id or uuid4().hex
    try:
        folder = beginning.settle(name)
        if isinstance(error, NbprodError):
            beginning.renamed(error, name)
        if run_id is not None:
            partial = {EXECUTED: folder / EXECUTED} if (folder / EXECUTED).is_file() else {}
            record = replace(job.record, artifacts=partial, end=datetime.now(UTC))
            failed(record, job.place, run_id, str(error) or type(error).__name__, job.say)
    except (NbprodError, OSError) as refused:
        second = from_system(refused, str(beginning.runs)) if isinstance(refused, OSError) else refused
        job.say("track", f"run {name} could not be closed in the store: {second.message}")


def _refused(
    path: str, plan: FeaturePlan, refusals: list[dict[str, Any]], findings: tuple[Finding, ...]
) -> dict[str, Any]:
    return {
        "notebook": path,
        "run_id": None,
        "package": None,
        "version": None,
        "digest": plan.digest,
        "aliases": [],
        "model": model_as_json(plan),
        "serves": "batch" if plan.around else "rows",
        "metrics": {},
        "stages": [],
        "restored": False,
        "not_kept": [],
        "not_run": [],
        "verify": None,
        "refusals": refusals,
        "findings": [finding_as_json(finding) for finding in findings],
        "executed": None,
        "tracking_uri": None,
        "tracked": None,
    }
