"""The verb `reproduce`: run a recorded run again, and compare what it gives with what was recorded."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

import nbformat
from msgspec import Struct
from msgspec.structs import replace

from nbprod import versions
from nbprod.api.exporting import Planned, drafted, published
from nbprod.api.fitting import fitted
from nbprod.api.learned_text import learned_text
from nbprod.api.listing import notebook_metrics
from nbprod.api.measuring import metrics_of
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, known_packages, package_of, packages_folder, split_reference, target_of
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.proving import AGAIN, EXECUTED, RUNS, replayed, verify_as_json
from nbprod.api.recording import UNSEEDED
from nbprod.api.rerunning import Rerun, not_recorded, notebook_here, run_again
from nbprod.api.tracked import artifact_of, run_of
from nbprod.backends.documents import INJECTED_TAG
from nbprod.backends.environments import LOCK
from nbprod.backends.hashes import content_hashes
from nbprod.backends.rebuilt import kernel_of, rebuilt
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Finding
from nbprod.model.run import RunSummary, VerifyResult, Version
from nbprod.versions.lock import locked

RUN_ID = re.compile("[0-9a-f]{4,32}")
TOLERANCE = 1e-9
"""Relative difference up to which a metric or prediction is the same within tolerance."""
SCRATCH = "nbprod-reproduce-"
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

    run: Rerun
    target: Target
    version: Version
    metrics: Mapping[str, float]


def reproduce(
    text: str,
    *,
    output: str | None = None,
    kernel: str | None = None,
    environment: bool = False,
    twice: bool = False,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Run a recorded run again and compare learned state, predictions and metrics (schemas/reproduce.json).

    `text` is a run's id or the beginning of it, or `NAME`, `NAME@VERSION` or a notebook for the run that a version of
    the package was fitted in, which is the newest fitted one where none is named.
    The recorded code runs with the recorded parameters on the files as they are now; what has changed since the record
    is named, and where the outcome differs the first of these is its cause. Nothing is registered, and no version is
    made. With `environment` it runs in a virtual environment with what was installed then; with `twice` it runs twice,
    and `repeats` says how the two differ. Raises NbprodError: `no-run`, `no-version` for a run that gave none,
    `no-lock` for one that has none, `not-found` where the notebook or a file that the run read is gone,
    `not-installed` where pip fails, and what a run raises.
    """
    recorded = _recorded(text, output)
    target, run = recorded.target, recorded.run
    gone = next((path for path, _ in recorded.inputs if not path.is_file()), None)
    if gone is not None:
        raise NbprodError(
            f"a file that run {run.run_id[:8]} read is not here any more",
            code="not-found",
            where=Where(str(gone)),
            hint="bring it back, and reproduce again: its sha256 is in the run's inputs.json",
        )
    folder = target.project.root / RUNS / AGAIN / target.name
    with (
        locked(folder, wait=0),
        _code(recorded) as path,
        tempfile.TemporaryDirectory(prefix=SCRATCH) as scratch,
        _kernel(recorded, kernel, on_progress, rebuild=environment) as chosen,
    ):
        again = _once_more(recorded, path, folder, Path(scratch, "first"), chosen, on_progress)
        repeats = None
        if twice:
            second = _once_more(recorded, path, folder / "second", Path(scratch, "second"), chosen, on_progress)
            repeats = {"state": _state(again, second), "metrics": _metrics_of(again.metrics, second.metrics)}
        on_progress(Progress(str(recorded.notebook), "verify", "comparing with the record"))
        proof = _proof(recorded, again, on_progress)
        state = _state(recorded, again)
        metrics = _metrics(recorded, again)
    data, libraries, secrets = _data(recorded), _libraries(recorded, again), _secrets(recorded)
    status = _status(proof, state, metrics)
    seeds = _seeds(again.run.plan, is_of_model=not state["equal"] or not _is_equal(proof))
    causes = [*data, *libraries, *seeds, *secrets, _unknown()]
    return {
        "run_id": run.run_id,
        "name": target.name,
        "version": recorded.version.number,
        "notebook": str(recorded.notebook),
        "status": status,
        "cause": causes[0] if status == "different" else None,
        "changes": [*_edits(recorded), *data, *libraries, *secrets],
        "unseeded": seeds,
        "environment": "recorded" if environment else "here",
        "repeats": repeats,
        "state": state,
        "metrics": metrics,
        "verify": verify_as_json(proof),
        "executed": again.run.result.executed,
    }


