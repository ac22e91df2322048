"""Tables that are put one below the other, prepared, and taken apart again."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.analysis.below import trained_whole
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("a.csv")
test = pd.read_csv("b.csv")
"""
TAIL = """
LogisticRegression().fit(known[["x"]], known["y"])
"""
COLUMNS = {"a.csv": ("x", "k", "y"), "b.csv": ("x", "k")}


def plan_of(code: str, columns: dict[str, tuple[str, ...]] = COLUMNS) -> FeaturePlan:
    notebook = read_text(HEAD + code + TAIL, "nb.py")
    return make_plan(notebook, analyse(notebook, columns))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("full = pd.concat([train, test])\nknown = full[:len(train)]", id="by place"),
        pytest.param("full = pd.concat([train, test])\nknown = full[0:9]", id="from the first"),
        pytest.param("full = pd.concat(objs=(train, test), sort=False)\nknown = full.iloc[:9]", id="by a number"),
        pytest.param("full = train.append(test)\nknown = full.head(len(train))", id="appended"),
        pytest.param("full = pd.concat([test, train])\nknown = full[len(test):]", id="the training table last"),
        pytest.param("full = pd.concat([train, test])\nknown = full[~full.y.isna()]", id="by the target"),
        pytest.param(
            "full = pd.concat([train, test])\nknown = full.loc[full['y'].notnull(), :]", id="rows and columns"
        ),
        pytest.param(
            "train['part'] = 'a'\ntest['part'] = 'b'\nfull = pd.concat([train, test])\nknown = full[full.part == 'a']",
            id="by a flag",
        ),
        pytest.param("full = pd.concat([train, test])\nknown = full.dropna(subset=['y'])", id="by gaps in the target"),
        pytest.param("full = pd.concat([train, test])\nknown, new = full[:9], full[9:]", id="two at once"),
        pytest.param("full = pd.concat([train, test], keys=['a', 'b'])\nknown = full.loc['a']", id="by a key"),
        pytest.param("full = pd.concat([test, train], keys=(0, 1))\nknown = full.loc[1, :]", id="by the last key"),
        pytest.param(
            "y = train['y']\nfull = pd.concat([train[['x']], test])\nknown = full[:len(train)]\nknown['y'] = y",
            id="the table that had the target has fewer columns",
        ),
        pytest.param("both = [train, test]\nfull = pd.concat(both)\nknown = full[:9]", id="of a list with a name"),
        pytest.param(
            "full = pd.concat([train, test], ignore_index=True)\nknown = full.loc[train.index]",
            id="by the labels of the first table, which are its places",
        ),
        pytest.param(
            "full = pd.concat([train, test]).reset_index(drop=True)\nknown = full.loc[train.index, ['x', 'y']]",
            id="with columns in the same step",
        ),
        pytest.param(
            "train = train.set_index('k')\ntest = test.set_index('k')\nfull = pd.concat([train, test])\n"
            "full['x'] = full['x'].fillna(0)\nknown = full.loc[train.index]",
            id="by labels of the table's own",
        ),
    ],
)
def test_taken_apart(code: str) -> None:
    plan = plan_of(code)

    assert plan.refusals == ()
    assert plan.raw.path == "a.csv"
    assert [(read.path, read.reader) for read in plan.training_inputs] == [("b.csv", "pandas.read_csv")]
    assert plan.inputs == ("x",)
    assert plan.target == "y"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("known = pd.concat([train, test])", id="trained on both"),
        pytest.param("full = pd.concat([train, test])\nknown = full[full.k > 1]", id="a mask of another column"),
        pytest.param(
            "full = pd.concat([train, test]).dropna(subset=['k'])\nknown = full[:9]", id="rows dropped before"
        ),
        pytest.param("full = pd.concat([train, test]).sort_values('k')\nknown = full[:9]", id="in another order"),
        pytest.param("full = pd.concat([train, test])\nknown = full[9:]", id="the other table"),
        pytest.param("full = pd.concat([train, test])\nknown = full.loc[train.index]", id="labels of both tables"),
        pytest.param(
            "full = pd.concat([train, test], ignore_index=True)\nknown = full.loc[test.index]",
            id="labels of the other table",
        ),
        pytest.param(
            "full = pd.concat([test, train], ignore_index=True)\nknown = full.loc[train.index]",
            id="labels that are the places of another",
        ),
        pytest.param(
            "full = pd.concat([train, test], ignore_index=True)\nknown = full.iloc[train.index]",
            id="labels taken for places",
        ),
        pytest.param(
            "more = train.copy()\nmore['k'] = more['k'] + 1\nknown = pd.concat([train, more])[:9]",
            id="a table below itself with other values",
        ),
    ],
)
def test_not_taken_apart(code: str) -> None:
    assert "concat-of-rows" in {refusal.construct for refusal in plan_of(code).refusals}


