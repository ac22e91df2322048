"""LightGBM's and XGBoost's estimators over one row: equal to what they predict, or left to them and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from nbprod.codegen.runtime import rows as rowtools
from nbprod.codegen.runtime.observing import records_of
from nbprod.codegen.runtime.pipeline import Pipeline
from nbprod.codegen.runtime.rows import module_of
from nbprod.replay.runner.compiler import trees
from nbprod.replay.runner.compiler.compiling import compiled, is_same_answer, proven
from nbprod.replay.runner.compiler.model import Model, UncompiledError
from nbprod.replay.runner.compiler.models import model_text
from nbprod.replay.runner.compiler.trees import Tree, as_float64
from nbprod.replay.runner.compiler.xgboost_models import TOLERANCE
from tests.replay.test_compiler import FORMS, features_after, module_of_model

try:
    import lightgbm
    from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
    from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor
except (ImportError, OSError) as error:
    pytest.skip(f"the libraries do not load here: {error}", allow_module_level=True)


def table(seed: int, rows: int) -> Any:
    draw = np.random.default_rng(seed)
    made = draw.normal(size=(rows, 6))
    made[:, 1], made[:, 2], made[:, 3] = np.round(made[:, 1]), draw.integers(0, 40, rows), made[:, 3] * 1e6
    return made


def with_gaps(rows: Any, seed: int, gap: float = np.nan) -> Any:
    return np.where(np.random.default_rng(seed).random(rows.shape) < 0.2, gap, rows)


X = table(0, 300)
GAPS = with_gaps(X, 1)
VALUES = X[:, 0] * 2 + np.sin(X[:, 1] * 3) + X[:, 2] % 5 + X[:, 3] / 1e6
TWO, THREE, SIZES = (VALUES > 2) * 1, np.digitize(VALUES, [1, 4]), np.exp(VALUES / 4)
WORDS, SHARES = np.array(["no", "yes"])[TWO], TWO * 0.7 + 0.1

FEW = {"n_estimators": 8, "n_jobs": 1}
LIGHT = {**FEW, "verbose": -1}
OFTEN = {"min_data_per_group": 2, "cat_smooth": 1, **LIGHT}
THIRD = {"categorical_feature": [2]}
CATEGORY = {"feature_types": ["q", "q", "c", "q", "q", "q"], "enable_categorical": True, **FEW}

BOOSTED = [
    pytest.param(LGBMRegressor(**LIGHT), X, VALUES, {}, id="LightGBM"),
    pytest.param(LGBMRegressor(**LIGHT), GAPS, VALUES, {}, id="LightGBM over gaps"),
    pytest.param(LGBMRegressor(use_missing=False, **LIGHT), GAPS, VALUES, {}, id="LightGBM: gaps are zeros"),
    pytest.param(LGBMRegressor(zero_as_missing=True, **LIGHT), with_gaps(X, 2, 0), VALUES, {},
                 id="LightGBM: zeros are gaps"),
    pytest.param(LGBMRegressor(zero_as_missing=True, **LIGHT), with_gaps(GAPS, 2, 0), VALUES, {},
                 id="LightGBM: zeros are gaps beside gaps"),
    pytest.param(LGBMRegressor(objective="huber", **LIGHT), GAPS, VALUES, {}, id="LightGBM huber"),
    pytest.param(LGBMRegressor(reg_sqrt=True, **LIGHT), GAPS, VALUES, {}, id="LightGBM of square roots"),
    pytest.param(LGBMRegressor(objective="poisson", **LIGHT), GAPS, SIZES, {}, id="LightGBM poisson"),
    pytest.param(LGBMRegressor(objective="gamma", **LIGHT), GAPS, SIZES, {}, id="LightGBM gamma"),
    pytest.param(LGBMRegressor(objective="tweedie", **LIGHT), GAPS, SIZES, {}, id="LightGBM tweedie"),
    pytest.param(LGBMRegressor(objective="cross_entropy", **LIGHT), GAPS, SHARES, {}, id="LightGBM cross-entropy"),
    pytest.param(LGBMRegressor(boosting_type="dart", **LIGHT), GAPS, VALUES, {}, id="LightGBM dart"),
    pytest.param(LGBMRegressor(boosting_type="rf", subsample=0.6, subsample_freq=1, **LIGHT), GAPS, VALUES, {},
                 id="LightGBM random forest"),
    pytest.param(LGBMRegressor(linear_tree=True, **LIGHT), GAPS, VALUES, {}, id="LightGBM with linear leaves"),
    pytest.param(LGBMRegressor(min_child_samples=1000, **LIGHT), X, VALUES, {}, id="LightGBM that learns nothing"),
    pytest.param(LGBMRegressor(**OFTEN), GAPS, VALUES, THIRD, id="LightGBM categories"),
    pytest.param(LGBMClassifier(max_cat_to_onehot=50, **OFTEN), X, TWO, THIRD, id="LightGBM one category a node"),
    pytest.param(LGBMClassifier(**LIGHT), GAPS, TWO, {}, id="LightGBM two classes"),
    pytest.param(LGBMClassifier(sigmoid=0.5, **LIGHT), GAPS, WORDS, {}, id="LightGBM words for classes"),
    pytest.param(LGBMClassifier(**LIGHT), GAPS, THREE, {}, id="LightGBM three classes"),
    pytest.param(LGBMClassifier(objective="multiclassova", sigmoid=2.5, **LIGHT), GAPS, THREE, {},
                 id="LightGBM each class against all others"),
    pytest.param(LGBMRanker(**LIGHT), GAPS, TWO, {"group": [100, 200]}, id="LightGBM ranks"),
    pytest.param(XGBRegressor(**FEW), X, VALUES, {}, id="XGBoost"),
    pytest.param(XGBRegressor(**FEW), GAPS, VALUES * 1e5 + 3e6, {}, id="XGBoost over gaps, large numbers"),
    pytest.param(XGBRegressor(tree_method="exact", **FEW), GAPS, VALUES, {}, id="XGBoost exact"),
    pytest.param(XGBRegressor(missing=-999.0, **FEW), with_gaps(X, 1, -999.0), VALUES, {},
                 id="XGBoost: a number stands for gaps"),
    pytest.param(XGBRegressor(missing=0.1, **FEW), with_gaps(X, 1, 0.1), VALUES, {},
                 id="XGBoost: a number that 32 bits do not have stands for gaps"),
    pytest.param(XGBRegressor(objective="reg:absoluteerror", **FEW), GAPS, VALUES, {}, id="XGBoost absolute error"),
    pytest.param(XGBRegressor(objective="reg:quantileerror", quantile_alpha=0.3, **FEW), GAPS, VALUES, {},
                 id="XGBoost quantile"),
    pytest.param(XGBRegressor(objective="count:poisson", **FEW), GAPS, SIZES, {}, id="XGBoost poisson"),
    pytest.param(XGBRegressor(objective="reg:gamma", **FEW), GAPS, SIZES, {}, id="XGBoost gamma"),
    pytest.param(XGBRegressor(objective="reg:tweedie", **FEW), GAPS, SIZES, {}, id="XGBoost tweedie"),
    pytest.param(XGBRegressor(objective="reg:logistic", **FEW), GAPS, SHARES, {}, id="XGBoost logistic"),
    pytest.param(XGBRegressor(objective="binary:hinge", **FEW), GAPS, TWO, {}, id="XGBoost hinge"),
    pytest.param(XGBRegressor(base_score=0.3, **FEW), GAPS, VALUES, {}, id="XGBoost that begins with a number"),
    pytest.param(XGBRegressor(booster="dart", rate_drop=0.5, **FEW), GAPS, VALUES, {}, id="XGBoost dart"),
    pytest.param(XGBRFRegressor(**FEW), GAPS, VALUES, {}, id="XGBoost random forest"),
    pytest.param(XGBRegressor(max_cat_to_onehot=3, **CATEGORY), GAPS, VALUES, {}, id="XGBoost categories"),
    pytest.param(XGBClassifier(max_cat_to_onehot=99, **CATEGORY), GAPS, TWO, {}, id="XGBoost one category a node"),
    pytest.param(XGBClassifier(**FEW), GAPS, TWO, {}, id="XGBoost two classes"),
    pytest.param(XGBClassifier(base_score=0.2, **FEW), GAPS, TWO, {}, id="XGBoost that begins with a share"),
    pytest.param(XGBClassifier(**FEW), GAPS, THREE, {}, id="XGBoost three classes"),
    pytest.param(XGBClassifier(objective="multi:softmax", **FEW), GAPS, THREE, {}, id="XGBoost softmax"),
    pytest.param(XGBClassifier(booster="dart", rate_drop=0.5, **FEW), GAPS, THREE, {}, id="XGBoost dart of classes"),
    pytest.param(XGBClassifier(num_parallel_tree=3, subsample=0.6, **FEW), GAPS, THREE, {},
                 id="XGBoost several trees a round"),
    pytest.param(XGBRFClassifier(**FEW), GAPS, THREE, {}, id="XGBoost random forest of classes"),
    pytest.param(XGBRanker(**FEW), GAPS, TWO, {"group": [100, 200]}, id="XGBoost ranks"),
]  # fmt: skip

HUGE = (np.inf, -np.inf, 1e300, np.nextafter(1e300, np.inf), -1e300, 1e39, -1e39, 3.5e38, 3.4028235e38, 0.0, -0.0,
        1e-36, -1e-36, 1.1e-35, 5e-324, -999.0, 2.0**24 + 1, 2.0**31)  # fmt: skip


def thresholds_of(model: Any) -> Iterator[tuple[int, float]]:
    """The features and thresholds of a model's nodes, as the library tells of them."""
    if hasattr(model, "booster_"):
        nodes = model.booster_.trees_to_dataframe()
        nodes = nodes[nodes["decision_type"] == "<="]
        features = [int(name.split("_")[1]) for name in nodes["split_feature"]]
        yield from zip(features, nodes["threshold"].tolist(), strict=True)
    else:
        nodes = model.get_booster().trees_to_dataframe()
        nodes = nodes[nodes["Split"].notna()]
        features = [int(name[1:]) for name in nodes["Feature"]]
        yield from zip(features, nodes["Split"].astype("float32").tolist(), strict=True)


