"""Which model is planned, where its rows come from, and what stops a plan."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.errors import NbprodError
from nbprod.model.plan import FeaturePlan, Status
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

HEAD = """# %%
import pandas as pd
from somewhere import mystery
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
# %%
X = df[["a", "b"]]
y = df["y"]
"""


def plan_of(text: str, model: str | None = None, before: str | None = None, suggested: bool = False) -> FeaturePlan:
    notebook = read_text(text, "nb.py")
    return make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}), Choice(model, before, suggested))


ONE = "# %%\none = LogisticRegression().fit(X, y)\n"
TWO = "# %%\none = LogisticRegression().fit(X, y)\ntwo = DecisionTreeClassifier()\ntwo.fit(X, y)\n"


@pytest.mark.parametrize(
    "text, code",
    [
        pytest.param(HEAD, "no-model", id="nothing is fitted"),
        pytest.param(
            HEAD + "from sklearn.pipeline import Pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
            "pipe = Pipeline([('scale', StandardScaler())])\npipe.fit(df[['a']])\npipe.transform(df[['a']])",
            "no-model",
            id="a pipeline without a model is fitted",
        ),
        pytest.param(HEAD + TWO, "several-models", id="two are fitted and none is used"),
        pytest.param(
            HEAD + TWO + "# %%\nprint(one.score(X, y), two.score(X, y))",
            "several-models",
            id="both are used at the end",
        ),
        pytest.param(
            HEAD.replace('pd.read_csv("data.csv")', "mystery()") + "# %%\nm = LogisticRegression().fit(X, y)",
            "no-raw-data",
            id="rows from nowhere",
        ),
        pytest.param(
            HEAD + "# %%\nm = LogisticRegression()\nm.fit(X, [0, 1])", "no-target", id="labels that are no column"
        ),
    ],
)
def test_what_stops_a_plan(text: str, code: str) -> None:
    with pytest.raises(NbprodError) as caught:
        plan_of(text)

    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize(
    "call, said, fitted",
    [
        pytest.param(
            "import lightgbm as lgb\nm = lgb.train({}, lgb.Dataset(X, y))",
            "gives a booster",
            "LGBMRegressor",
            id="LightGBM",
        ),
        pytest.param(
            "import xgboost\nm = xgboost.train({}, xgboost.DMatrix(X, label=y), 9)",
            "gives a booster",
            "XGBRegressor",
            id="XGBoost",
        ),
        pytest.param(
            "import statsmodels.api as sm\nm = sm.OLS(y, sm.add_constant(X)).fit()",
            "OLS of statsmodels",
            "LinearRegression()",
            id="a regression of statsmodels",
        ),
        pytest.param(
            "import statsmodels.api as sm\nm = sm.Logit(y, X).fit()",
            "Logit of statsmodels",
            "LogisticRegression(penalty=None)",
            id="one of classes",
        ),
        pytest.param(
            "import statsmodels.formula.api as smf\nm = smf.ols('y ~ a', data=df).fit()",
            "ols of statsmodels",
            "LinearRegression()",
            id="one by a formula",
        ),
        pytest.param(
            "from statsmodels.api import GLM\nm = GLM(y, X).fit()",
            "GLM of statsmodels",
            "an estimator of scikit-learn",
            id="one without the like",
        ),
    ],
)
def test_what_a_library_trains_that_is_no_estimator_is_refused_at_its_line(call: str, said: str, fitted: str) -> None:
    with pytest.raises(NbprodError) as caught:
        plan_of(f"{HEAD}# %%\n{call}\nprint(m.predict(X))")

    assert (caught.value.code, caught.value.where.line) == ("no-model", 2)
    assert said in str(caught.value)
    assert fitted in str(caught.value.hint)


def test_rows_in_a_form_of_the_librarys_own_are_refused_where_the_model_is_fitted_on_them() -> None:
    code = "from catboost import CatBoostRegressor, Pool\nm = CatBoostRegressor()\nm.fit(Pool(X, label=y))"
    (refusal,) = plan_of(f"{HEAD}# %%\n{code}\nprint(m.predict(X))").refusals

    assert (refusal.construct, refusal.line) == ("rows-of-a-library", 3)
    assert ".fit(X, y" in refusal.hint


@pytest.mark.parametrize(
    "cells, place",
    [
        pytest.param("# %%\nm = LogisticRegression().fit(X, y_trian)", (2, 1), id="in the training call"),
        pytest.param("# %%\nZ = y_trian + 1\n# %%\nm = LogisticRegression().fit(X, Z)", (2, 1), id="on the way to it"),
    ],
)
def test_labels_that_go_through_a_name_that_nothing_defines_say_so(cells: str, place: tuple[int, int]) -> None:
    with pytest.raises(NbprodError) as caught:
        plan_of(HEAD.replace("y = ", "y_train = ") + cells)

    error = caught.value
    assert error.code == "no-target"
    assert error.message == "the labels that the model is trained on go through y_trian, which no cell defines"
    assert error.where is not None
    assert (error.where.cell, error.where.line) == place
    assert error.hint == "did you mean y_train?"


def test_rows_that_go_through_a_name_that_nothing_defines_say_so() -> None:
    scaled = "from sklearn.preprocessing import StandardScaler\nrows = X\nZ = StandardScaler().fit_transform(rowws)"
    slip = f"{HEAD}# %%\n{scaled}\n# %%\nm = LogisticRegression().fit(Z, y)"
    with pytest.raises(NbprodError) as caught:
        plan_of(slip)

    error = caught.value
    assert error.code == "no-raw-data"
    assert "rowws" in error.message
    assert error.where is not None
    assert (error.where.cell, error.where.line) == (2, 3)
    assert error.hint == "did you mean rows?"


@pytest.mark.parametrize(
    "tail, asked, chosen",
    [
        pytest.param("# %%\none.predict(X)", None, "one", id="the one that is used at the end"),
        pytest.param(
            "# %% tags=['evaluate']\ntwo.predict(X)\n# %%\none.predict(X)", None, "two", id="the one in the marked cell"
        ),
        pytest.param("", "two", "two", id="the one that is asked for"),
    ],
)
def test_which_model_is_planned(tail: str, asked: str | None, chosen: str) -> None:
    assert plan_of(HEAD + TWO + tail, asked).model.name == chosen


FOLDS = """# %%
from sklearn.model_selection import KFold
for a, b in KFold(3).split(X):
    m = DecisionTreeClassifier().fit(X.iloc[a], y.iloc[a])
    print(m.score(X.iloc[b], y.iloc[b]))
