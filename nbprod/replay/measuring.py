"""The metrics of a fitted version, and of two on the same rows, in the kernel's environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbprod.replay.process import of_version, run


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