def _recorded(text: str, output: str | None) -> _Recorded:
    name, reference = split_reference(text)
    project = find_project(Path.cwd())
    root = packages_folder(output, project)
    if RUN_ID.fullmatch(text) and text not in known_packages(root):
        run = run_of(Target("", root, project), text)
        target = Target(run.tags.get("nbprod.package", ""), root, project)
        return _of_run(target, run, _version_of(target, run))
    is_notebook = Path(text).suffix in {".ipynb", ".py"}
    target = target_of(text, output=output) if is_notebook else package_of(name, output=output)
    root, name, reference = target.root, target.name, None if is_notebook else reference
    version = versions.resolve(root, name, reference) if reference else versions.latest_fitted(root, name)
    if version is None or version.run is None:
        raise NbprodError(f"no run is recorded for {text}", code="no-run", hint=f"nbprod run makes one of {name}")
    return _of_run(target, run_of(target, version.run), version)


def _version_of(target: Target, run: RunSummary) -> Version:
    number = run.tags.get("nbprod.version", "")
    listed = versions.ledger(target.root, target.name) if target.name else ()
    found = next((each for each in listed if str(each.number) == number), None)
    if found is None:
        raise NbprodError(
            f"run {run.run_id[:8]} ({run.status.lower()}) gave no version of a package that could be compared",
            code="no-version",
            hint="only a run that came to its end can be reproduced",
        )
    return found


def _of_run(target: Target, run: RunSummary, version: Version) -> _Recorded:
    named = dict.fromkeys((run.tags.get("nbprod.notebook", ""), version.notebook))
    found = next((path for each in named if each and (path := notebook_here(each, target))), None)
    if found is None:
        raise NbprodError(
            f"the notebook of run {run.run_id[:8]} is not here",
            code="not-found",
            where=Where(str(target.project.root / version.notebook)),
            hint="bring it back: the run's own copy is its artifact executed.ipynb",
        )
    notebook = Path(found)
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as folder:
        inputs = json.loads(_artifact(target, run, "inputs.json", folder) or "[]")
        text = _artifact(target, run, EXECUTED, folder)
    roots = (notebook.resolve().parent, target.project.root.resolve())
    files = tuple((_here(Path(each["path"]), roots), str(each["sha256"])) for each in inputs)
    return _Recorded(target, run, version, notebook, None if text is None else _as_written(text), files)


def _here(path: Path, roots: Sequence[Path]) -> Path:
    """A file of the record: where it was, or below one of `roots` by the end of its path, as in another clone."""
    if path.is_file():
        return path
    ends = (Path(*path.parts[start:]) for start in range(1, len(path.parts)))
    return next((root / end for end in ends for root in roots if (root / end).is_file()), path)


def _artifact(target: Target, run: RunSummary, name: str, folder: str) -> str | None:
    """The text of a run's artifact: the file on this machine, with what no shared store is given, else the store's."""
    here = target.project.root / RUNS / run.run_id / name
    if here.is_file():
        return here.read_text(encoding="utf-8")
    path = artifact_of(target, run, name, folder)
    return None if path is None else path.read_text(encoding="utf-8")


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
    """The path of a notebook with the recorded code: its own file, or a copy beside it where that was edited since.

    The package's lock is held, so that copies which lie there are those of processes that were killed.
    """
    remove_copies(recorded.notebook)
    if recorded.document is None or not _edits(recorded):
        yield str(recorded.notebook)
        return
    copy = _copy_of(recorded.notebook, recorded.run.run_id)
    try:
        copy.write_text(nbformat.writes(recorded.document), encoding="utf-8")  # type: ignore[no-untyped-call]
        yield str(copy)
    finally:
        copy.unlink(missing_ok=True)