def rows_for(model: Any) -> Any:
    """Rows of training, others, ones at thresholds and beside them in 32 and 64 bits, and ones with huge values."""
    far, beside = table(1, 200) * 3, []
    far[:, 2] = np.abs(far[:, 2])
    for at, (feature, threshold) in enumerate(list(thresholds_of(model))[:40]):
        low, high = (np.nextafter(np.float32(threshold), np.float32(end)) for end in (-np.inf, np.inf))
        for value in (threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf), low, high):
            row = X[at % len(X)].copy()
            row[feature] = value
            beside.append(row)
    for at, value in enumerate(HUGE * 5):
        row = X[at % len(X)].copy()
        row[(0, 1, 3, 4, 5)[at % 5]] = value
        beside.append(row)
    return np.vstack([X, with_gaps(table(2, 150), 2), far, beside])


@FORMS
@pytest.mark.parametrize("model, rows, y, options", BOOSTED)
def test_a_model_answers_as_its_estimator(
    model: Any, rows: Any, y: Any, options: dict[str, Any], most: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = clone(model).fit(rows, y, **options)
    settings = model.get_params()
    if most == {"MOST_NODES": 20} and (settings.get("linear_tree") or settings.get("zero_as_missing")):
        with pytest.raises(UncompiledError, match="a large tree with"):
            module_of_model(model, most, monkeypatch)
        return
    made, module = module_of_model(model, most, monkeypatch)
    asked = rows_for(model)
    answers = model.predict(asked).tolist()
    chances = model.predict_proba(asked).tolist() if hasattr(model, "predict_proba") else None

    left = 0
    for at, row in enumerate(asked.tolist()):
        try:
            answer = module.predict(row)
        except rowtools.OddRowError:
            left += 1
            continue
        assert type(answer) is type(answers[at])
        assert answer == answers[at] or (not made.exact and is_same_answer(answer, answers[at], made.tolerance)), row
        if chances is not None:
            assert module.probabilities(row) == pytest.approx(chances[at], rel=0, abs=max(made.tolerance, 1e-12))
    assert left < 0.05 * len(asked)
    assert made.tolerance in ((0.0, TOLERANCE) if type(model).__module__.startswith("xgboost") else (0.0,))


def early(model: Any, **options: Any) -> Any:
    return clone(model).fit(GAPS[:150], THREE[:150], eval_set=[(GAPS[150:], THREE[150:])], **options)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(early(LGBMClassifier(**{**LIGHT, "n_estimators": 300}),
                           callbacks=[lightgbm.early_stopping(5, verbose=False)]), id="LightGBM"),
        pytest.param(early(XGBClassifier(early_stopping_rounds=5, **{**FEW, "n_estimators": 300}), verbose=False),
                     id="XGBoost"),
        pytest.param(early(XGBClassifier(booster="dart", rate_drop=0.2, early_stopping_rounds=5, subsample=0.7,
                                         num_parallel_tree=2, **{**FEW, "n_estimators": 300}), verbose=False),
                     id="XGBoost, several trees a round, with weights"),
    ],
)  # fmt: skip
def test_training_that_stopped_early_answers_with_its_best_round(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, module = module_of_model(model, {}, monkeypatch)

    assert made.chances
    answers = model.predict(GAPS).tolist()
    assert [module.predict(row) for row in GAPS.tolist()] == answers
    assert np.allclose([module.probabilities(row) for row in GAPS.tolist()], model.predict_proba(GAPS), 0, 3e-7)


def own_objective(y: Any, scores: Any) -> tuple[Any, Any]:
    return scores - y, np.ones_like(y)


@pytest.mark.parametrize(
    "model, y, reason",
    [
        pytest.param(LGBMRegressor(objective=own_objective, **LIGHT), VALUES, "an objective of the notebook's own",
                     id="LightGBM: an own objective"),
        pytest.param(LGBMRegressor(objective="cross_entropy_lambda", **LIGHT), SHARES,
                     "the objective cross_entropy_lambda", id="LightGBM: an objective with another link"),
        pytest.param(LGBMClassifier(objective="cross_entropy_lambda", **LIGHT), TWO,
                     "2 classes with the objective cross_entropy_lambda", id="LightGBM: of classes"),
        pytest.param(LGBMClassifier(**LIGHT), TWO * 0, "boosting of 1 classes", id="LightGBM: one class"),
        pytest.param(LGBMClassifier(pred_early_stop=True, **LIGHT), TWO, "predicts with pred_early_stop",
                     id="LightGBM: predictions that stop early"),
        pytest.param(XGBRegressor(booster="gblinear", n_estimators=8), VALUES, "boosting with gblinear",
                     id="XGBoost: no trees"),
        pytest.param(XGBRegressor(**FEW), np.c_[VALUES, VALUES], "several targets", id="XGBoost: several targets"),
        pytest.param(XGBRegressor(multi_strategy="multi_output_tree", **FEW), np.c_[VALUES, VALUES], "several targets",
                     id="XGBoost: trees of several targets"),
        pytest.param(XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.3, 0.7], **FEW), VALUES,
                     "several targets", id="XGBoost: several quantiles"),
        pytest.param(XGBClassifier(objective="binary:logitraw", **FEW), TWO,
                     "2 classes with the objective binary:logitraw", id="XGBoost: classes of bare scores"),
    ],
)  # fmt: skip
def test_a_model_that_is_asked_as_it_is(model: Any, y: Any, reason: str) -> None:
    with pytest.raises(UncompiledError, match=reason):
        model_text(clone(model).fit(X, y), X.shape[1])


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e30])
def test_a_threshold_of_32_bits_is_one_of_64(scale: float) -> None:
    for drawn in np.random.default_rng(0).normal(size=200) * scale:
        single = float(np.float32(drawn))
        at = as_float64(single)
        assert np.float32(at) <= np.float32(single) < np.float32(np.nextafter(at, np.inf))


