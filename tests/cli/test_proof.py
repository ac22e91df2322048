"""The outcome of a replay as text."""

from __future__ import annotations

from typing import Any

import click
import pytest

from nbprod.cli.proof import proof_text
from nbprod.notebook import read_text

NOTEBOOK = read_text("# %%\nx = 1\n\n# %%\ndf['Age'] = df['Age'].fillna(30)\n", "a.py")
MISMATCH = {
    "row": {"Age": None, "Sex": "male"},
    "feature": "Age",
    "notebook": 30.0,
    "package": 28.0,
    "cell": 1,
    "line": 1,
}


def proof(**more: Any) -> dict[str, Any]:
    checks = [
        {"name": "shuffled", "passed": True, "detail": "891 rows"},
        {"name": "one by one", "passed": False, "detail": ""},
    ]
    return {
        "status": "proven", "rows": 891, "rows_equal": 891, "max_abs_error": 0.0, "predictions": 179,
        "predictions_equal": 179, "mismatch": None, "checks": checks, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "more, line",
    [
        pytest.param({}, "proven: the rules prove the steps, and the replay found no difference", id="proven"),
        pytest.param({"rows_equal": 890}, "  rows         890 of 891 equal, largest error 0", id="rows-that-differ"),
        pytest.param({"max_abs_error": None}, "equal, largest error not a number", id="an-error-without-a-number"),
        pytest.param({}, "  ok   shuffled (891 rows)", id="a-check-that-passed"),
        pytest.param({}, "  FAIL one by one", id="a-check-that-failed"),
    ],
)
def test_text_says_what_was_compared(more: dict[str, Any], line: str) -> None:
    assert line in click.unstyle(proof_text(proof(**more), "a.py", NOTEBOOK))


def test_a_mismatch_shows_both_values_its_place_and_the_smallest_row() -> None:
    shown = click.unstyle(proof_text(proof(status="failed", mismatch=MISMATCH), "a.py", NOTEBOOK))

    assert "error[replay-mismatch]: Age: the notebook has 30.0, the package 28.0" in shown
    assert "--> a.py, cell 1" in shown
    assert "1 | df['Age'] = df['Age'].fillna(30)" in shown
    assert "Sex: 'male'" in shown


def test_a_mismatch_without_a_place_or_a_notebook_is_still_told() -> None:
    shown = click.unstyle(proof_text(proof(status="failed", mismatch=MISMATCH | {"cell": -1, "line": 0}), "a.py", None))

    assert "Age: the notebook has 30.0" in shown


TWO_WAYS = {
    "rule": "divergent-test-path",
    "cell": 3,
    "line": 2,
    "message": "the test rows are prepared in another way than the training rows: Age",
    "hint": "apply to the test rows what was done to the training rows",
}


NO_SEED = {
    "rule": "missing-seed",
    "cell": 2,
    "line": 1,
    "message": "train_test_split draws at random without a seed, so each run gives another model and other scores",
    "hint": "give train_test_split a random_state",
}
OF_A_MODEL = NO_SEED | {"message": "RandomForestClassifier draws at random without a seed"}
SERVED = "one by one"
TRAINED = "training matrix"


@pytest.mark.parametrize(
    "check, findings, hint",
    [
        pytest.param(
            SERVED,
            [NO_SEED, TWO_WAYS],
            "the test rows are prepared in another way than the training rows: Age (cell 3, line 2), and a package has "
            "one way for all rows: apply to the test rows what was done to the training rows",
            id="test rows prepared otherwise",
        ),
        pytest.param(
            TRAINED,
            [OF_A_MODEL, TWO_WAYS, NO_SEED],
            "train_test_split (cell 2, line 1) has no seed, and what the notebook trains before draws from the same "
            "numbers, so that the package has other training rows: give train_test_split a random_state",
            id="other training rows",
        ),
        pytest.param(
            TRAINED,
            [NO_SEED | {"message": "SMOTE draws at random without a seed", "hint": "give SMOTE a random_state"}],
            "SMOTE (cell 2, line 1) has no seed, and what the notebook trains before draws from the same numbers, so "
            "that the package has other training rows: give SMOTE a random_state",
            id="other rows that are made",
        ),
        pytest.param(
            SERVED,
            [
                TWO_WAYS
                | {"related": [{"cell": 1, "line": 4, "message": "on the way of the test rows alone: x = f(x)"}]}
            ],
            "the test rows are prepared in another way than the training rows: Age (cell 1, line 4: x = f(x)), and "
            "a package has one way for all rows: apply to the test rows what was done to the training rows",
            id="test rows prepared otherwise, at a place that is known",
        ),
        *(
            pytest.param(
                TRAINED,
                [NO_SEED | {"message": f"{name} draws at random without a seed", "hint": "give it one"}],
                f"{name} (cell 2, line 1) has no seed, and what the notebook trains before draws from the same "
                "numbers, so that the package has other training rows: give it one",
                id=name,
            )
            for name in ("sample", "GroupShuffleSplit", "RepeatedKFold", "SMOTEN", "KMeansSMOTE", "OneSidedSelection")
        ),
        pytest.param(SERVED, [NO_SEED], None, id="the same training rows"),
        pytest.param(SERVED, [TWO_WAYS | {"rule": "target-leakage"}], None, id="another finding"),
        pytest.param(TRAINED, [OF_A_MODEL], None, id="a model without a seed"),
        pytest.param(TRAINED, [], None, id="none"),
    ],
)
def test_a_mismatch_that_the_notebook_has_within_itself_says_so(
    check: str, findings: list[dict[str, Any]], hint: str | None
) -> None:
    checks = [{"name": check, "passed": False, "detail": ""}]
    failed = proof(status="failed", mismatch=MISMATCH, checks=checks)

    shown = click.unstyle(proof_text(failed, "a.py", NOTEBOOK, findings))

    assert ("hint: " in shown) is (hint is not None)
    assert hint is None or f"hint: {hint}" in shown
