"""What the states of all items come to: points by section, the ML Test Score beside it, and a level of maturity.

One point for what is proved and half of one for what is declared: E. Breck et al., The ML Test Score: A Rubric for ML
Production Readiness and Technical Debt Reduction, IEEE Big Data 2017, give half for a test that is done by hand and
written down. As there, the whole is worth as much as its worst section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbprod.model.readiness import State
from nbprod.readiness.checks import CHECKS
from nbprod.readiness.sections import SECTIONS, section_of

POINTS: Mapping[State, float] = {State.PROVED: 1.0, State.DECLARED: 0.5}

TESTS: Mapping[str, int] = {"Data": 7, "Model": 7, "Infra": 7, "Monitor": 7}
"""The four sections of the ML Test Score, with the number of their tests."""

BANDS: Sequence[tuple[float, str]] = (
    (0.0, "more of a research project than a production system"),
    (1.0, "not totally untested, but serious holes are likely"),
    (2.0, "a first pass at production"),
    (3.0, "reasonably tested; more could be automated"),
    (5.0, "strong levels of automated testing and monitoring"),
    (float("inf"), "exceptional levels of automated testing and monitoring"),
)
"""How the paper reads a score: up to and with each bound."""

LIMITS: Mapping[str, float] = {"Data 5": 0.5, "Data 6": 0.5, "Model 2": 0.5, "Infra 6": 0.5}
"""Tests of which the checklist covers a part, so that they can't be more than half met by it."""


class Section(Struct, frozen=True):
    """The points of a section, of so many applicable items; `score` is their share, None where none applies."""

    id: str
    title: str
    points: float
    of: int
    score: float | None


class TestScore(Struct, frozen=True):
    """The ML Test Score: the points of its four sections, the least of them, and how its authors read that."""

    sections: dict[str, float]
    score: float
    band: str


class Score(Struct, frozen=True):
    """`overall` is the lowest score of a section, in 0…1, and `lowest` names that section.

    `blockers` are blocking items that are contradicted, `open` those that are neither proved nor declared.
    """

    overall: float
    lowest: str
    sections: tuple[Section, ...]
    blockers: tuple[str, ...]
    open: tuple[str, ...]
    ml_test_score: TestScore
    maturity: str


def scored(states: Mapping[str, State]) -> Score:
    """The score of a checklist, from the state of each item."""
    sections = tuple(_section(identity, states) for identity in SECTIONS)
    rated = [each for each in sections if each.score is not None]
    lowest = min(rated, key=lambda each: each.score or 0.0)
    blocking = [check.id for check in CHECKS if check.blocking]
    return Score(
        overall=lowest.score or 0.0,
        lowest=lowest.id,
        sections=sections,
        blockers=tuple(item for item in blocking if states[item] is State.CONTRADICTED),
        open=tuple(item for item in blocking if states[item] in (State.MISSING, State.STALE, State.CONTRADICTED)),
        ml_test_score=_test_score(states),
        maturity=_maturity(states),
    )


def _section(identity: str, states: Mapping[str, State]) -> Section:
    of_it = [state for item, state in states.items() if section_of(item) == identity]
    applicable = [state for state in of_it if state is not State.NOT_APPLICABLE]
    points = sum(POINTS.get(state, 0.0) for state in applicable)
    score = points / len(applicable) if applicable else None
    return Section(identity, SECTIONS[identity], points, len(applicable), score)


def _test_score(states: Mapping[str, State]) -> TestScore:
    """A test is worth what the least of the items is that stand for it."""
    worth: dict[str, float] = {}
    for check in CHECKS:
        for test in check.tests:
            points = POINTS.get(states[check.id], 0.0)
            worth[test] = min(worth.get(test, LIMITS.get(test, 1.0)), points)
    sections = dict.fromkeys(TESTS, 0.0)
    for test, points in worth.items():
        sections[test.split()[0]] += points
    score = min(sections.values())
    return TestScore(sections, score, next(text for bound, text in BANDS if score <= bound))


def _maturity(states: Mapping[str, State]) -> str:
    """A level as Google's of MLOps, by what is proved: what is asked of a person comes to nothing here.

    Source: Google Cloud, MLOps: continuous delivery and automation pipelines in machine learning.
    """
    proved = {item for item, state in states.items() if state is State.PROVED}
    if not {"NB-1", "NB-4", "SK-2", "RT-2"} <= proved:
        return "level 0: a model is handed over by hand"
    if not {"TM-3", "RT-3"} <= proved:
        return "level 1: training is a pipeline, and release is by hand"
    return "level 2: training and release are pipelines"