"""


def test_a_model_of_a_fold_is_none_to_be_served_where_another_is_fitted_on_all_rows() -> None:
    plan = plan_of(HEAD + ONE + FOLDS)

    assert (plan.model.name, plan.refusals) == ("one", ())
    assert plan_of(HEAD + ONE + FOLDS, "m").model.name == "m"
    assert [refusal.construct for refusal in plan_of(HEAD + FOLDS, suggested=True).refusals] == ["left-behind"]


ROUNDS = """# %%
from sklearn.model_selection import train_test_split
for size in (0.2, 0.3):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=size)
    {model}.fit(X_train, y_train)
    print({model}.score(X_test, y_test))
"""


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("one", id="the same model is tried on further splits"),
        pytest.param("LogisticRegression()", id="another model is tried"),
    ],
)
def test_a_model_of_a_split_in_a_loop_is_a_try_where_another_is_fitted_once(model: str) -> None:
    plan = plan_of(HEAD + ONE + ROUNDS.format(model=model), suggested=True)

    assert (plan.model.name, plan.refusals) == ("one", ())


def test_a_split_in_a_loop_is_trained_on_where_nothing_else_is() -> None:
    text = HEAD + "# %%\ntried = LogisticRegression()\n" + ROUNDS.format(model="tried")

    assert plan_of(text, suggested=True).model.name == "tried"
    assert plan_of(HEAD + ONE + text.removeprefix(HEAD), "tried").model.name == "tried"


SETTINGS = """# %%
for depth in range(1, 9):
    m = DecisionTreeClassifier(max_depth=depth)
    m.fit(X, y)
    print(m.score(X, y))
