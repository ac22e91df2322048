"""The two verbs of the proof: fit an exported package on captured raw rows, and replay it against the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from nbprod.model.plan import Status
from nbprod.model.run import Mismatch, VerifyResult
from nbprod.replay.process import OnProgress, of_version, run
from nbprod.replay.runners import Runners


def fit(
    package_root: Path,
    name: str,
    version: str,
    captures: Path,
    python: str,
    manifest: Mapping[str, Any] | None = None,
    *,
    reads_in: Path | None = None,
    saved_to: Path | None = None,
    on_progress: OnProgress | None = None,
    timeout: float | None = None,
    runners: Runners | None = None,
) -> dict[str, Any]:
    """Train the package on the captured raw rows in the kernel's environment and save its state in the version folder.

    `package_root` is the folder that holds `name`; `version` the version's folder, such as `v0001`; `reads_in` the one
    that training reads further tables in, by default an empty one; `runners` may have a process ready. Returns
    `{"rows": int, "seconds": float, "files": [str], "taken": bool, "why_trained": str | None}` with files relative to
    the version folder. The model is `taken` from the notebook where the package would train one of the same class and
    parameters on the very same values; `why_trained` says why it was trained again. Raises NbprodError
    `package-failed` at the notebook's cell and line when the package's own code raises.

    In the new folder `saved_to` comes a copy of the state for a proof that waits for it: without a compiled form, where
    there is one, which takes its time to be held against all rows.
    """
    saved = {} if saved_to is None else {"saved_to": str(saved_to)}
    request = {"mode": "fit", **saved, **of_version(package_root, name, version, captures)}
    return run(
        request,
        python,
        manifest or {},
        reads_in=reads_in,
        on_progress=on_progress,
        timeout=timeout,
        runners=runners,
    )


def replay(
    package_root: Path,
    name: str,
    version: str,
    captures: Path,
    python: str,
    manifest: Mapping[str, Any],
    *,
    level: Literal["full", "quick"] = "full",
    tolerance: Mapping[str, float] = {},
    fit_ended: Path | None = None,
    reads_in: Path | None = None,
    on_progress: OnProgress | None = None,
    timeout: float | None = None,
    runners: Runners | None = None,
) -> VerifyResult:
    """Compare the package with what the notebook gave its model, whole, shuffled, in batches and row by row.

    `level` is `quick` (300 rows singly) or `full` (3000). The values of a feature may part by `tolerance`, as a share
    of its largest one. The saved state is replayed where there is one. While `fit` is at work on these captures, it is
    awaited, and `fit_ended` is the file that tells that the whole state is there: what the fit has shown of the
    compiled form is not asked once more. The status is `failed` with the smallest mismatch; else `refused` where a step
    is, `observed` where a step was only assumed, and `proven` else.
    """
    ended = None if fit_ended is None else str(fit_ended)
    asked = {"mode": "replay", "level": level, "tolerance": dict(tolerance), "fit_ended": ended}
    request = {**asked, **of_version(package_root, name, version, captures)}
    answer = run(
        request, python, manifest, reads_in=reads_in, on_progress=on_progress, timeout=timeout, runners=runners
    )
    found = answer["mismatch"]
    mismatch = Mismatch(**found) if found is not None else None
    return VerifyResult(
        status=_status(manifest, mismatch is not None, bool(answer["observed"])),
        rows=answer["rows"],
        rows_equal=answer["rows_equal"],
        max_abs_error=answer["max_abs_error"],
        predictions=answer["predictions"],
        predictions_equal=answer["predictions_equal"],
        mismatch=mismatch,
        matched_by=answer["matched_by"],
        checks=tuple((name, bool(ok), detail) for name, ok, detail in answer["checks"]),
    )


def _status(manifest: Mapping[str, Any], is_failed: bool, is_observed: bool) -> str:
    states = {step.get("status") for step in manifest.get("steps", [])}
    if is_failed:
        return "failed"
    if manifest.get("refusals") or Status.REFUSED in states:
        return "refused"
    if is_observed or states & {Status.ASSUMED, Status.OBSERVED}:
        return "observed"
    return "proven"