def test_columns_that_nobody_knows_may_tell_tables_apart() -> None:
    assert plan_of("full = pd.concat([train, test])\nknown = full[full.y.notnull()]", {}).refusals == ()


def test_a_loop_over_both_goes_through_one_in_serving() -> None:
    plan = plan_of(
        "for table in [train, test]:\n    table['x'] = table['x'].fillna(0)\n"
        "full = pd.concat([train, test])\nknown = full[:len(train)]"
    )

    assert plan.steps[1].code.startswith("for table in ([train, test] if learned.fitting else [train]):")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("known = pd.concat([train, train[train.k > 1]])", id="some rows again"),
        pytest.param("few = train[train.k == 1].sample(9, replace=True)\nknown = pd.concat([train, few])", id="drawn"),
        pytest.param("known = train.append(train, ignore_index=True)", id="all rows again"),
    ],
)
def test_rows_of_one_table_below_each_other_are_a_matter_of_training(code: str) -> None:
    plan = plan_of(code)
    assert plan.refusals == ()
    assert plan.training_inputs == ()


ALIKE = {"a.csv": ("x", "k", "y"), "b.csv": ("y", "k", "x")}


def plan_of_whole(code: str, columns: dict[str, tuple[str, ...]] = ALIKE) -> FeaturePlan:
    notebook = read_text(HEAD + code + TAIL, "nb.py")
    first = analyse(notebook, columns)
    return make_plan(notebook, analyse(notebook, columns, joins=trained_whole(first.run)))


@pytest.mark.parametrize(
    "code, reads",
    [
        pytest.param("known = pd.concat([train, test])", 2, id="trained on both"),
        pytest.param("known = pd.concat([train, test], ignore_index=True)\nknown['x'] *= 2", 2, id="numbered anew"),
        pytest.param("full = train.append(test)\nknown = full[full.k > 1]", 2, id="some rows of both"),
        pytest.param(
            "train['k'] = 'a'\ntest['k'] = 'b'\nknown = pd.concat([train, test])", 2, id="with what tells them apart"
        ),
        pytest.param("known = pd.concat([train, test, pd.read_csv('c.csv')])", 3, id="three files"),
    ],
)
def test_files_of_the_same_columns_are_raw_rows_where_a_model_is_trained_on_all(code: str, reads: int) -> None:
    plan = plan_of_whole(code, {**ALIKE, "c.csv": ("x", "k", "y")})

    assert plan.refusals == ()
    assert plan.raw.reader == "pandas.concat"
    assert len(plan.input_tables) == reads
    assert plan.inputs == ("x",)


@pytest.mark.parametrize(
    "code, columns",
    [
        pytest.param("known = pd.concat([train, test])", COLUMNS, id="a file without the target"),
        pytest.param("known = pd.concat([train, test])", {"a.csv": ("x", "k", "y")}, id="columns that nobody knows"),
        pytest.param("train['x'] = train['x'] * 2\nknown = pd.concat([train, test])", ALIKE, id="one that was changed"),
        pytest.param("known = pd.concat([train[train.k > 1], test])", ALIKE, id="one that lost rows"),
        pytest.param("train['z'] = 1\nknown = pd.concat([train, test])", ALIKE, id="a column that one has"),
    ],
)
def test_files_that_differ_stay_refused(code: str, columns: dict[str, tuple[str, ...]]) -> None:
    assert "concat-of-rows" in {refusal.construct for refusal in plan_of_whole(code, columns).refusals}


def test_files_that_are_taken_apart_again_are_no_raw_rows() -> None:
    notebook = read_text(HEAD + "full = pd.concat([train, test])\nknown = full[:len(train)]" + TAIL, "nb.py")

    assert trained_whole(analyse(notebook, ALIKE).run) == {}
