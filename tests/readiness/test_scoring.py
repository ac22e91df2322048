"""What states come to: points by section, the whole as its lowest, the ML Test Score, and the level of maturity."""

from __future__ import annotations

import pytest

from nbprod.model.readiness import State
from nbprod.readiness import CHECKS
from nbprod.readiness.scoring import scored

P, D, C, M = State.PROVED, State.DECLARED, State.CONTRADICTED, State.MISSING


def states(otherwise: State = P, **given: State) -> dict[str, State]:
    """All items in one state, but those that are given, such as `NB_1`."""
    return {check.id: given.get(check.id.replace("-", "_"), otherwise) for check in CHECKS}


def test_all_that_is_proved_is_the_whole_score() -> None:
    score = scored(states())

    assert (score.overall, score.blockers, score.open) == (1.0, (), ())
    assert score.maturity.startswith("level 2")
    assert {each.id: each.of for each in score.sections} == {
        "NB": 6, "SK": 6, "RP": 6, "RT": 5, "MO": 6, "DT": 6, "TM": 3, "SU": 5,
    }  # fmt: skip
    assert score.ml_test_score.sections == {"Data": 6.0, "Model": 6.5, "Infra": 6.5, "Monitor": 7.0}


def test_the_whole_is_worth_as_much_as_its_lowest_section() -> None:
    score = scored(states(TM_1=M, TM_2=M))

    assert (score.lowest, score.overall) == ("TM", pytest.approx(1 / 3))


@pytest.mark.parametrize(
    "state, points, of",
    [
        pytest.param(D, 4.5, 5, id="half a point for what is declared"),
        pytest.param(C, 4.0, 5, id="none for what is contradicted"),
        pytest.param(State.STALE, 4.0, 5, id="none for what is stale"),
        pytest.param(M, 4.0, 5, id="none for what is missing"),
        pytest.param(State.NOT_APPLICABLE, 4.0, 4, id="one item less for what does not apply"),
    ],
)
def test_points_by_state(state: State, points: float, of: int) -> None:
    section = next(each for each in scored(states(SU_3=state)).sections if each.id == "SU")

    assert (section.points, section.of, section.score) == (points, of, pytest.approx(points / of))


def test_only_blocking_items_block() -> None:
    score = scored(states(NB_1=C, NB_2=C, SK_2=M, RP_1=State.STALE, SU_1=D))

    assert score.blockers == ("NB-1",)
    assert score.open == ("NB-1", "SK-2", "RP-1")


@pytest.mark.parametrize(
    "given, level",
    [
        pytest.param({"TM_3": D}, "level 1", id="CI does not hold the gate"),
        pytest.param({"RT_3": M}, "level 1", id="promotion has no gate"),
        pytest.param({"RT_2": M}, "level 0", id="nothing runs unattended"),
        pytest.param({"SK_2": D}, "level 0", id="a promise of parity is no proof"),
    ],
)
def test_the_level_follows_from_what_is_proved(given: dict[str, State], level: str) -> None:
    assert scored(states(**given)).maturity.startswith(level)


def test_a_test_of_the_rubric_is_worth_what_the_least_of_its_items_is() -> None:
    whole = scored(states()).ml_test_score.sections["Data"]

    assert scored(states(SK_5=D)).ml_test_score.sections["Data"] == whole - 0.5
    assert scored(states(SU_2=M)).ml_test_score.sections["Data"] == whole - 1  # Data 2 is SK-6 as well, which holds
    assert scored(states(M)).ml_test_score.band.startswith("more of a research project")
