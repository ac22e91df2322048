"""The verb `verify`: proof by replay against the run that a version was fitted in, or against a fresh one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod import versions
from nbprod.api.absent import unchecked
from nbprod.api.outlining import notebook_of, outline
from nbprod.api.packages import Target, package_of, split_reference, target_of
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.proving import RUNS, LastRun, Level, fitted_in, prove, verify_as_json
from nbprod.api.rerunning import model_of, notebook_here, run_again
from nbprod.api.running import run_notebook
from nbprod.api.tracked import tracked_runs
from nbprod.errors import NbprodError, Where
from nbprod.model.run import Version

FRESH = "fresh"  # below RUNS: captures of runs that only a proof needed, one for each package, the last one


class _Meant(Struct, frozen=True):
    """What is to be proven: a version of a package (None: there is none yet), and its notebook's path if it is here."""

    target: Target
    version: Version | None
    notebook: str | None


class _Caller(Struct, frozen=True):
    """How a fresh run is to be made, and who is told."""

    auto: bool
    kernel: str | None
    tell: OnProgress


def verify(
    text: str,
    *,
    output: str | None = None,
    name: str | None = None,
    level: Level = "full",
    auto: bool = False,
    kernel: str | None = None,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Replay a package against the run that it was fitted in, or a fresh one (schemas/verify.json).

    `text` is `NAME`, `NAME@VERSION` or a notebook, which means the newest fitted version of its package. Where that
    was never run, the notebook is (as `nbprod run` does it: fitted, tracked, registered). Where the captures of its
    run are not on this machine, the notebook runs once more for its captures alone. `fresh_run` then says why.
    `auto` and `kernel` are for such a run. Raises NbprodError: `no-package`, `no-run` where there is no notebook to
    run, `missing-data` where a file that it reads is not here, `package-failed` at the notebook's cell and line, and
    what `run_notebook` raises.
    """
    meant = _meant(text, output, name)
    caller = _Caller(auto, kernel, on_progress)
    if meant.version is None or meant.version.state is None:
        return _run_whole(meant, caller)
    target, version = meant.target, meant.version
    last, why = fitted_in(target, version), None
    if last is None:
        last, why = _captured_anew(meant, version, caller)

    def tell(what: str, done: int, total: int) -> None:
        on_progress(Progress(text, "verify", what, done, total))

    proof = prove(target, version, last.captures, last.python, level=level, on_progress=tell)
    return {
        "name": target.name,
        "version": version.number,
        "digest": version.digest,
        "run_id": None if why else version.run,
        "fresh_run": why,
        "package": versions.version_folder(target.root, target.name, version.number).as_posix(),
        "notebook": version.notebook,
        "verify": verify_as_json(proof),
        "hand_edits": list(versions.hand_edits(target.root, target.name, version.number)),
        "refusals": [],
    }


def _run_whole(meant: _Meant, caller: _Caller) -> dict[str, Any]:
    """Run, fit and prove a notebook whose package was never fitted."""
    target, version = meant.target, meant.version
    why = f"{target.name} was never run"
    path = _notebook_to_run(meant, why)
    newest = versions.latest(target.root, target.name)
    if version is not None and newest is not None and version.number != newest.number:
        raise NbprodError(
            f"version {version.number} of {target.name} was never fitted, and its notebook has moved on",
            code="not-fitted",
            hint=f"prove the newest version, {newest.number}: nbprod verify {target.name}",
        )
    caller.tell(Progress(path, "run", f"{why}: running {path}"))
    with _missing_data_told(path, why):
        report = run_notebook(
            path,
            output=str(target.root),
            name=target.name,
            auto=caller.auto,
            model=model_of(target, version),
            kernel=caller.kernel,
            on_progress=caller.tell,
        )
    return {
        "name": target.name,
        "version": report["version"],
        "digest": report["digest"],
        "run_id": report["run_id"],
        "fresh_run": why,
        "package": report["package"],
        "notebook": path,
        "verify": report["verify"] or _NOTHING_REPLAYED,
        "hand_edits": [],
        "refusals": report["refusals"],
    }


_NOTHING_REPLAYED = {
    "status": "refused",
    "rows": 0,
    "rows_equal": 0,
    "max_abs_error": 0.0,
    "predictions": 0,
    "predictions_equal": 0,
    "mismatch": None,
    "checks": [],
}


def _captured_anew(meant: _Meant, version: Version, caller: _Caller) -> tuple[LastRun, str]:
    """Run the notebook for its captures alone, with the parameters of the run that is gone; and why that was needed."""
    target = meant.target
    why = f"the run that version {version.number} was fitted in is not on this machine"
    path = _notebook_to_run(meant, why)
    caller.tell(Progress(path, "run", f"{why}: running {path}"))
    with _missing_data_told(path, why):
        again = run_again(
            path,
            target,
            version,
            target.project.root / RUNS / FRESH / target.name,
            recorded=_recorded_parameters(target, version),
            configured=target.settings.parameters,
            kernel=caller.kernel,
            on_progress=caller.tell,
        )
    if again.plan.plan.digest != version.digest:
        why += f", and {path} has changed since"
    return LastRun(Path(again.result.captures), again.result.python), why


@contextmanager
def _missing_data_told(path: str, why: str) -> Iterator[None]:
    """Tell of a file that is not here, where a run fails at the very cell that reads it, as in a clone without data."""
    try:
        yield
    except NbprodError as error:
        cell = error.where.cell if error.where and error.code == "cell-failed" else None
        notebook = notebook_of(path)
        gone = [] if cell is None else unchecked(notebook, outline(notebook).analysis, {})
        first = next((each for each in gone if each["cell"] == cell), None)
        if first is None:
            raise
        raise NbprodError(
            f"not verified: {why}, and {first['path']}, which the notebook reads, is not here either",
            code="missing-data",
            where=Where(path, cell, first["cell_id"], first["line"]),
            hint="fetch the data, or call verify with --allow-missing-data where there is none to be had; "
            "the package's own tests hold it to the rows that it keeps",
        ) from error


def _recorded_parameters(target: Target, version: Version) -> Mapping[str, str]:
    """The parameters of the run that a version was fitted in, where the store knows it."""
    found = {run.run_id: run for run in tracked_runs(target, 1000)}.get(version.run or "")
    return found.params if found else {}


def _meant(text: str, output: str | None, name: str | None) -> _Meant:
    if Path(text).suffix in {".ipynb", ".py"}:
        if not Path(text).is_file():
            raise NbprodError("there is no such notebook", code="not-found", where=Where(text))
        target = target_of(text, output=output, name=name)
        known = versions.ledger(target.root, target.name)
        return _Meant(target, versions.resolve(target.root, target.name) if known else None, text)
    package, reference = split_reference(text)
    target = package_of(package, output=output)
    version = versions.resolve(target.root, target.name, reference)
    return _Meant(target, version, notebook_here(version.notebook, target))


def _notebook_to_run(meant: _Meant, why: str) -> str:
    if meant.notebook is not None:
        return meant.notebook
    named = meant.version.notebook if meant.version else "its notebook"
    raise NbprodError(
        f"{why}, and {named} is not here to be run",
        code="no-run",
        where=Where(str(meant.target.project.root / named)),
        hint="name the notebook: nbprod verify NOTEBOOK --name " + meant.target.name,
    )
