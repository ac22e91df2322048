"""The checks that take time, in the order in which they are begun: those that take longest first."""

from __future__ import annotations

from nbprod.api.gathering import (
    acknowledged,
    again,
    aging,
    alone,
    ci,
    faults,
    image,
    labels,
    load,
    model,
    registered,
    service,
    splitting,
    switching,
    violations,
)
from nbprod.api.gathering.ground import Probe

PROBES: tuple[Probe, ...] = (
    again.PROBE,
    acknowledged.PROBE,
    splitting.PROBE,
    image.PROBE,
    faults.PROBE,
    model.PROBE,
    aging.PROBE,
    service.PROBE,
    labels.PROBE,
    registered.PROBE,
    violations.PROBE,
    alone.PROBE,
    ci.PROBE,
    load.PROBE,
    switching.PROBE,
)
