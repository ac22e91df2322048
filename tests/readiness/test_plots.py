"""Figures of evidence as SVG: what is drawn, where, and what comes from data is text and nothing else."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from nbprod.readiness.amounts import amount
from nbprod.readiness.plots import LABELS, MOST_FEATURES, NUMBERS, WIDTH, Scale, plots_of

OWN = {"name": "Forest", "value": 0.8, "low": 0.75, "high": 0.85}
CONSTANT = {
    "name": "most frequent class", "kind": "constant", "value": 0.6, "low": 0.55, "high": 0.65,
    "improvement": {"value": 0.2, "low": 0.1, "high": 0.3},
}  # fmt: skip
UNTRAINED = {"name": "ridge regression", "kind": "linear", "reason": "it can't be trained: <no>"}
MEASURED = {"metric": "auc", "higher_is_better": True, "rows": 100, "held_out": 100, "model": OWN}
GROUPS = [{"feature": f"x{n}", "columns": 1, "lost": n / 100, "spread": 0.01} for n in range(20)]
SLICES = [
    {"column": "city", "value": "<b>Bern</b>", "n": 60, "metric": 0.82, "low": 0.7, "high": 0.9},
    {"column": "city", "value": "Genf", "n": 0, "reason": "none of the rows held out"},
    {"column": "age", "value": "20 to 30", "n": 40, "metric": 0.5, "low": 0.4, "high": 0.6},
    {"column": "age", "value": "30 to 40", "n": 1, "metric": 0.9, "reason": "no value on any resample"},
]
BINS = [
    {"n": 50, "score": 0.2, "share": 0.1, "low": 0.05, "high": 0.2},
    {"n": 50, "score": 0.8, "share": 1.0, "low": 0.9, "high": 1.0},
]
SCORES = {"rows": 100, "classes": 2, "of": "<yes>", "brier": 0.1, "error": 0.12, "low": 0.05, "high": 0.2, "bins": BINS}


def drawn(item: str, state: str = "proved", **numbers: Any) -> list[ElementTree.Element]:
    """The figures of an item, read as XML."""
    return [ElementTree.fromstring(each) for each in plots_of({"id": item, "state": state, "numbers": numbers})]


def marks(figure: ElementTree.Element, tag: str = "circle") -> list[tuple[str, ...]]:
    """The classes of what is drawn."""
    return [tuple(each.attrib["class"].split()) for each in figure.iter(tag)]


def titles(figures: list[ElementTree.Element]) -> list[str]:
    return [next(figure.iter("figcaption")).text or "" for figure in figures]


def texts(figure: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in figure.iter("text")]


def test_simple_models_are_drawn_beside_the_model_and_the_differences_below() -> None:
    figures = drawn("SU-2", **MEASURED, baselines=[CONSTANT, UNTRAINED], groups=GROUPS)
    beside, gains, features = figures
    assert titles(figures) == [
        "auc beside simple models ", "Improvement of auc on simple models ",
        "How much worse auc gets without a feature ",
    ]  # fmt: skip
    assert marks(beside) == [("mark", "own"), ("mark",)]
    assert {"0.8 (0.75 to 0.85)", "0.6 (0.55 to 0.65)", "could not be compared"} < set(texts(beside))
    assert marks(gains) == [("mark", "own")]
    assert "+0.2 (+0.1 to +0.3)" in texts(gains)
    assert len(list(features.iter("rect"))) == MOST_FEATURES
    assert texts(features)[texts(features).index("x19") + 1] == "0.19 ± 0.01"
    assert "15 of 20 features" in ElementTree.tostring(features, "unicode")


@pytest.mark.parametrize(
    "low, high, kind",
    [
        pytest.param(0.1, 0.3, ("mark", "own"), id="surely better"),
        pytest.param(-0.1, 0.3, ("mark",), id="perhaps better"),
        pytest.param(-0.3, -0.1, ("mark", "low"), id="surely worse"),
    ],
)
def test_an_improvement_has_the_colour_of_its_sign(low: float, high: float, kind: tuple[str, ...]) -> None:
    gain = {**CONSTANT, "improvement": {"value": (low + high) / 2, "low": low, "high": high}}
    figures = drawn("SU-2", **MEASURED, baselines=[gain], groups=[])
    assert titles(figures)[1:] == ["Improvement of auc on simple models "]
    assert marks(figures[1]) == [kind]


@pytest.mark.parametrize(
    "limit, higher, kinds",
    [
        pytest.param(None, True, [("mark",), ("mark",)], id="no limit"),
        pytest.param(0.1, True, [("mark", "low"), ("mark",)], id="surely below the limit"),
        pytest.param(0.3, True, [("mark",), ("mark",)], id="perhaps below the limit"),
        pytest.param(0.1, False, [("mark",), ("mark",)], id="less is better"),
    ],
)
def test_slices_are_drawn_by_column_with_their_rows(
    limit: float | None, higher: bool, kinds: list[tuple[str, ...]]
) -> None:
    numbers = {**MEASURED, "higher_is_better": higher, "slices": SLICES, "max_slice_drop": limit}
    city, age = drawn("SU-3", **numbers)
    assert texts(city)[-4:] == ["<b>Bern</b>", "0.82 (0.7 to 0.9), n = 60", "Genf", "n = 0, none of the rows held out"]
    assert marks(city) == [("mark",)]
    assert marks(age) == kinds
    assert [kind for kind in marks(age, "line") if kind == ("limit",)] == ([] if limit is None else [("limit",)])


def test_scores_are_drawn_against_how_often_they_are_right() -> None:
    (figure,) = drawn("SU-4", calibration=SCORES)
    places = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in figure.iter("circle")]
    lows = [float(each.attrib["y1"]) for each in figure.iter("line") if each.attrib["class"] == "wide"]
    assert places[1][0] - places[0][0] == pytest.approx(0.6 * 300)
    assert places[0][1] - places[1][1] == pytest.approx(0.9 * 300)
    assert lows[0] - places[0][1] == pytest.approx(0.05 * 300)
    assert {"100", "0.12", "0.1", "probability of class <yes>"} < set(texts(figure))


@pytest.mark.parametrize(
    "item, state, numbers",
    [
        pytest.param("SU-2", "stale", {**MEASURED, "baselines": [CONSTANT], "groups": GROUPS}, id="stale"),
        pytest.param(
            "SU-4", "missing", {"calibration": {"reason": "the model gives no probabilities"}}, id="no figures"
        ),
        pytest.param("SU-2", "missing", {}, id="nothing known"),
        pytest.param("DT-1", "proved", {"runs": []}, id="another item"),
    ],
)
def test_nothing_is_drawn_of(item: str, state: str, numbers: dict[str, Any]) -> None:
    assert drawn(item, state, **numbers) == []


@pytest.mark.parametrize(
    "values, ticks",
    [
        pytest.param([0.62, 0.91], [0.6, 0.7, 0.8, 0.9, 1.0], id="shares"),
        pytest.param([-0.012, 0.155], [-0.05, 0, 0.05, 0.1, 0.15, 0.2], id="around nothing"),
        pytest.param([31_947, 101_050], [20_000, 40_000, 60_000, 80_000, 100_000, 120_000], id="large ones"),
        pytest.param([0.5, 0.5], [0.4, 0.5], id="one value"),
        pytest.param([0.0], [0, 0.25], id="nothing alone"),
    ],
)
def test_a_scale_holds_its_values_between_round_numbers(values: list[float], ticks: list[float]) -> None:
    scale = Scale.of(values)
    assert scale.ticks[0] <= min(values) <= max(values) <= scale.ticks[-1]
    assert LABELS <= scale.at(min(values)) <= scale.at(max(values)) <= WIDTH - NUMBERS
    if len(ticks) > 2:
        assert scale.ticks == pytest.approx(ticks)


@pytest.mark.parametrize(
    "value, digits, signed, text",
    [
        (41_942.6, 4, False, "41,943"), (0.858498, 4, False, "0.8585"), (0.858498, 3, False, "0.858"),
        (0.0123, 4, True, "+0.0123"), (-57_354.6, 4, True, "-57,355"), (1.0, 4, False, "1"), (0.0, 4, True, "+0"),
        (4_650.2, 3, False, "4,650"), (612.3, 2, False, "612"), (361.4, 3, False, "361"), (59.4, 2, False, "59"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_a_person_reads_it(value: float, digits: int, signed: bool, text: str) -> None:
    assert amount(value, digits, signed=signed) == text
