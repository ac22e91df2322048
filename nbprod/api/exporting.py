"""The verb `export`: the notebook's plan as a new version of its package, or what an export would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from nbprod import codegen, versions
from nbprod.analysis import Analysis
from nbprod.api.absent import unchecked
from nbprod.api.inspecting import model_as_json, refusals_as_json
from nbprod.api.needed import needed_parameters
from nbprod.api.outlining import analysis_of, notebook_of, with_roles
from nbprod.api.packages import Target, recorded, target_of
from nbprod.api.parameters import with_parameters
from nbprod.api.soundness import hold_to_columns, hold_to_roles, unread
from nbprod.api.studying import study
from nbprod.config import declared_columns
from nbprod.divergence import compare, describe
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan, Refusal, Status
from nbprod.model.run import Version

CONTRACT = "contract.json"
MANIFEST = "manifest.json"


class Draft(Struct, frozen=True):
    """What an export would write: the plan, and the bytes of the package's files."""

    target: Target
    notebook: Notebook
    plan: FeaturePlan
    files: Mapping[str, bytes]
    root_files: Mapping[str, bytes]
    manifest: Mapping[str, Any]


def export_notebook(
    path: str,
    *,
    output: str | None = None,
    name: str | None = None,
    auto: bool = False,
    allow_assumed: bool = False,
    model: str | None = None,
    batch: bool = False,
    check: bool = False,
    diff: bool = False,
) -> dict[str, Any]:
    """Extract the notebook into a version of its package (schemas/export.json); nothing of it runs.

    With `batch` features may be made of the rows around a row: such a package serves whole batches.

    With `check` or `diff` nothing is written, and the result says what an export would change. What the plan
    refuses is in `refusals`, and then nothing is written either. Raises NbprodError where there is no plan.
    """
    found = planned(path, output=output, name=name, auto=auto, model=model, batch=batch)
    plan, notebook, target = found.plan, found.notebook, found.target
    refusals = refused(plan, notebook, allow_assumed=allow_assumed)
    report: dict[str, Any] = {
        "notebook": path,
        "name": target.name,
        "status": "refused",
        "package": None,
        "version": None,
        "digest": plan.digest,
        "model": model_as_json(plan),
        "files": [],
        "refusals": refusals_as_json(refusals),
        "assumed": [{"cell": step.cell, "line": step.line} for step in plan.steps if step.status is Status.ASSUMED],
        "divergences": [],
        "changed_files": [],
        "diff": None,
        "unchecked": unchecked(notebook, found.analysis, recorded(target).columns),
    }
    if refusals:
        return report
    draft = drafted(plan, notebook, target)
    if check or diff:
        return report | _difference(draft, with_diff=diff)
    return report | _written(draft)


class Planned(NamedTuple):
    """A plan, the notebook with its roles, the package that it belongs to, and what is found in the notebook.

    `analysis` is what the plan was made of; `analyse` does the same for another state of the notebook.
    """

    plan: FeaturePlan
    notebook: Notebook
    target: Target
    findings: tuple[Finding, ...]
    analysis: Analysis
    analyse: Callable[[Notebook], Analysis]


def planned(
    path: str,
    *,
    output: str | None = None,
    name: str | None = None,
    auto: bool = False,
    model: str | None = None,
    batch: bool = False,
    parameters: Mapping[str, Any] | None = None,
    kernel: str | None = None,
) -> Planned:
    """The plan of the notebook at `path`, and all that belongs to it.

    `parameters` stand in the place of their defaults; `kernel` is the one it will run in. Raises NbprodError where
    there is no plan to be had.
    """
    target = target_of(path, output=output, name=name)
    notebook = with_parameters(with_roles(notebook_of(path), auto=auto), parameters or {})
    hold_to_roles(notebook)
    before = recorded(target, kernel)
    known = study(notebook, model=model or target.settings.model, auto=auto, batch=batch, recorded=before)
    if known.plan is None:
        assert known.failure is not None
        raise known.failure
    analysis = known.outline.analysis
    hold_to_columns(notebook, known.plan, analysis)
    return Planned(known.plan, notebook, target, known.findings, analysis, partial(analysis_of, recorded=before))


def refused(
    plan: FeaturePlan, notebook: Notebook, *, allow_assumed: bool, parameters: Mapping[str, Any] = {}
) -> tuple[Refusal, ...]:
    """What keeps the plan from being exported; steps that are merely assumed, too, unless they are allowed.

    `parameters` are those of a run.
    """
    refusals = (*needed_parameters(notebook, plan, parameters), *plan.refusals, *unread(notebook, plan))
    assumed = (
        Refusal(
            step.cell,
            step.line,
            step.source.strip().splitlines()[0],
            "what this does to a row is not known from the tables",
            "nbprod run lets the replay decide; --allow-assumed takes it on trust",
        )
        for step in plan.steps
        if step.status is Status.ASSUMED
    )
    return refusals if allow_assumed else (*refusals, *assumed)