@contextmanager
def _kernel(
    recorded: _Recorded, asked: str | None, tell: OnProgress, *, rebuild: bool
) -> Iterator[str | None]:  # fmt: skip
    """The kernel to run in: that of an environment made from the run's lock, the one asked for, or the record's."""
    if not rebuild:
        yield asked or recorded.run.tags.get("nbprod.kernel")
        return
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as folder:
        lock = _artifact(recorded.target, recorded.run, LOCK, folder)
    if lock is None:
        raise NbprodError(
            f"run {recorded.run.run_id[:8]} has no lock of its environment",
            code="no-lock",
            hint="it was made before locks were recorded: reproduce it without --environment",
        )
    environment = rebuilt(
        recorded.target.project.root, lock, lambda text: tell(Progress(str(recorded.notebook), "plan", text))
    )
    with kernel_of(environment) as name:
        yield name


def remove_copies(notebook: Path) -> None:
    """Remove the copies of a notebook that killed reproductions left beside it."""
    for left in notebook.parent.glob(f".{escape(notebook.stem)}-*.ipynb"):
        run_id = left.stem.rpartition("-")[2]
        if re.fullmatch("[0-9a-f]{8}", run_id) and left == _copy_of(notebook, run_id):
            left.unlink(missing_ok=True)


def _copy_of(notebook: Path, run_id: str) -> Path:
    return notebook.with_name(f".{notebook.stem}-{run_id[:8]}.ipynb")


def _once_more(
    recorded: _Recorded, path: str, folder: Path, scratch: Path, kernel: str | None, tell: OnProgress
) -> _Again:
    run = run_again(
        path,
        recorded.target,
        recorded.version,
        folder,
        recorded=recorded.run.params,
        kernel=kernel,
        on_progress=tell,
    )
    target = replace(recorded.target, root=scratch)
    draft = drafted(run.plan.plan, run.plan.notebook, target)
    notebook = str(recorded.notebook)
    version = fitted(target, published(draft), run.result, run_id=None, on_progress=tell, notebook=notebook)

    def say(what: str) -> None:
        tell(Progress(notebook, "fit", what))

    return _Again(run, target, version, metrics_of(target, run.plan.plan, version, run.result, say))


def _state_folder(side: _Recorded | _Again) -> Path:
    return versions.version_folder(side.target.root, side.target.name, side.version.number) / "state"


# ---------------------------------------------------------------------------------------------- what is compared


def _proof(recorded: _Recorded, again: _Again, tell: OnProgress) -> VerifyResult:
    """The recorded package, with what it learned then, replayed against what the notebook gave now."""

    def say(what: str, done: int, total: int) -> None:
        tell(Progress(str(recorded.notebook), "verify", what, done, total))

    result = again.run.result
    captures = Path(result.captures)
    return replayed(recorded.target, recorded.version, captures, result.python, level="quick", on_progress=say)


def _state(recorded: _Recorded | _Again, again: _Again) -> dict[str, Any]:
    """Whether both learned the same to the last bit, and the learned values that differ as short text."""
    before, after = _state_folder(recorded), _state_folder(again)
    then, now = (versions.read_object(folder / "learned.json") or {} for folder in (before, after))
    texts = [
        (name, learned_text(name, then.get(name), before), learned_text(name, now.get(name), after))
        for name in dict.fromkeys((*then, *now))
    ]
    changed = [{"name": name, "before": old, "after": new} for name, old, new in texts if old != new]
    return {"equal": versions.state_digest(before) == versions.state_digest(after), "changed": changed[:MOST_STATES]}


def _metrics(recorded: _Recorded, again: _Again) -> list[dict[str, Any]]:
    return _metrics_of(notebook_metrics(recorded.run), again.metrics)


