"""The runs of a package in the store of runs."""

from __future__ import annotations

from nbprod import tracking
from nbprod.api.packages import Target
from nbprod.tracking.record import RunSummary


def store_of(target: Target) -> str:
    """The address of the store that the configuration names, else of the one in the project's folder."""
    return target.project.config.tracking_uri or tracking.default_uri(target.project.root)


def tracked_runs(target: Target, limit: int) -> tuple[RunSummary, ...]:
    """The newest runs of a package; none where there is no store."""
    return tracking.runs(uri=store_of(target), name=target.name, limit=limit)
