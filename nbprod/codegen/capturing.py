"""Where to look while the notebook runs, so that the package can be held against it."""

from __future__ import annotations

from nbprod.model.plan import FeaturePlan
from nbprod.model.run import CapturePlan


def capture_plan(plan: FeaturePlan) -> CapturePlan:
    """The raw frames, the training call and the predictions of the model that is served."""
    return CapturePlan(plan.raw.place, plan.model.fit, plan.model.predicts, plan.other_reads)
