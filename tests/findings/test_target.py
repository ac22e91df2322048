"""The rule on features made of the target: what it reports and where it says the target gets in, and what is fine."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
XY, SPLIT, FIT, SCORE = (PROGRAMS[name] for name in ("XY", "SPLIT", "FIT", "SCORE"))
findings_of, rules_of = PROGRAMS["findings_of"], PROGRAMS["rules_of"]

Y = "y = df['y']\n"
OTHER = "df = pd.read_csv('other.csv')\n"
"""A file of which no column is known."""


@pytest.mark.parametrize(
    "code, cause",
    [
        pytest.param("df['r'] = df['y'] / df['a']\nX = df[['a', 'r']]\n" + Y, 1, id="a ratio, before it is chosen"),
        pytest.param(
            "df['a'] = df['a'].fillna(0)\ndf['r'] = df.y / df.a\ndf['r'] = df['r'].round()\nX = df[['b', 'r']]\n" + Y,
            2,
            id="a ratio between other steps",
        ),
        pytest.param(
            "df['a'] = df['a'].fillna(df.groupby('y')['a'].transform('mean'))\n" + XY, 1, id="gaps filled by the target"
        ),
        pytest.param(
            "df.loc[df['y'] == 1, 'flag'] = 1\nX = df[['a', 'flag']]\n" + Y, 1, id="a flag where the target is one"
        ),
        pytest.param("X = df[['a', 'y']]\n" + Y, 1, id="the target is chosen"),
        pytest.param("X = df.drop(columns=['a'])\n" + Y, 1, id="the target is not dropped"),
        pytest.param(
            "df['code'] = df['y'] > 9\nX = df[['a', 'y']]\ny = df['code']\n", 2, id="what the labels are made of"
        ),
        pytest.param(
            OTHER + "df['r'] = df['y'] / df['a']\nX = df.drop(columns=['y'])\n" + Y,
            2,
            id="a ratio among unknown columns",
        ),
    ],
)
def test_target_leakage_and_its_cause(code: str, cause: int) -> None:
    found = [finding for finding in findings_of(code + SPLIT + FIT + SCORE) if finding.rule == "target-leakage"]

    assert [related.line for finding in found for related in finding.related] == [cause]


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("make_pipeline(StandardScaler(), LogisticRegression())", id="a pipeline that scales"),
        pytest.param("GridSearchCV(LogisticRegression(), {'C': [1, 2]})", id="a search"),
    ],
)
def test_target_leakage_into_estimators_that_use_all_columns(model: str) -> None:
    code = "from sklearn.model_selection import GridSearchCV\ndf['r'] = df['y'] / df['a']\nX = df[['a', 'r']]\n" + Y
    assert "target-leakage" in rules_of(f"{code}model = {model}\nmodel.fit(X, y)\n")


@pytest.mark.parametrize(
    "feature, found",
    [
        pytest.param("df['y'].shift(-1)", ["info"], id="the next row's"),
        pytest.param("df['y'].bfill()", ["info"], id="gaps filled from behind"),
        pytest.param("df['y'].rolling(3, center=True).mean()", ["info"], id="rows on both sides"),
        pytest.param("df.groupby('a')['y'].diff(periods=-2)", ["info"], id="by group"),
        pytest.param("df['y'].shift(1)", [], id="the row's before"),
        pytest.param("df['y'].rolling(3).mean()", [], id="rows before"),
        pytest.param("df['b'].shift(-1)", [], id="another column's"),
    ],
)
def test_the_target_of_later_rows(feature: str, found: list[str]) -> None:
    code = f"df['n'] = {feature}\nX = df[['a', 'n']]\n" + Y
    findings = findings_of(code + SPLIT + FIT)

    assert [str(each.severity) for each in findings if each.rule == "target-leakage"] == found


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "df['next'] = df['y'].shift(-1)\ndf['log'] = np.log(df['y'])\nX = df[['a', 'log']]\ny = df['next']\n",
            id="the label is that of the next row",
        ),
        pytest.param("v = df[['y']].values\nX, y = v[:-1], v[1:]\n", id="labels of the rows below"),
        pytest.param("X = df[[name for name in df if name != 'y']]\n" + Y, id="all names but one"),
        pytest.param(
            "X = df[df.corr().loc['y'].nlargest(2).index]\n" + Y, id="columns that are only known at run time"
        ),
        pytest.param(
            OTHER + "df['code'] = df['y'] > 9\nX = df.iloc[:, :-2]\ny = df['code']\n", id="unknown columns, by place"
        ),
        pytest.param(
            OTHER + "df['code'] = df['y'] > 9\nX = df.loc[:, 'a':'b']\ny = df['code']\n",
            id="unknown columns in between",
        ),
    ],
)
def test_no_target_leakage(code: str) -> None:
    assert "target-leakage" not in rules_of(code + SPLIT + FIT + SCORE)


def test_no_target_leakage_where_a_step_may_leave_columns_out() -> None:
    code = "df['r'] = df['y'] / df['a']\nX = df[['a', 'r']]\n" + Y
    steps = "ColumnTransformer([('a', StandardScaler(), ['a'])])"
    assert "target-leakage" not in rules_of(
        f"{code}model = make_pipeline({steps}, LogisticRegression())\nmodel.fit(X, y)\n"
    )
