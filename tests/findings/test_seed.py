"""`missing-seed`: what it reports, what it leaves alone, and that its table is complete."""

from __future__ import annotations

import inspect
import runpy
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.utils.discovery import all_estimators

from nbprod.analysis.draws import table

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
XY, SPLIT, FIT, SCORE = (PROGRAMS[name] for name in ("XY", "SPLIT", "FIT", "SCORE"))
findings_of = PROGRAMS["findings_of"]
MORE = "import random\nfrom sklearn.svm import SVC\n"
SHOWN = XY + SPLIT + FIT + SCORE


@pytest.mark.parametrize(
    "code, steps",
    [
        pytest.param(XY + SPLIT.replace(", random_state=0", "") + FIT + SCORE, ["train_test_split"], id="a split"),
        pytest.param(
            XY + SPLIT + FIT.replace("LogisticRegression()", "RandomForestClassifier(n_estimators=9)") + SCORE,
            ["RandomForestClassifier"],
            id="a forest",
        ),
        pytest.param(
            XY + SPLIT + FIT.replace("LogisticRegression()", "SVC(probability=True)") + SCORE, ["SVC"], id="a setting"
        ),
        pytest.param(
            XY + SPLIT + FIT.replace("()", "(solver='saga', random_state=None)", 1) + SCORE,
            ["LogisticRegression"],
            id="a state that is none",
        ),
        pytest.param("df['a'] = df['a'].fillna(np.random.randint(9))\n" + SHOWN, ["randint"], id="a number from NumPy"),
        pytest.param(
            "np.random.seed(0)\ndf['a'] = df['a'].fillna(random.random())\n" + SHOWN,
            ["random"],
            id="a number of the module, with NumPy's seed",
        ),
        pytest.param(
            XY + "cross_val_score(RandomForestClassifier(), X, y)\n",
            ["RandomForestClassifier"],
            id="a cross-validation",
        ),
        pytest.param(
            XY + SPLIT + "X_train, y_train = SMOTE().fit_resample(X_train, y_train)\n" + FIT + SCORE,
            ["SMOTE"],
            id="rows that are made",
        ),
    ],
)
def test_missing_seed(code: str, steps: list[str]) -> None:
    found = [finding for finding in findings_of(MORE + code) if finding.rule == "missing-seed"]

    assert [finding.message.split()[0] for finding in found] == steps


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(SHOWN, id="a solver that draws nothing"),
        pytest.param(
            XY + SPLIT + FIT.replace("LogisticRegression()", "SVC()") + SCORE, id="a setting that draws nothing"
        ),
        pytest.param(
            "np.random.seed(0)\n" + SHOWN.replace(", random_state=0", ""),
            id="the global seed of NumPy",
        ),
        pytest.param(
            "random.seed(0)\ndf['a'] = df['a'].fillna(random.random())\n" + SHOWN, id="the seed of the module random"
        ),
        pytest.param(SHOWN.replace("random_state=0", "shuffle=False"), id="a split in order"),
        pytest.param("RandomForestClassifier()\n" + SHOWN, id="a model that is not used"),
        pytest.param("print(np.random.rand(3))\n" + SHOWN, id="numbers that are only shown"),
        pytest.param(
            "options = {'random_state': 1}\n"
            + XY
            + SPLIT
            + FIT.replace("LogisticRegression()", "RandomForestClassifier(**options)")
            + SCORE,
            id="options that may hold a seed",
        ),
    ],
)
def test_no_missing_seed(code: str) -> None:
    assert [finding for finding in findings_of(MORE + code) if finding.rule == "missing-seed"] == []


def test_the_table_has_every_class_with_a_random_state() -> None:
    known = table()
    classes = dict(all_estimators())
    splitters = vars(import_module("sklearn.model_selection"))
    classes.update({name: each for name, each in splitters.items() if inspect.isclass(each) and name[0] != "_"})
    random = {
        name
        for name, each in classes.items()
        if "random_state" in inspect.signature(each.__init__).parameters and not name.startswith("Base")
    }

    assert random - known.always - known.never - known.where.keys() == {"ParameterSampler"}