def _metrics_of(before: Mapping[str, float], after: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each metric that the notebook gave before or after; None where it gave none, or no number."""
    then, now = ({name: each for name, each in one.items() if math.isfinite(each)} for one in (before, after))
    return [{"name": name, "before": then.get(name), "after": now.get(name)} for name in sorted({*then, *now})]


def _status(proof: VerifyResult, state: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> str:
    """`identical` to the last bit, the same `within-tolerance`, or `different`.

    Another model is the same within tolerance only where predictions of both were compared, and were equal.
    """
    is_same_model = state["equal"] or (not state["changed"] and proof.predictions > 0)
    if not (_is_equal(proof) and is_same_model and all(_is_close(each["before"], each["after"]) for each in metrics)):
        return "different"
    is_same = all(each["before"] == each["after"] for each in metrics)
    return "identical" if state["equal"] and is_same and proof.max_abs_error == 0 else "within-tolerance"


def _is_equal(proof: VerifyResult) -> bool:
    equal = (proof.rows_equal, proof.predictions_equal)
    return proof.mismatch is None and equal == (proof.rows, proof.predictions)


def _is_close(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return math.isclose(before, after, rel_tol=TOLERANCE)


# ---------------------------------------------------------------------------------------------- what has changed


def _edits(recorded: _Recorded) -> list[dict[str, Any]]:
    """That the notebook was edited since; the code that ran then is what is run again."""
    if recorded.document is None:
        now = hashlib.sha256(recorded.notebook.read_bytes()).hexdigest()
        is_same = now == recorded.run.tags.get("nbprod.notebook_sha256")
        text = "the code that ran then was not kept, and the notebook was saved since: it was run as it is now"
        return [] if is_same else [_change("code", text, path=str(recorded.notebook))]
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
    now = {path: sha for path, sha, _ in content_hashes(str(path) for path, _ in recorded.inputs)}
    changed = [(path, sha, now.get(str(path), "none")) for path, sha in recorded.inputs if now.get(str(path)) != sha]
    return [
        _change(
            "data",
            f"{_near(recorded, path)} has other content than then (sha256 {then[:12]} then, {after[:12]} now)",
            path=str(path),
        )
        for path, then, after in changed
    ]


def _near(recorded: _Recorded, path: Path) -> str:
    """A file as the notebook would name it."""
    folder = recorded.notebook.parent.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _libraries(recorded: _Recorded, again: _Again) -> list[dict[str, Any]]:
    prefix = "nbprod.versions."
    tags = recorded.run.tags
    then = {name.removeprefix(prefix): value for name, value in tags.items() if name.startswith(prefix)}
    now = again.run.result.versions
    return [
        _change("library", f"{name} was {then.get(name, 'absent')} then, and is {now.get(name, 'absent')}")
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]


def _secrets(recorded: _Recorded) -> list[dict[str, Any]]:
    return [
        _change("parameter", f"{name} was not recorded, {reason}: the notebook's own value was taken")
        for name, text in recorded.run.params.items()
        if (reason := not_recorded(text)) is not None
    ]


def _seeds(plan: Planned, *, is_of_model: bool) -> list[dict[str, Any]]:
    """The random steps without a seed: those on the way to the served model first, or last where it is the same."""
    steps = (*plan.plan.steps, *plan.plan.model.steps)

    def is_on_the_way(finding: Finding) -> bool:
        return any(step.cell == finding.cell and step.line <= finding.line <= step.end_line for step in steps)

    unseeded = [each for each in plan.findings if each.rule == UNSEEDED]
    ordered = sorted(unseeded, key=is_on_the_way, reverse=is_of_model)
    return [_change("seed", each.message, cell=each.cell, line=each.line) for each in ordered]


def _unknown() -> dict[str, Any]:
    text = "code, files, libraries and seeds are the same: what is left is the order of threads, the clock, the network"
    return _change("unknown", text)


def _change(
    kind: str, text: str, *, path: str | None = None, cell: int | None = None, line: int | None = None
) -> dict[str, Any]:
    return {"kind": kind, "text": text, "path": path, "cell": cell, "line": line}