def drafted(plan: FeaturePlan, notebook: Notebook, target: Target) -> Draft:
    """The files of the package, as bytes."""
    named = named_in_project(notebook, target)
    files = _with_policy(codegen.version_files(plan, named, target.name), target)
    return Draft(target, named, plan, files, codegen.root_files(target.name), json.loads(files[MANIFEST]))


def _with_policy(files: Mapping[str, bytes], target: Target) -> Mapping[str, bytes]:
    """The files with what the configuration states about rows and doubts in the contract, its hash in the manifest."""
    settings = target.settings
    stated = _doubts(target) | _columns(target)
    if settings.row_policy == "flag" and not stated:
        return files
    if settings.row_policy == "default" and settings.row_default is None:
        raise NbprodError(
            'row_policy is "default", and no answer is stated',
            code="bad-config",
            where=Where(str(target.project.source)),
            hint=f"set row_default for pipeline {target.name}",
        )
    contract = json.loads(files[CONTRACT]) | {"policy": settings.row_policy} | stated
    if settings.row_policy == "default":
        contract["default"] = settings.row_default
    content = _as_bytes(contract)
    manifest = json.loads(files[MANIFEST])
    manifest["files"][CONTRACT] = hashlib.sha256(content).hexdigest()
    return {**files, CONTRACT: content, MANIFEST: _as_bytes(manifest)}


def _doubts(target: Target) -> dict[str, Any]:
    """What is stated about answers that the model is not sure of; nothing where they are given as any other."""
    stated = target.settings.low_confidence
    if stated.action == "answer":
        return {}
    if len(stated.band) != 2 or not 0 <= stated.band[0] <= stated.band[1] <= 1:
        raise NbprodError(
            f'low_confidence.action is "{stated.action}", and low_confidence.band is {list(stated.band)}',
            code="bad-config",
            where=Where(str(target.project.source)),
            hint=f"set the bounds of unsure probabilities for pipeline {target.name}, such as [0.4, 0.6]",
        )
    return {"unsure": list(stated.band), "when_unsure": stated.action}


def _columns(target: Target) -> dict[str, Any]:
    """What is declared of raw columns in the place of what training saw."""
    return stated if (stated := {"stated": declared_columns(target.settings)})["stated"] else {}


def _as_bytes(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def published(draft: Draft) -> Version:
    """Write the version (or find that the newest is the same) and list it in the ledger."""
    target = draft.target
    git = versions.git_state(target.project.root)
    return versions.publish(
        target.root,
        target.name,
        draft.files,
        draft.root_files,
        digest=draft.plan.digest,
        notebook=draft.notebook.path,
        commit=git.commit if git else None,
        why=_why(draft),
        now=datetime.now(UTC),
    )


def version_path(target: Target, version: Version) -> str:
    """The folder of a version, as shown."""
    return versions.version_folder(target.root, target.name, version.number).as_posix()


def _written(draft: Draft) -> dict[str, Any]:
    target = draft.target
    before = versions.latest(target.root, target.name)
    version = published(draft)
    same = before is not None and (before.number, before.when) == (version.number, version.when)
    return {
        "status": "unchanged" if same else "written",
        "package": version_path(target, version),
        "version": version.number,
        "files": sorted(draft.files),
    }


def _difference(draft: Draft, *, with_diff: bool) -> dict[str, Any]:
    target = draft.target
    newest = versions.latest(target.root, target.name)
    stale = versions.is_stale(target.root, target.name, draft.files, draft.root_files)
    return {
        "status": "stale" if stale else "fresh",
        "package": version_path(target, newest) if newest else None,
        "version": newest.number if newest else None,
        "divergences": [to_builtins(each) for each in _moved(draft, newest)] if stale and newest else [],
        "changed_files": [each.path for each in stale],
        "diff": "".join(each.diff for each in stale) if with_diff else None,
    }


def _moved(draft: Draft, newest: Version) -> tuple[Any, ...]:
    """Which cells moved the package away from the newest version."""
    target = draft.target
    folder = versions.version_folder(target.root, target.name, newest.number)
    old = versions.read_manifest(folder) or {}
    edits = versions.hand_edits(target.root, target.name, newest.number)
    return compare(draft.manifest, old, hand_edits=edits, package=folder.as_posix()).divergences


def _why(draft: Draft) -> str:
    # A version that was never fitted is replaced by the next export, so the reason is told from the last fitted one.
    fitted = versions.latest_fitted(draft.target.root, draft.target.name)
    if fitted is None:
        return "first export"
    found = [describe(each) for each in _moved(draft, fitted)]
    if not found:
        return "another wording of the same"
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return found[0] + more


def named_in_project(notebook: Notebook, target: Target) -> Notebook:
    """The notebook named by its path in the project, so that the same notebook gives the same bytes everywhere."""
    absolute = Path(notebook.path).resolve()
    root = target.project.root
    named = absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.name
    return replace(notebook, path=named)
