"""The verb `reproduce`: run a recorded run again, and compare what it gives with what was recorded."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from msgspec import Struct
from msgspec.structs import replace

from nbprod import tracking, versions
from nbprod.api.executing import executed
from nbprod.api.exporting import Planned, drafted, planned, published
from nbprod.api.fitting import fitted
from nbprod.api.learned_text import learned_text
from nbprod.api.listing import notebook_metrics
from nbprod.api.measuring import measured
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, package_of, packages_folder, split_reference, training_folder
from nbprod.api.parameters import parameters_of, typed
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.proving import EXECUTED, RUNS, verify_as_json
from nbprod.api.tracked import store_of
from nbprod.backends.documents import INJECTED_TAG
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Finding
from nbprod.model.run import RunResult, Version
from nbprod.replay import replay
from nbprod.tracking.record import RunSummary

AGAIN = "reproduced"
"""Below `RUNS`: what the last run that was made again has given, one folder for each package."""
TOLERANCE = 1e-9
"""Relative difference up to which a metric or prediction is the same within tolerance."""
UNSEEDED = "missing-seed"
MOST_STATES = 20
"""Learned values that are named where they differ."""


class _Recorded(Struct, frozen=True):
    """A run as it was recorded: where its notebook lies now, the one that ran, its files, its package's version."""

    target: Target
    run: RunSummary
    version: Version
    notebook: Path
    document: Any
    inputs: tuple[tuple[Path, str], ...]


class _Again(Struct, frozen=True):
    """The same run once more: what it gave, and the version that was fitted on it in a folder of its own."""

    plan: Planned
    result: RunResult
    target: Target
    version: Version


def reproduce(
    text: str, *, output: str | None = None, kernel: str | None = None, on_progress: OnProgress = silent
) -> dict[str, Any]:
    """Run a recorded run again and compare learned state, predictions and metrics (schemas/reproduce.json).

    `text` is a run's id or the beginning of it, or `NAME` or `NAME@VERSION` for the run that a version was fitted in.
    The recorded code runs with the recorded parameters on the files as they are now; what has changed since the record
    is named, and where the outcome differs the first of these is its cause. Nothing is registered, and no version is
    made. Raises NbprodError: `no-run`, `no-version` for a run that gave none, `not-found` where the notebook or a file
    that the run read is gone, and what a run raises.
    """
    recorded = _recorded(text, output)
    name = recorded.target.name
    missing = [path for path, _ in recorded.inputs if not path.is_file()]
    if missing:
        raise NbprodError(
            f"a file that run {recorded.run.run_id[:8]} read is not here any more",
            code="not-found",
            where=Where(str(missing[0])),
            hint="bring it back, and reproduce again: its sha256 is in the run's inputs.json",
        )
    with _code(recorded) as path, tempfile.TemporaryDirectory(prefix="nbprod-reproduce-") as scratch:
        again = _once_more(recorded, path, scratch, kernel, on_progress)
        on_progress(Progress(str(recorded.notebook), "verify", "comparing with the record"))
        proof = _proof(recorded, again, on_progress)
        state = _state(recorded, again)
        metrics = _metrics(recorded, again)
    changes = [*_data(recorded), *_environment(recorded, again), *_secrets(recorded)]
    status = _status(proof, state, metrics)
    seeds = [_seed(each) for each in again.plan.findings if each.rule == UNSEEDED]
    causes = [*changes, *seeds] if status == "different" else []
    return {
        "run_id": recorded.run.run_id,
        "name": name,
        "version": recorded.version.number,
        "notebook": str(recorded.notebook),
        "status": status,
        "cause": causes[0] if causes else _unknown() if status == "different" else None,
        "changes": [*_edits(recorded), *changes],
        "unseeded": seeds,
        "state": state,
        "metrics": metrics,
        "verify": verify_as_json(proof),
        "executed": again.result.executed,
    }


def _recorded(text: str, output: str | None) -> _Recorded:
    name, reference = split_reference(text)
    project = find_project(Path.cwd())
    root = packages_folder(output, project)
    if _is_package(root, name):
        target = package_of(name, output=output)
        version = versions.resolve(root, name, reference) if reference else versions.latest_fitted(root, name)
        if version is None or version.run is None:
            raise NbprodError(f"no run is recorded for {text}", code="no-run", hint=f"nbprod run makes one of {name}")
        run = tracking.get_run(version.run, uri=store_of(target))
        return _of_run(target, run, version)
    target = Target(name, root, project)
    run = tracking.get_run(text, uri=store_of(target))
    target = replace(target, name=run.tags.get("nbprod.package", ""))
    number = run.tags.get("nbprod.version")
    listed = {each.number: each for each in versions.ledger(root, target.name)} if target.name else {}
    found = listed.get(int(number)) if number else None
    if found is None:
        raise NbprodError(
            f"run {run.run_id[:8]} ({run.status.lower()}) gave no version of a package that could be compared",
            code="no-version",
            hint="only a run that came to its end can be reproduced",
        )
    return _of_run(target, run, found)


