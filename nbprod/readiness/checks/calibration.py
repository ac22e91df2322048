"""SU-4: threshold and calibration were chosen on purpose."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, declare, declared, missing


def _judge(facts: Facts) -> Told:
    stated = facts.settings.decision
    told = by_evidence(facts, "SU-4", "calibration was not measured")
    if stated.uses_probability is None and stated.threshold is None:
        key = "decision.uses_probability"
        return missing(f"{key} is not declared; {told.evidence}", declare(key))
    if stated.uses_probability is False and stated.threshold is None:
        return declared("decision.uses_probability = false: answers are taken as they are")
    return told


CHECK = Check(
    id="SU-4",
    title="Threshold and calibration were chosen on purpose",
    why="A score of 0.8 that is right six times in ten misleads everyone who reads it as a probability. "
    "Where scores are read so, their calibration is measured on the rows held out.",
    source="C. Guo et al., ICML 2017: on calibration of modern neural networks; ML Test Score, Model 2",
    step="declare decision.uses_probability, and measure: nbprod readiness NOTEBOOK --gather --only SU-4",
    judge=_judge,
    tests=("Model 2",),
    keys=("decision.threshold", "decision.uses_probability"),
    gathered=True,
)