"""
IN_A_FUNCTION = """# %%
def go(depth):
    m = DecisionTreeClassifier(max_depth=depth)
    return m.fit(X, y)
for depth in range(1, 9):
    m = go(depth)
    print(m.score(X, y))
"""


@pytest.mark.parametrize(
    "tries",
    [
        pytest.param(SETTINGS, id="in the loop"),
        pytest.param(IN_A_FUNCTION, id="in a function that the loop calls"),
        pytest.param(SETTINGS.replace(" m", " one").replace("(m.", "(one."), id="under the name of the model"),
    ],
)
def test_a_model_that_each_round_makes_to_try_a_setting_is_none_to_be_served(tries: str) -> None:
    plan = plan_of(HEAD + ONE + tries, suggested=True)

    assert (plan.model.estimator.rpartition(".")[2], plan.refusals) == ("LogisticRegression", ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + SETTINGS.replace("range(1, 9)", "[1, 9]"), id="nothing else is trained"),
        pytest.param(HEAD + ONE + SETTINGS.replace("range(1, 9)", "[1, 9]") + "m.predict(X)", id="it is used behind"),
        pytest.param(
            HEAD + ONE + "m = DecisionTreeClassifier()\nfor depth in [1, 9]:\n    m.set_params(max_depth=depth)\n"
            "    m.fit(X, y)\n    print(m.score(X, y))\n",
            id="it is made before the loop",
        ),
    ],
)
def test_a_model_of_a_loop_that_may_be_the_one_to_be_served(text: str) -> None:
    assert plan_of(text, suggested=True).model.estimator.rpartition(".")[2] == "DecisionTreeClassifier"


def test_a_name_that_no_cell_binds_is_said_to_be_none() -> None:
    refusals = plan_of(HEAD.replace('X = df[["a", "b"]]', 'X = prepared(df[["a", "b"]])') + ONE).refusals

    assert [(refusal.construct, refusal.reason) for refusal in refusals] == [
        ("left-behind", "the extracted code would read prepared, which no cell binds")
    ]
    assert refusals[0].hint.startswith("import or make prepared in a cell above")


def test_a_name_that_an_import_may_have_bound_is_said_to_be_none_by_name() -> None:
    text = HEAD.replace("from somewhere import mystery", "from somewhere import *").replace("y = df", "y = made(df)")
    (refusal,) = plan_of(text.replace('made(df)["y"]', 'made(df["y"])') + ONE).refusals

    assert refusal.reason.endswith("made, which no cell binds by name; cell 0 imports what can't be looked into")
    assert refusal.hint == "import made by name there"


BOTH = "# %%\nprint(one.score(X, y), two.score(X, y))"
WRITTEN = "one is the model that is written into a file"


@pytest.mark.parametrize(
    "tail, before, suggested, chosen, why",
    [
        pytest.param(BOTH, None, True, "two", "two is the model that is evaluated last (others: one)", id="evaluated"),
        pytest.param("", None, True, "two", "two is the model that is fitted last (others: one)", id="fitted"),
        pytest.param(BOTH, "one", False, "one", "one is the model of the last version", id="served before"),
        pytest.param(BOTH, "gone", True, "two", "two is the model that is evaluated last (others: one)", id="gone"),
        pytest.param("# %%\none.predict(X)", "two", True, "one", "", id="the notebook tells"),
        pytest.param(f"{BOTH}\nimport joblib\njoblib.dump(one, 'm.joblib')", None, False, "one", WRITTEN, id="written"),
        pytest.param(
            "# %%\ntwo.predict(X)\nimport pickle\nwith open('m.pkl', 'wb') as f:\n    pickle.dump({'m': one}, f)",
            None,
            False,
            "one",
            WRITTEN,
            id="written in a dict",
        ),
        pytest.param(
            f"{BOTH}\nimport mlflow\nmlflow.sklearn.log_model(sk_model=one, name='m')",
            "two",
            True,
            "one",
            WRITTEN,
            id="handed to a registry",
        ),
        pytest.param(
            f"{BOTH}\nfrom joblib import dump\ndump(one, 'a')\ndump(two, 'b')",
            None,
            True,
            "two",
            "two is the model that is evaluated last (others: one)",
            id="both are written",
        ),
        pytest.param(
            "# %% tags=['evaluate']\ntwo.predict(X)\n# %%\nimport joblib\njoblib.dump(one, 'm.joblib')",
            None,
            False,
            "two",
            "",
            id="the one in the marked cell, for all that is written",
        ),
    ],
)
def test_how_one_of_several_is_chosen(tail: str, before: str | None, suggested: bool, chosen: str, why: str) -> None:
    model = plan_of(HEAD + TWO + tail, before=before, suggested=suggested).model
    assert (model.name, model.why) == (chosen, why)


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(NbprodError, match="three") as caught:
        plan_of(HEAD + TWO, "three")

    assert caught.value.code == "unknown-model"
    assert "one, two" in str(caught.value.hint)


def test_a_step_of_an_unknown_library_is_assumed() -> None:
    plan = plan_of(
        HEAD.replace("X = df", "df['a'] = mystery(df['a'])\nX = df") + "# %%\nm = LogisticRegression().fit(X, y)"
    )

    assert next(step.status for step in plan.steps) is Status.ASSUMED


def test_comments_layout_and_cells_do_not_move_the_digest() -> None:
    one = plan_of(HEAD + "# %%\nm = LogisticRegression().fit(X, y)")
    other = plan_of(HEAD.replace("# %%\nX", "# a word\n\nX") + "\n\nm = LogisticRegression().fit(X, y)  # done")

    assert (one.digest, one.training_digest) == (other.digest, other.training_digest)


@pytest.mark.parametrize(
    "old, new, same",
    [
        pytest.param('df[["a", "b"]]', 'df[["b", "a"]]', False, id="another order of features"),
        pytest.param('df[["a", "b"]]', 'df[["a"]]', False, id="a feature less"),
        pytest.param("LogisticRegression()", "LogisticRegression(C=2)", True, id="another parameter of the model"),
        pytest.param("X = df", "df = df.dropna()\nX = df", True, id="rows dropped in training"),
    ],
)
def test_the_digest_is_that_of_serving(old: str, new: str, same: bool) -> None:
    text = HEAD + "# %%\nm = LogisticRegression()\nm.fit(X, y)"
    one, other = plan_of(text), plan_of(text.replace(old, new))

    assert (one.digest == other.digest) is same
    assert one.training_digest != other.training_digest or not same


INDICATORS = [
    pytest.param("d = pd.get_dummies(df, columns=['a'])", "a_x", ("a",), id="by its column"),
    pytest.param("d = pd.get_dummies(df, columns=['a', 'a_b'])", "a_b_x", ("a_b",), id="by the longer of two columns"),
    pytest.param("d = pd.get_dummies(df, columns=['a'], prefix='p')", "p_x", ("a",), id="by a prefix"),
    pytest.param("d = pd.get_dummies(df, columns=['b', 'a'], prefix=['p', 'q'], prefix_sep='-')", "q-x", ("a",),
                 id="by a prefix of several"),
    pytest.param("d = pd.get_dummies(df, columns=['a'], prefix={'a': 'p'})", "p_x", ("a",), id="by a prefix for it"),
    pytest.param("d = pd.get_dummies(df, None, '=', False, ['a'])", "a=x", ("a",), id="by arguments without names"),
    pytest.param("d = pd.get_dummies(df)", "a_x", ("a",), id="where the data tells which columns are encoded"),
    pytest.param("d = pd.get_dummies(df, columns=['a'])\nd = pd.concat([d, df['b'].abs()], axis=1)", "a_x", ("a",),
                 id="beside another table"),
    pytest.param("d = df\nif len(d) > 3:\n    d = pd.get_dummies(d, columns=['a'])", "a_x", ("a",), id="in a branch"),
    pytest.param("d = pd.get_dummies(df, columns=['a'], prefix=df['b'].iloc[0])", "z_x", ("a", "a_b", "b", "y"),
                 id="by a prefix that is not known: any column"),
    pytest.param("d = df", "made_elsewhere", ("*",), id="none that is known"),
]  # fmt: skip


OF_UNKNOWN_COLUMNS = [
    pytest.param("d = pd.get_dummies(df)", ["a"], [("a",)], id="a column that no indicator is called like"),
    pytest.param("d = pd.get_dummies(df)", ["a_x"], [("*",)], id="a column, or an indicator"),
    pytest.param(
        "d = pd.get_dummies(df, columns=['a'])", ["a_x", "b"], [("*", "a"), ("b",)], id="of a column that is named"
    ),
]


@pytest.mark.parametrize("made, names, inputs", OF_UNKNOWN_COLUMNS)
def test_an_indicator_of_a_table_whose_columns_are_not_known(
    made: str, names: list[str], inputs: list[tuple[str, ...]]
) -> None:
    text = (
        "# %%\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\ndf = pd.read_csv('d.csv')\n"
        f"# %%\n{made}\nmodel = LogisticRegression()\nmodel.fit(d[{names!r}], d['y'])\n"
    )
    notebook = read_text(text, "nb.py")
    plan = make_plan(notebook, analyse(notebook), Choice(suggested=True))

    assert [feature.inputs for feature in plan.features] == inputs


@pytest.mark.parametrize("made, name, inputs", INDICATORS)
def test_an_indicator_column_hangs_on_the_column_that_it_encodes(made: str, name: str, inputs: tuple[str, ...]) -> None:
    text = (
        "# %%\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\ndf = pd.read_csv('d.csv')\n"
        f"# %%\n{made}\nmodel = LogisticRegression()\nmodel.fit(d[[{name!r}]], d['y'])\n"
    )
    notebook = read_text(text, "nb.py")
    plan = make_plan(notebook, analyse(notebook, {"d.csv": ("a", "a_b", "b", "y")}), Choice(suggested=True))

    (feature,) = plan.features
    assert (feature.name, feature.inputs) == (name, inputs)
    assert plan.open_inputs == ("*" in inputs)


def test_rows_that_are_written_out_and_encoded_are_none_that_the_model_is_held_to() -> None:
    code = (
        "import numpy as np\nfrom sklearn.preprocessing import LabelEncoder\n"
        "e = LabelEncoder().fit(X.iloc[:, 0])\nm = LogisticRegression().fit(X, y)\nm.predict(X)\n"
        "one = np.array([[1, 2]])\none[:, 0] = e.transform(one[:, 0])\nm.predict(one)"
    )
    plan = plan_of(f"{HEAD}# %%\n{code}")

    assert [place.line for place in plan.model.predicts] == [5]


CUT = """# %%
import copy
import numpy as np
train, valid, test = np.split(df.sample(frac=1, random_state=0), [int(0.6 * len(df)), int(0.8 * len(df))])