def _is_package(root: Path, name: str) -> bool:
    try:
        return bool(versions.ledger(root, versions.check_name(name)))
    except NbprodError:
        return False


def _of_run(target: Target, run: RunSummary, version: Version) -> _Recorded:
    roots = dict.fromkeys((Path.cwd(), target.project.root))
    named = dict.fromkeys((run.tags.get("nbprod.notebook", ""), version.notebook))
    paths = (root / each for each in named if each for root in roots)
    # A store may come from anywhere: what it names is run only where it lies in this project.
    within = tuple(root.resolve() for root in roots)
    notebook = next((path for path in paths if path.is_file() and _lies_in(path, within)), None)
    if notebook is None:
        raise NbprodError(
            f"the notebook of run {run.run_id[:8]} is not here",
            code="not-found",
            where=Where(str(target.project.root / version.notebook)),
            hint="bring it back: the run's own copy is its artifact executed.ipynb",
        )
    with tempfile.TemporaryDirectory(prefix="nbprod-record-") as folder:
        inputs = json.loads(_artifact(target, run, "inputs.json", folder) or "[]")
        text = _artifact(target, run, EXECUTED, folder)
    files = tuple((Path(notebook.parent, each["path"]), str(each["sha256"])) for each in inputs)
    return _Recorded(target, run, version, notebook, None if text is None else _as_written(text), files)


def _lies_in(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(root) for root in roots)


def _artifact(target: Target, run: RunSummary, name: str, folder: str) -> str | None:
    """The text of a run's artifact: the file on this machine, with what no shared store is given, else the store's."""
    here = target.project.root / RUNS / run.run_id / name
    if here.is_file():
        return here.read_text(encoding="utf-8")
    if name not in run.artifacts and name not in tracking.get_run(run.run_id, uri=store_of(target)).artifacts:
        return None
    return Path(tracking.download(run.run_id, name, folder, uri=store_of(target))).read_text(encoding="utf-8")


def _as_written(executed_text: str) -> Any:
    """The notebook that a run executed, as a person wrote it: without outputs, and without the cell of papermill's."""
    document = nbformat.reads(executed_text, as_version=4)  # type: ignore[no-untyped-call]
    document.cells = [cell for cell in document.cells if INJECTED_TAG not in cell.metadata.get("tags", [])]
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return document


@contextmanager
def _code(recorded: _Recorded) -> Iterator[str]:
    """The path of a notebook with the recorded code: its own file, or a copy beside it where that was edited since."""
    if not _edits(recorded):
        yield str(recorded.notebook)
        return
    copy = recorded.notebook.with_name(f".{recorded.notebook.stem}-{recorded.run.run_id[:8]}-{os.getpid()}.ipynb")
    try:
        copy.write_text(nbformat.writes(recorded.document), encoding="utf-8")  # type: ignore[no-untyped-call]
        yield str(copy)
    finally:
        copy.unlink(missing_ok=True)


def _once_more(recorded: _Recorded, path: str, scratch: str, kernel: str | None, tell: OnProgress) -> _Again:
    name = recorded.target.name
    manifest = _manifest(recorded)
    asked: dict[str, Any] = {
        "output": scratch,
        "name": name,
        "auto": True,
        "model": manifest.get("model", {}).get("name"),
        "batch": manifest.get("serves") == "batch",
        "kernel": kernel,
    }
    whole = notebook_of(path)
    values = typed(whole, _parameters(recorded, path))
    plan = planned(path, **asked, parameters=values)
    folder = recorded.target.project.root / RUNS / AGAIN / name
    result = executed(whole, plan.notebook, plan.plan, folder, parameters=values, kernel=kernel, on_progress=tell)
    draft = drafted(plan.plan, plan.notebook, plan.target)
    version = fitted(
        plan.target, published(draft), result, run_id=None, on_progress=tell, notebook=str(recorded.notebook)
    )
    metrics = result.metrics
    if not metrics and plan.plan.metrics:
        metrics = measured(plan.target, version, result).metrics
    return _Again(plan, replace(result, metrics=dict(metrics)), plan.target, version)


def _parameters(recorded: _Recorded, path: str) -> dict[str, Any]:
    """What the run was given, as the store has it; secrets are not kept there."""
    known = parameters_of(notebook_of(path))
    return {name: text for name, text in recorded.run.params.items() if name in known and not tracking.is_secret(name)}


def _manifest(recorded: _Recorded) -> Mapping[str, Any]:
    return versions.read_manifest(_folder(recorded.target, recorded.version)) or {}


def _folder(target: Target, version: Version) -> Path:
    return versions.version_folder(target.root, target.name, version.number)


# ---------------------------------------------------------------------------------------------- what is compared


