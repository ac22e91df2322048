"""The runs of a package in the store of runs."""

from __future__ import annotations

from nbprod import tracking
from nbprod.api.packages import Target
from nbprod.errors import NbprodError
from nbprod.tracking.record import RunSummary


def store_of(target: Target) -> str:
    """The address of the store that the configuration names, else of the one in the project's folder."""
    return target.project.config.tracking_uri or tracking.default_uri(target.project.root)


def tracked_runs(target: Target, limit: int) -> tuple[RunSummary, ...]:
    """The newest runs of a package; none where there is no store. Raises NbprodError where it can't be asked."""
    uri = store_of(target)
    check_reachable(uri)
    return tracking.runs(uri=uri, name=target.name, limit=limit)


def check_reachable(uri: str) -> None:
    """Raise NbprodError (`tracking`) where the server of a store does not answer."""
    if not tracking.is_reachable(uri):
        raise NbprodError(
            f"the server of {tracking.redact_text(uri)} does not answer",
            code="tracking",
            hint="is the address right, and does the tracking server run?",
        )