def test_a_threshold_below_all_numbers_of_32_bits_is_below_those_that_become_infinite() -> None:
    at = as_float64(-np.inf)

    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(at))
        assert not np.isinf(np.float32(np.nextafter(at, 0)))


def test_many_trees_stand_in_functions_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree([1, -1, -1], [2, 0, 0], [0, 0, 0], [0.5, 0.0, 0.0], [0, 0, 0], [0.0, 1.0, 2.0])
    monkeypatch.setattr(trees, "MOST_INLINE", 7)
    made = Model()

    lines = trees.added(made, [tree] * 5, ["f0"], ["z"], trees.one_by_one("z"))

    assert lines == ["z = trees_0(z, f0)", "z = trees_1(z, f0)", "z = trees_2(z, f0)"]
    text = "(1.0 if f0 <= 0.5 else 2.0)"
    assert made.functions[0] == f"def trees_0(z, f0):\n    z = z + {text} + {text}\n    return z"


SPARSE = ColumnTransformer([("u", OneHotEncoder(), ["u"]), ("i", "passthrough", ["i"])], sparse_threshold=1)


def test_whole_numbers_that_trees_compare_often_are_made_floats_first() -> None:
    model = LGBMRegressor(**LIGHT).fit(np.round(X), VALUES)

    made = model_text(model, X.shape[1], whole=[2, 5])

    assert 5 not in made.compared
    assert [line for line in made.statements if "float(" in line] == ["f2 = float(f2)"]
    assert [line for line in model_text(model, X.shape[1]).statements if "float(" in line] == []