def _proof(recorded: _Recorded, again: _Again, tell: OnProgress) -> Any:
    """The recorded package, with what it learned then, replayed against what the notebook gave now."""
    manifest = _manifest(recorded)
    return replay(
        recorded.target.root,
        recorded.target.name,
        _folder(recorded.target, recorded.version).name,
        Path(again.result.captures),
        again.result.python,
        manifest,
        level="quick",
        reads_in=training_folder(recorded.target, manifest),
        on_progress=lambda what, done, total: tell(Progress(str(recorded.notebook), "verify", what, done, total)),
    )


def _state(recorded: _Recorded, again: _Again) -> dict[str, Any]:
    """Whether both learned the same to the last bit, and the learned values that differ as short text."""
    before, after = (_folder(each.target, each.version) / "state" for each in (recorded, again))
    then, now = (versions.read_object(folder / "learned.json") or {} for folder in (before, after))
    texts = [
        (name, learned_text(name, then.get(name), before), learned_text(name, now.get(name), after))
        for name in dict.fromkeys((*then, *now))
    ]
    changed = [{"name": name, "before": old, "after": new} for name, old, new in texts if old != new]
    return {"equal": versions.state_digest(before) == versions.state_digest(after), "changed": changed[:MOST_STATES]}


def _metrics(recorded: _Recorded, again: _Again) -> list[dict[str, Any]]:
    """Each metric that the notebook gave then or now; None where it gave none, or no number."""
    then = notebook_metrics(recorded.run)
    now = {name: value for name, value in again.result.metrics.items() if math.isfinite(value)}
    return [{"name": name, "before": then.get(name), "after": now.get(name)} for name in sorted({*then, *now})]


def _status(proof: Any, state: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> str:
    """`identical` to the last bit, the same `within-tolerance`, or `different`.

    Another model is the same within tolerance only where predictions of both were compared, and were equal.
    """
    is_equal = proof.mismatch is None and (proof.rows_equal, proof.predictions_equal) == (proof.rows, proof.predictions)
    is_same_model = state["equal"] or (not state["changed"] and proof.predictions > 0)
    if not (is_equal and is_same_model and all(_is_close(each["before"], each["after"]) for each in metrics)):
        return "different"
    is_same = all(each["before"] == each["after"] for each in metrics)
    return "identical" if state["equal"] and is_same and proof.max_abs_error == 0 else "within-tolerance"


def _is_close(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return math.isclose(before, after, rel_tol=TOLERANCE)


# ---------------------------------------------------------------------------------------------- what has changed


def _edits(recorded: _Recorded) -> list[dict[str, Any]]:
    """That the notebook was edited since; the code that ran then is what is run again."""
    if recorded.document is None:
        return []
    codes = [cell.source for cell in recorded.document.cells if cell.cell_type == "code"]
    own = [cell.source for cell in notebook_of(str(recorded.notebook)).cells]
    if own == codes:
        return []
    first = next(
        (n for n, (old, new) in enumerate(zip(codes, own, strict=False)) if old != new), min(len(codes), len(own))
    )
    text = f"the notebook was edited since, from cell {first} on; what ran then was run again"
    return [_change("code", text, path=str(recorded.notebook), cell=first)]


def _data(recorded: _Recorded) -> list[dict[str, Any]]:
    return [
        _change(
            "data",
            f"{_near(recorded, path)} has other content than then (sha256 {sha[:12]} then, {now[:12]} now)",
            path=str(path),
        )
        for path, sha in recorded.inputs
        if (now := _sha256(path)) != sha
    ]


def _near(recorded: _Recorded, path: Path) -> str:
    """A file as the notebook would name it."""
    folder = recorded.notebook.parent.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _environment(recorded: _Recorded, again: _Again) -> list[dict[str, Any]]:
    prefix = "nbprod.versions."
    tags = recorded.run.tags
    then = {name.removeprefix(prefix): value for name, value in tags.items() if name.startswith(prefix)}
    return [
        _change(
            "library", f"{name} was {then.get(name, 'absent')} then, and is {again.result.versions.get(name, 'absent')}"
        )
        for name in sorted({*then, *again.result.versions})
        if then.get(name) != again.result.versions.get(name)
    ]


def _secrets(recorded: _Recorded) -> list[dict[str, Any]]:
    return [
        _change("parameter", f"{name} was not recorded, as a secret: the notebook's own value was taken")
        for name in recorded.run.params
        if tracking.is_secret(name)
    ]


def _seed(finding: Finding) -> dict[str, Any]:
    return _change("seed", finding.message, cell=finding.cell, line=finding.line)


def _unknown() -> dict[str, Any]:
    text = "code, files, libraries and seeds are the same: what is left is the order of threads, the clock, the network"
    return _change("unknown", text)


def _change(
    kind: str, text: str, *, path: str | None = None, cell: int | None = None, line: int | None = None
) -> dict[str, Any]:
    return {"kind": kind, "text": text, "path": path, "cell": cell, "line": line}
