"""The metrics of a fitted version, and of two on the same rows, in the kernel's environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nbprod.replay.process import OnProgress, of_version, run


def measure(
    package_root: Path,
    name: str,
    version: str,
    captures: Path,
    python: str,
    manifest: Mapping[str, Any],
    *,
    champion: str | None = None,
    metric: str | None = None,
    resamples: int = 0,
    most: int | None = None,
    reads_in: Path | None = None,
) -> dict[str, Any]:
    """What the package's own evaluation gives on the rows that the notebook held out.

    Returns `metrics` by name, the number of `rows` measured and of those `held_out`; at most `most` are measured, by
    default all. With a `champion`, another version's folder, also both values of `metric` (by default the first one)
    as `candidate` and `champion`, and the interval `low` to `high` of their difference over `resamples` draws. In
    place of what can't be told there is a `reason`. Raises NbprodError `package-failed` at the notebook's cell and
    line when the package's own code raises, `capture-missing` where the version was never fitted.
    """
    request = {
        "mode": "measure",
        **of_version(package_root, name, version, captures),
        "champion": champion,
        "metric": metric,
        "resamples": resamples,
        "most": most,
    }
    return run(request, python, manifest, reads_in=reads_in)


def split_rows(
    package_root: Path,
    name: str,
    version: str,
    captures: Path,
    python: str,
    manifest: Mapping[str, Any],
    *,
    kind: str,
    column: str | None,
    reads_in: Path | None = None,
) -> dict[str, Any]:
    """How many rows trained a version and were held out, and by the raw `column` how they lie to each other.

    `kind` is `random`, `time` (gives `latest`, `earliest` and `not later`) or `group` (gives `shared` and `groups`). In
    place of what can't be told there is a `reason`. Raises NbprodError as `measure` does.
    """
    request = {"mode": "split", **of_version(package_root, name, version, captures), "kind": kind, "column": column}
    return run(request, python, manifest, reads_in=reads_in)


def report_on_model(
    package_root: Path,
    name: str,
    version: str,
    captures: Path,
    python: str,
    manifest: Mapping[str, Any],
    *,
    metric: str | None = None,
    slices: Sequence[str] = (),
    threshold: float | None = None,
    resamples: int,
    repeats: int,
    most: int | None = None,
    reads_in: Path | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """What can be told of a fitted version's model on the rows that the notebook held out, at most `most` of them.

    By `metric`, where the notebook's evaluation gives it, else by its first one: the `model`, simple `baselines` and
    the paired differences to them, what is lost by shuffling each feature in `repeats` tries (`groups`), and the
    metric for the values of the raw columns `slices`, each with its interval over `resamples` draws. Apart from any
    metric there are the `calibration`, the `errors` of each kind of two classes, and where a `threshold` is given,
    whether the model decides there; and the metrics of each of the `sets` of rows held out that the notebook predicts
    for, the last one first, which is the one that all else is about. In place of what can't be told there is a
    `reason`. Raises NbprodError as `measure` does.
    """
    request = {
        "mode": "report",
        **of_version(package_root, name, version, captures),
        "metric": metric,
        "slices": list(slices),
        "threshold": threshold,
        "resamples": resamples,
        "repeats": repeats,
        "most": most,
    }
    return run(request, python, manifest, reads_in=reads_in, on_progress=on_progress)