CELL = """# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv")
# %%
df["u"] = df["u"].astype("category")
X = df[{columns}]
LinearRegression().fit(X, df["y"])
"""


def rows_of_categories(rows: int, fifth: str) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    words = draw.choice(["one", "two", "three", "vier", fifth], rows)
    frame = pd.DataFrame({"u": words, "f": with_gaps(draw.normal(size=rows), 0), "i": draw.integers(-1, 2, rows)})
    frame["k"] = 2**24 + draw.integers(0, 4, rows)
    return frame.assign(y=frame["u"].map(len) % 4 * 2.0 + frame["f"].fillna(0) + frame["i"] / 9 + frame["k"] % 2)


CATEGORICAL = {"enable_categorical": True, "max_cat_to_onehot": 2, **FEW}


@pytest.mark.parametrize(
    "model, fifth, columns, reason",
    [
        pytest.param(LGBMRegressor(**OFTEN), "fünf", ["u", "f", "i"], None, id="LightGBM"),
        pytest.param(XGBRegressor(**CATEGORICAL), "5th", ["u", "f", "i"], None, id="XGBoost"),
        pytest.param(XGBRegressor(**CATEGORICAL), "fünf", ["u", "f", "i"], "beyond ASCII", id="XGBoost, umlauts"),
        pytest.param(
            make_pipeline(StandardScaler(), XGBRegressor(**FEW)), "fünf", ["f", "i"], None, id="XGBoost behind a step"
        ),
        pytest.param(
            make_pipeline(SPARSE, XGBRegressor(**FEW)),
            "fünf",
            ["u", "f", "i"],
            None,
            id="XGBoost, to which zeros of a sparse matrix are missing",
        ),
        pytest.param(
            make_pipeline(SPARSE, LGBMRegressor(**LIGHT)),
            "fünf",
            ["u", "f", "i"],
            None,
            id="LightGBM, to which they are zeros",
        ),
        pytest.param(
            make_pipeline(FunctionTransformer(lambda frame: frame.to_numpy()), LGBMRegressor(**LIGHT)),
            "5",
            ["i", "k"],
            None,
            id="LightGBM, to which whole numbers of an array are of 32 bits",
        ),
    ],
)
def test_values_are_given_as_the_library_takes_them(
    model: Any, fifth: str, columns: list[str], reason: str | None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = CELL.format(columns=columns)
    features, raw = features_after(cell, tmp_path.name, tmp_path, monkeypatch, rows_of_categories(120, fifth))
    matrix, labels = features.model_input(raw), features.labels(raw)
    model = clone(model).fit(matrix, labels)

    found = compiled(Pipeline(features, model, folder=tmp_path))
    if reason is not None:
        assert reason in str(found.model)
        return
    module = module_of(found.text, json.loads(json.dumps(found.tables)))
    proof = proven(module, found.features, records_of(raw), matrix, model.predict(matrix).tolist())

    assert (found.model, proof.raised, proof.rows, proof.odd, proof.wrong) == (None, "", 120, 0, None)