def parted(table, label, names):
    table = copy.deepcopy(table)
    return np.hstack((table[names].values, table[[label]].values)), table[names].values, table[label].values

_, A, b = parted(train, "y", ["a", "b"])
m = LogisticRegression().fit(A, b)
"""


def test_a_table_that_is_cut_by_places_is_split() -> None:
    notebook = read_text(f"{HEAD}{CUT}", "nb.py")
    plan = make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}, pandas_major=2), Choice())
    (split,) = (step for step in plan.steps if "np.split" in step.code)

    assert (plan.refusals, plan.target, plan.inputs) == ((), "y", ("a", "b"))
    assert split.otherwise.split("\n")[0] == "train = df"


@pytest.mark.parametrize("given", ["X, y", "X=X, y=y", "y=y, X=X", "X, y=y"])
def test_rows_that_are_drawn_again_are_those_at_hand_in_serving(given: str) -> None:
    code = f"from imblearn.over_sampling import SMOTE\nmore, labels = SMOTE().fit_resample({given})\n"
    plan = plan_of(f"{HEAD}# %%\n{code}m = LogisticRegression().fit(more, labels)\n")

    (drawn,) = (step for step in plan.steps if "SMOTE" in step.code)
    assert plan.refusals == ()
    assert (drawn.guard, drawn.otherwise) == ("fitting", "more = X\nlabels = y")
