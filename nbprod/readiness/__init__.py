"""The checklist for production: what is known of a notebook answers one question a file, and the answers are scored."""

from __future__ import annotations

from collections.abc import Mapping

from nbprod.model.readiness import State, Told
from nbprod.readiness.checks import CHECKS
from nbprod.readiness.facts import Facts

__all__ = ["CHECKS", "judged"]


def judged(facts: Facts) -> Mapping[str, Told]:
    """What is told of each item, in the order of the checklist.

    An item that the configuration declares not applicable, with its reason, is not judged, where it can be left out.
    """
    left_out = facts.settings.not_applicable
    return {
        check.id: Told(State.NOT_APPLICABLE, left_out[check.id])
        if check.optional and left_out.get(check.id, "").strip()
        else check.judge(facts)
        for check in CHECKS
    }
