"""The rule on test rows that choose among models: what it reports, and what looks alike and is fine."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
XY, SPLIT, FIT, SCORE, NETWORK = (PROGRAMS[name] for name in ("XY", "SPLIT", "FIT", "SCORE", "NETWORK"))
findings_of, rules_of = PROGRAMS["findings_of"], PROGRAMS["rules_of"]

OTHER = "other = RandomForestClassifier()\nother.fit(X_train, y_train)\n"
DRAWN = "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
ONE_BY_ONE = (
    "def run(model):\n    A, B, a, b = train_test_split({})\n    model.fit(A, a)\n    return model.score(B, b)\n"
)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            FIT + SCORE + OTHER + "accuracy_score(y_test, other.predict(X_test))\n", id="two models on the same rows"
        ),
        pytest.param(
            "for c in [0.1, 1, 10]:\n    model = LogisticRegression(C=c)\n    model.fit(X_train, y_train)\n"
            "    print(model.score(X_test, y_test))\n",
            id="a parameter is tried in a loop",
        ),
        pytest.param(
            "def evaluate(model):\n    model.fit(X_train, y_train)\n    return model.score(X_test, y_test)\n"
            "evaluate(LogisticRegression())\nevaluate(RandomForestClassifier())\n",
            id="a function that tests models",
        ),
        pytest.param(
            FIT + "(model.predict(X_test) == y_test).mean()\n" + OTHER + "(other.predict(X_test) != y_test).sum()\n",
            id="the share of right answers is counted by hand",
        ),
        pytest.param(
            "def error(y, guess):\n    return np.sqrt(np.mean((y - guess) ** 2))\n"
            + FIT
            + OTHER
            + "print(error(y_test, model.predict(X_test)), error(y_test, other.predict(X_test)))\n",
            id="an error of one's own",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\nother.predict(pd.DataFrame({'a': [1], 'b': [2]}))\n",
            id="a row that the notebook made up shows the model",
        ),
        pytest.param(
            "models = [0] * 3\nfor i in range(3):\n    models[i] = LogisticRegression(C=i + 1)\n"
            "    models[i].fit(X_train, y_train)\n    models[i].score(X_test, y_test)\n",
            id="models are put into a list that was made long enough",
        ),
        pytest.param(
            "import statsmodels.api as sm\nfor columns in [['a'], ['a', 'b']]:\n"
            "    model = sm.OLS(y_train, X_train[columns]).fit()\n"
            "    print(((model.predict(X_test[columns]) - y_test) ** 2).mean())\n",
            id="regressions of statsmodels over several columns",
        ),
        pytest.param(
            "import mine\nfrom xgboost import XGBClassifier\n"
            "X_train, X_val, X_test, y_train, y_val, y_test = mine.split(df[['a', 'b']], df['y'])\n"
            "for depth in [2, 4]:\n    model = XGBClassifier(max_depth=depth)\n"
            "    model.fit(X_train, y_train, eval_set=[(X_val, y_val)], early_stopping_rounds=9)\n    " + SCORE,
            id="rows that say when each training stops are none that test the best",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\ncars = pd.read_csv('cars.csv')\n"
            "X, y = cars[['a']], cars['price']\n" + SPLIT + FIT + SCORE,
            id="another model of another table is tested once",
        ),
        pytest.param(
            "X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)\n"
            + FIT.replace("X_train, y_train", "X_fit, y_fit")
            + "model.score(X_val, y_val)\n"
            + FIT
            + SCORE
            + OTHER
            + "other.score(X_test, y_test)\n",
            id="validation rows were used before the test rows compared",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\n" + SPLIT.replace("=0", "=1") + FIT + SCORE,
            id="another random split of the same rows",
        ),
        pytest.param(
            "model = LogisticRegression()\nfor n in [100, 1000]:\n"
            "    model.fit(X_train[:n], y_train[:n])\n    print(model.score(X_test, y_test))\n",
            id="a number of training rows is tried",
        ),
        pytest.param(
            "X, y = SMOTE().fit_resample(X, y)\n" + SPLIT + FIT + SCORE + OTHER + "other.score(X_test, y_test)\n",
            id="rows were copied before the split",
        ),
        pytest.param(
            "import pickle\nX_test = pickle.load(open('x.pkl', 'rb'))\ny_test = pickle.load(open('y.pkl', 'rb'))\n"
            + FIT
            + SCORE
            + OTHER
            + "other.score(X_test, y_test)\n",
            id="test rows of a pickle",
        ),
        pytest.param(
            "net = Sequential()\nnet.fit(X_train, y_train, validation_data=(X_test, y_test))\n"
            "net.evaluate(X_test, y_test)\n",
            id="the validation rows of a network test it",
        ),
        pytest.param(
            "test = make_dataset('test')\nnet = Sequential()\nnet.fit(make_dataset('train'), validation_data=test)\n"
            "net.evaluate(test)\n",
            id="a data set of which nothing is known validates and tests",
        ),
        pytest.param(
            "from xgboost import XGBClassifier\nmodel = XGBClassifier(early_stopping_rounds=9)\n"
            "model.fit(X_train, y_train, eval_set=[(X_test, y_test)])\n" + SCORE,
            id="boosting stops by the test rows",
        ),
        pytest.param(
            "for model in [LogisticRegression(), RandomForestClassifier()]:\n    "
            + SPLIT
            + "    model.fit(X_train, y_train)\n    print(model.score(X_test, y_test))\n",
            id="a loop makes the same split for each model",
        ),
        pytest.param(
            FIT + SCORE + "more = pd.read_csv('more.csv')\nother = RandomForestClassifier()\n"
            "other.fit(more[['a', 'b']], more['y'])\nother.score(X_test, y_test)\n",
            id="models of two files, one finding",
        ),
        pytest.param(
            "from prophet import Prophet\ntrain, test = train_test_split(df)\nfor days in [True, False]:\n"
            "    model = Prophet(daily_seasonality=days)\n    model.fit(train)\n    guess = model.predict(df=test)\n"
            "    print(accuracy_score(test['y'], guess['yhat']))\n",
            id="forecasts of two models",
        ),
        pytest.param(
            "from catboost import CatBoostClassifier\nmodel = CatBoostClassifier()\n"
            "model.fit(X_train, y_train, eval_set=(X_test, y_test))\n" + SCORE,
            id="CatBoost keeps the iteration that is best on the test rows",
        ),
        pytest.param(
            FIT + "proba = model.predict_proba(X_test)[:, 1]\nfor t in np.arange(0.1, 0.9, 0.1):\n"
            "    print(accuracy_score(y_test, proba > t))\n",
            id="thresholds are compared in a loop",
        ),
        pytest.param(
            FIT + "proba = model.predict_proba(X_test)[:, 1]\n"
            "best = max(accuracy_score(y_test, proba > t) for t in [0.3, 0.5, 0.7])\n",
            id="thresholds are compared in a comprehension",
        ),
        pytest.param(
            "import optuna\ndef objective(trial):\n"
            "    model = LogisticRegression(C=trial.suggest_float('C', 0.1, 9))\n"
            "    model.fit(X_train, y_train)\n    return model.score(X_test, y_test)\n"
            "study = optuna.create_study()\nstudy.optimize(objective, n_trials=20)\n",
            id="a search tries settings on the test rows",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\n"
            "stack = np.c_[model.predict(X_train), other.predict(X_train)]\n"
            "A, B, a, b = train_test_split(stack, y_train, random_state=1)\n"
            "meta = LogisticRegression()\nmeta.fit(A, a)\nmeta.score(B, b)\n",
            id="rows that the compared models learned from test another",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\nnew = load_rows('new')\n"
            "print(model.predict(new[['a', 'b']]))\n",
            id="rows from nowhere are looked at",
        ),
        pytest.param(
            DRAWN + FIT + SCORE + OTHER + "other.score(X_test, y_test)\n", id="a split without a seed, made once"
        ),
        pytest.param(
            ONE_BY_ONE.format("X, y, random_state=0")
            + "print(run(LogisticRegression()), run(RandomForestClassifier()))\n",
            id="a function draws the same rows in each call",
        ),
    ],
)
def test_multi_test_leakage(code: str) -> None:
    found = [finding for finding in findings_of(XY + SPLIT + code) if finding.rule == "multi-test-leakage"]

    assert len(found) == 1
    assert found[0].related


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(FIT + SCORE + "accuracy_score(y_test, model.predict(X_test))\n", id="one model, two scores"),
        pytest.param(FIT + SCORE + OTHER, id="the other model is not tested"),
        pytest.param(
            "X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)\n"
            + "model = LogisticRegression()\nmodel.fit(X_fit, y_fit)\nmodel.score(X_val, y_val)\n"
            + OTHER.replace("X_train, y_train", "X_fit, y_fit")
            + "other.score(X_val, y_val)\n"
            + "model.score(X_test, y_test)\n",
            id="compared on validation rows, tested once",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\n"
            "final = pd.read_csv('final.csv')\nother.predict(final[['a', 'b']])\n",
            id="rows of a competition test the one that is chosen",
        ),
        pytest.param(
            FIT + "cross_val_score(model, X_train, y_train)\n" + OTHER + "cross_val_score(other, X_train, y_train)\n"
            "other.score(X_test, y_test)\n",
            id="compared by cross-validation",
        ),
        pytest.param(
            "for train, test in KFold(5).split(X):\n"
            "    model = LogisticRegression()\n    model.fit(X.iloc[train], y.iloc[train])\n"
            "    model.score(X.iloc[test], y.iloc[test])\n",
            id="each fold has a model of its own",
        ),
        pytest.param(
            FIT + SCORE + "other = RandomForestClassifier()\nother.fit(X_train, X_train['a'])\n"
            "other.score(X_test, X_test['a'])\n",
            id="two models for two targets",
        ),
        pytest.param(FIT + SCORE + FIT + SCORE, id="one model, trained and scored again"),
        pytest.param(
            "for train, test in KFold(5).split(X_train):\n"
            "    for model in [LogisticRegression(), RandomForestClassifier()]:\n"
            "        model.fit(X_train.iloc[train], y_train.iloc[train])\n"
            "        model.score(X_train.iloc[test], y_train.iloc[test])\n",
            id="folds compare two models",
        ),
        pytest.param(
            "for key, part in df.groupby('b'):\n    X, y = part[['a']], part['y']\n    "
            + SPLIT
            + "    model = LogisticRegression()\n    model.fit(X_train, y_train)\n    model.score(X_test, y_test)\n",
            id="one model for each group",
        ),
        pytest.param(
            "X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)\n"
            + (FIT + "model.score(X_val, y_val)\n" + OTHER + "other.score(X_val, y_val)\n").replace("_train", "_fit"),
            id="compared on validation rows, and the test rows are left",
        ),
        pytest.param(
            "X_test, X_val = X[900:], X[800:900]\ny_train, y_val = y[:800], y[800:900]\nX_train = X[:800]\n"
            + FIT
            + "model.score(X_val, y_val)\n"
            + OTHER
            + "other.score(X_val, y_val)\n",
            id="compared on a slice, and the last rows are left",
        ),
        pytest.param(
            "from sklearn.linear_model import SGDClassifier\nmodel = SGDClassifier()\nfor n in [0, 100]:\n"
            "    model.partial_fit(X_train[n : n + 100], y_train[n : n + 100])\n    model.score(X_test, y_test)\n",
            id="one model learns batch by batch",
        ),
        pytest.param(
            "X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)\nnet = Sequential()\n"
            "net.fit(X_fit, y_fit, validation_data=(X_val, y_val))\nnet.evaluate(X_test, y_test)\n",
            id="validation rows beside test rows",
        ),
        pytest.param(
            "net = Sequential()\nnet.fit(X_train, y_train, validation_data=(X_test, y_test))\n",
            id="validation rows alone",
        ),
        pytest.param(
            "from xgboost import XGBClassifier\nmodel = XGBClassifier()\n"
            "model.fit(X_train, y_train, eval_set=[(X_test, y_test)])\n" + SCORE,
            id="boosting reports on the test rows and does not stop by them",
        ),
        pytest.param(
            FIT + OTHER + "meta = LogisticRegression()\n"
            "meta.fit(np.c_[model.predict(X_train), other.predict(X_train)], y_train)\n"
            "meta.score(np.c_[model.predict(X_test), other.predict(X_test)], y_test)\n",
            id="predictions that another model learns from",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "print(other.predict(X_test) == 1, other.predict(X_test) - model.predict(X_test))\n",
            id="predictions beside a constant and beside each other",
        ),
        pytest.param(
            FIT + "proba = model.predict_proba(X_test)\nfor k in range(3):\n"
            "    print(accuracy_score(y_test == k, proba[:, k] > 0.5))\n",
            id="each class has a score of its own",
        ),
        pytest.param(
            FIT + "guess = model.predict(X_test)\nfor n in range(3):\n    print(n, accuracy_score(y_test, guess))\n",
            id="a loop shows the same score",
        ),
        pytest.param(
            "X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)\n"
            + FIT.replace("_train", "_fit")
            + "proba = model.predict_proba(X_val)[:, 1]\nfor t in [0.3, 0.5]:\n"
            "    print(accuracy_score(y_val, proba > t))\n" + SCORE,
            id="thresholds are compared on validation rows",
        ),
        pytest.param(
            "from catboost import CatBoostClassifier\nmodel = CatBoostClassifier()\n"
            "model.fit(X_train, y_train, eval_set=(X_test, y_test), use_best_model=False)\n" + SCORE,
            id="CatBoost reports on the test rows and keeps its last iteration",
        ),
        pytest.param(
            "net = Sequential()\nnet.fit(X_train, y_train, validation_data=(X_test, y_test))\nnet.predict(X_test)\n",
            id="validation rows are looked at",
        ),
        pytest.param(
            "models = [('one', LogisticRegression()), ('other', RandomForestClassifier())]\nscores = []\n"
            "for name, model in models:\n    model.fit(X_train, y_train)\n"
            "    scores.append(model.score(X_test, y_test))\nbest = models[np.argmax(scores)][1]\n"
            "best.fit(X, y)\nfinal = pd.read_csv('final.csv')\nbest.predict(final[['a', 'b']])\n",
            id="rows of a competition test the best of some pairs",
        ),
        pytest.param(
            DRAWN + FIT + SCORE + DRAWN + OTHER + "other.score(X_test, y_test)\n",
            id="each model has a split of its own",
        ),
        pytest.param(
            ONE_BY_ONE.format("X, y") + "print(run(LogisticRegression()), run(RandomForestClassifier()))\n",
            id="a function draws other rows in each call",
        ),
        pytest.param(
            "kf = KFold(5)\none, other = LogisticRegression(), RandomForestClassifier()\n"
            "print([one.fit(X[a], y[a]).score(X[b], y[b]) for a, b in kf.split(X)])\n"
            "print([other.fit(X[a], y[a]).score(X[b], y[b]) for a, b in kf.split(X)])\n",
            id="folds in comprehensions",
        ),
        pytest.param(
            FIT + SCORE + OTHER + "other.score(X_test, y_test)\nnew = load_rows('new')\n"
            "guess = pd.DataFrame({'id': new['id'], 'y': model.predict(new[['a', 'b']])})\n"
            "guess.to_csv('submission.csv')\n",
            id="predictions for rows from elsewhere are saved",
        ),
    ],
)
def test_no_multi_test_leakage(code: str) -> None:
    assert "multi-test-leakage" not in rules_of(XY + SPLIT + code)
