"""The rules on leakage: what each reports, and what looks alike and is fine."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
HEAD, XY, SPLIT, FIT, SCORE = (PROGRAMS[name] for name in ("HEAD", "XY", "SPLIT", "FIT", "SCORE"))
SCALED, NETWORK = PROGRAMS["SCALED"], PROGRAMS["NETWORK"]
findings_of, rules_of = PROGRAMS["findings_of"], PROGRAMS["rules_of"]

OWN = (
    XY
    + """from sklearn.base import BaseEstimator, TransformerMixin
class Own(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
"""
)
TRANSFORM = """        return self
    def transform(self, X):
        return X * 2
X = make_pipeline(Own()).fit_transform(X)
"""
DRAWN = "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
OUT_OF_FOLD = (
    XY
    + """out = np.zeros((len(X), 1))
folds = list(KFold(5).split(X, y))
model = {}
for number, (train, test) in enumerate(folds):
    model.fit(X.iloc[train], y.iloc[train])
    out[test, 0] = model.predict(X.iloc[test])
cross_val_score(LogisticRegression(), out, y)
"""
)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(XY + SCALED + SPLIT + NETWORK + "net.evaluate(X_test, y_test)\n", id="a network is trained"),
        pytest.param(
            XY + SCALED + SPLIT + "net = Sequential()\nnet.fit(X_train, y_train, validation_data=(X_test, y_test))\n",
            id="a network is validated while it is trained",
        ),
        pytest.param(XY + SCALED + "cross_val_score(LogisticRegression(), X, y)\n", id="a cross-validation"),
        pytest.param(
            XY + SCALED + "for train, test in KFold(5).split(X):\n"
            "    model = LogisticRegression()\n    model.fit(X[train], y[train])\n    model.score(X[test], y[test])\n",
            id="folds",
        ),
        pytest.param(
            "df['a'] = df['a'].fillna(df['a'].mean())\n"
            + XY
            + "X_train, X_test = X[:800], X[800:]\ny_train, y_test = y[:800], y[800:]\n"
            + FIT
            + SCORE,
            id="a split by position",
        ),
        pytest.param(
            "df['a'] = df['a'] / df['a'].max()\ntrain = df.sample(frac=0.8)\ntest = df.drop(train.index)\n"
            + FIT.replace("X_train, y_train", "train[['a']], train['y']")
            + "model.score(test[['a']], test['y'])\n",
            id="a sample and the rows that are left",
        ),
        pytest.param(
            "old = df[df['b'] < 2000]\nnew = df[df['b'] >= 2000]\nmean = df['a'].mean()\n"
            "model = LogisticRegression()\nmodel.fit(old[['a']].fillna(mean), old['y'])\n"
            "model.score(new[['a']].fillna(mean), new['y'])\n",
            id="a split by a condition",
        ),
        pytest.param(
            "test = pd.read_csv('test.csv')\nboth = pd.concat([df, test])\n"
            "both['a'] = both['a'].fillna(both['a'].mean())\n"
            "train = both[:len(df)]\ntest = both[len(df):]\n"
            "model = LogisticRegression()\nmodel.fit(train[['a', 'b']], train['y'])\nmodel.predict(test[['a', 'b']])\n",
            id="the rows of two files together",
        ),
        pytest.param(
            "df['a'].fillna(df['a'].mean(), inplace=True)\n" + XY + SPLIT + FIT + SCORE,
            id="a fill in place, which pandas 2 writes",
        ),
        pytest.param(
            XY + SPLIT + "X_train = StandardScaler().fit_transform(X_train)\n"
            "X_test = StandardScaler().fit_transform(X_test)\n" + FIT + SCORE,
            id="test rows scaled by themselves",
        ),
        pytest.param("df['a'] = df['a'].interpolate()\n" + XY + SPLIT + FIT + SCORE, id="values of rows around"),
        pytest.param(
            XY + "X = make_pipeline(StandardScaler(), PCA(2)).fit_transform(X)\n" + SPLIT + FIT + SCORE, id="a pipeline"
        ),
        pytest.param(
            XY
            + "words = Tokenizer(num_words=99)\nwords.fit_on_texts(df['a'])\nX = words.texts_to_sequences(df['a'])\n"
            + SPLIT
            + NETWORK
            + "net.evaluate(X_test, y_test)\n",
            id="the most frequent words of all texts",
        ),
        pytest.param(
            "frame = download('rows')\nvalues = frame.filter(['close']).values\n"
            "scaled = StandardScaler().fit_transform(values)\n"
            "train, test = scaled[:800, :], scaled[740:, :]\nX_train, y_train, X_test = [], [], []\n"
            "for n in range(60, len(train)):\n    X_train.append(train[n - 60 : n, 0])\n"
            "    y_train.append(train[n, 0])\n"
            "X_train, y_train = np.array(X_train), np.array(y_train)\n"
            + NETWORK
            + "for n in range(60, len(test)):\n    X_test.append(test[n - 60 : n, 0])\nnet.predict(np.array(X_test))\n",
            id="windows of a series that a library downloads",
        ),
        pytest.param(
            XY
            + "for step in [OneHotEncoder(), StandardScaler()]:\n    X = step.fit_transform(X)\n"
            + SPLIT
            + FIT
            + SCORE,
            id="one of several transformers that one call fits",
        ),
        pytest.param(
            OWN + "        self.mean = X.mean()\n" + TRANSFORM + SPLIT + FIT + SCORE,
            id="a transformer of one's own that keeps a mean",
        ),
        pytest.param(
            XY + SCALED + "X, y = SMOTE().fit_resample(X, y)\n" + SPLIT + FIT + SCORE,
            id="rows scaled before some of them are copied, which is another leakage beside",
        ),
        pytest.param(
            "from mine import load\nX, y = load()\n" + SCALED + SPLIT + FIT + SCORE,
            id="rows of which nobody knows where they come from",
        ),
        pytest.param(
            "import statsmodels.api as sm\nlabels = df['y']\ndf['a'] = df['a'].fillna(df['a'].mean())\n"
            "X_train, X_test, y_train, y_test = train_test_split(sm.add_constant(df[['a']]), labels, random_state=0)\n"
            "model = sm.OLS(y_train, X_train).fit()\nprint(((model.predict(X_test) - y_test) ** 2).mean())\n",
            id="a regression of statsmodels",
        ),
        pytest.param(
            "strength = df.corr()['y'].abs().sort_values()\ndf = df[strength[-2:].index]\n"
            "X, y = df.drop('y', axis=1), df['y']\n" + SPLIT + FIT + SCORE,
            id="columns chosen by their correlation with the labels",
        ),
        pytest.param(
            "from sklearn.feature_selection import SelectKBest\n" + XY + "best = SelectKBest(k=1).fit(X, y)\n"
            "X = X[X.columns[best.get_support()]]\n" + SPLIT + FIT + SCORE,
            id="columns chosen by a selection of features",
        ),
        pytest.param(
            XY + "forest = RandomForestClassifier().fit(X, y)\n"
            "X = X[pd.Series(forest.feature_importances_, X.columns).nlargest(1).index]\n" + SPLIT + FIT + SCORE,
            id="columns chosen by the importances of a model",
        ),
        pytest.param(
            "other = pd.read_csv('other.csv')\nfor name in [c for c in other.columns if other[c].isna().any()]:\n"
            "    other[name].fillna(other[name].median(), inplace=True)\nX, y = other[['c', 'd']], other['e']\n"
            + SPLIT
            + FIT
            + SCORE,
            id="fills in place of columns whose names nobody knows",
        ),
        pytest.param(
            "from other_library import Scaler\n" + XY + "X = Scaler().fit_transform(X)\n" + SPLIT + FIT + SCORE,
            id="a transformer of a library that nobody knows",
        ),
        pytest.param(
            "X, y = df[['a', 'b']].as_matrix(), df['y'].as_matrix()\nX = (X - X.mean(axis=0)) / X.std(axis=0)\n"
            + SPLIT
            + FIT
            + SCORE,
            id="an array of an old pandas, scaled by its columns",
        ),
        pytest.param(
            "X, y = np.array(df[['a', 'b']]), df['y']\nX = X - X.mean(axis=0)\n" + SPLIT + FIT + SCORE,
            id="a copy of a frame as an array, centred by its columns",
        ),
        pytest.param(
            "test = pd.read_csv('test.csv')\nboth = pd.concat([df, test])\n"
            "both['a'] = both['a'].fillna(both['a'].median())\nhere = both[0:891]\n"
            "X, y = here[['a', 'b']], here['y']\n" + SPLIT + FIT + SCORE,
            id="the first rows of two tables, counted from zero",
        ),
        pytest.param(
            "other = df[['a', 'b']].rename(columns={'b': 'c'})\nother['c'] = other['c'] - other['c'].mean()\n"
            "df = df.merge(other, on='a')\nX, y = df[['a', 'c']], df['y']\n" + SPLIT + FIT + SCORE,
            id="centred columns of the same rows are merged by a key",
        ),
        pytest.param(
            OUT_OF_FOLD.format("LogisticRegression().fit(X, y)").replace("    model.fit", "    0, "),
            id="features that a model of all rows made",
        ),
    ],
)
def test_preprocessing_leakage(code: str) -> None:
    assert "preprocessing-leakage" in rules_of(code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "test = pd.read_csv('test.csv')\nmean = df['a'].mean()\nmodel = LogisticRegression()\n"
            "model.fit(df[['a', 'b']].fillna(mean), df['y'])\nmodel.predict(test[['a', 'b']].fillna(mean))\n",
            id="two files, learned from the first",
        ),
        pytest.param(
            XY + SPLIT + "s = StandardScaler()\nX_train = s.fit_transform(X_train)\nX_test = s.transform(X_test)\n"
            "cross_val_score(LogisticRegression(), X_train, y_train)\n" + FIT + SCORE,
            id="learned from the training rows, and cross-validated beside the test",
        ),
        pytest.param(
            "train = df[:800]\nX_train = StandardScaler().fit_transform(train[['a', 'b']])\n"
            "cross_val_score(LogisticRegression(), X_train, train['y'])\n",
            id="a cross-validation of the first rows, where the last are left for a test",
        ),
        pytest.param(
            XY + "model = make_pipeline(StandardScaler(), LogisticRegression())\ncross_val_score(model, X, y)\n",
            id="a cross-validation of a pipeline that scales",
        ),
        pytest.param("df = pd.get_dummies(df, columns=['b'])\n" + XY + SPLIT + FIT + SCORE, id="dummies"),
        pytest.param(
            XY + "X = ColumnTransformer([('c', OneHotEncoder(), ['b'])]).fit_transform(X)\n" + SPLIT + FIT + SCORE,
            id="encoders alone in a column transformer",
        ),
        pytest.param("df['a'] = pd.cut(df['a'], [0, 1, 9])\n" + XY + SPLIT + FIT + SCORE, id="bins with given edges"),
        pytest.param(
            XY + SPLIT + "StandardScaler().fit_transform(df)\n" + FIT + SCORE, id="scaled rows that nothing uses"
        ),
        pytest.param(XY + SCALED + "model = LogisticRegression()\nmodel.fit(X, y)\n", id="no rows are set apart"),
        pytest.param(
            XY + SPLIT + NETWORK + "X_test['b'] = np.argmax(net.predict(X_test), axis=-1)\nnet.predict(X_test)\n",
            id="the likeliest class of each test row becomes a feature",
        ),
        pytest.param(
            "test = pd.read_csv('test.csv')\nmodel = LogisticRegression()\nmodel.fit(df[['a']].fillna(0), df['y'])\n"
            "model.predict(test[['a']].fillna(test['a'].mean()))\n",
            id="rows of another file, filled by themselves and not scored",
        ),
        pytest.param(OWN + TRANSFORM + SPLIT + FIT + SCORE, id="a transformer of one's own that keeps nothing"),
        pytest.param(
            XY + "X = X.apply(LabelEncoder().fit_transform)\n" + SPLIT + FIT + SCORE, id="codes of each column"
        ),
        pytest.param(
            "def load(name):\n    return pd.read_csv(name)\ntrain, test = load('train.csv'), load('test.csv')\n"
            "mean = train['a'].mean()\nmodel = LogisticRegression()\nmodel.fit(train[['a']].fillna(mean), train['y'])\n"
            "accuracy_score(test['y'], model.predict(test[['a']].fillna(mean)))\n",
            id="two files that one function reads",
        ),
        pytest.param(
            XY + "X, y = SMOTE().fit_resample(X, y)\n" + SCALED + "cross_val_score(LogisticRegression(), X, y)\n",
            id="folds with copies of their rows, which is another leakage",
        ),
        pytest.param(
            XY + SPLIT + "X_train = StandardScaler().fit_transform(X_train)\nbase = LogisticRegression()\nout = []\n"
            "for train, test in KFold(5).split(X_train):\n    base.fit(X_train[train], y_train.iloc[train])\n"
            "    out.append(base.predict(X_train[test]))\nfeatures = np.concatenate(out)\n"
            "meta = LogisticRegression()\nmeta.fit(features, y_train)\n"
            "accuracy_score(y_test, meta.predict(base.predict(X_test)))\n",
            id="predictions for folds that another model learns from",
        ),
        pytest.param(
            "import statsmodels.api as sm\n" + XY + SPLIT + "model = sm.OLS(y_train, sm.add_constant(X_train)).fit()\n"
            "accuracy_score(y_test, model.predict(sm.add_constant(X_test)) > 0.5)\n",
            id="a column of ones is put beside the test rows",
        ),
        pytest.param(
            "names = df.columns[df.isna().mean() < 0.5]\nX, y = df[names].drop(columns='y'), df['y']\n"
            + SPLIT
            + FIT
            + SCORE,
            id="columns chosen by their gaps",
        ),
        pytest.param(
            XY + SPLIT + "names = X_train.corrwith(y_train).nlargest(1).index\n"
            "X_train, X_test = X_train[names], X_test[names]\n" + FIT + SCORE,
            id="columns chosen by the training rows",
        ),
        pytest.param(
            "test = pd.read_csv('test.csv')\ntest['a'] = test['a'].fillna(test['a'].median())\n"
            "codes = LabelEncoder().fit(list(df['a']) + list(test['a']))\nX, y = codes.transform(df['a']), df['y']\n"
            "model = LogisticRegression()\nmodel.fit(X, y)\nmodel.predict(codes.transform(test['a']))\n",
            id="codes of the values in two files, one of which was filled",
        ),
        pytest.param(
            "from other_library import Scaler\n" + XY + SPLIT + "scaler = Scaler()\n"
            "X_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)\n" + FIT + SCORE,
            id="a transformer of a library that nobody knows, after the split",
        ),
        pytest.param(
            "X, y = df[['a', 'b']].as_matrix(), df['y']\nX = X - X.mean(axis=1).reshape(-1, 1)\n" + SPLIT + FIT + SCORE,
            id="an array of an old pandas, centred by its rows",
        ),
        pytest.param(
            "X, y = np.array(df[['a', 'b']]), df['y']\nX = X.mean(axis=1).reshape(-1, 1)\n" + SPLIT + FIT + SCORE,
            id="a mean of each row of an array",
        ),
        pytest.param(OUT_OF_FOLD.format("RandomForestClassifier()"), id="features that models of the other folds made"),
        pytest.param(
            "from scipy.ndimage import uniform_filter\nX, y = [], df['y']\nfor i, row in df.iterrows():\n"
            "    image = uniform_filter(np.array(row['a']).reshape(75, 75), 4)\n"
            "    X.append((image - image.mean()) / image.max())\nX = np.array(X)\n" + SPLIT + FIT + SCORE,
            id="each image is filtered and scaled by itself",
        ),
        pytest.param(
            "codes = pd.get_dummies(df['a'])\ncodes['key'] = df['b']\n"
            "df = df.merge(codes, left_on='b', right_on='key')\n"
            "X, y = df.drop(columns='y'), df['y']\n" + SPLIT + FIT + SCORE,
            id="columns of the same rows are merged by a key",
        ),
        pytest.param(
            "df['a'] = pd.Categorical(df['a']).codes + 1\n" + XY + SPLIT + FIT + SCORE, id="codes of a categorical"
        ),
        pytest.param(
            XY + SPLIT + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\n"
            "X_test = scaler.transform(X_test)\nmore, labels = SMOTE(random_state=1).fit_resample(X_train, y_train)\n"
            "X_train, y_train = SMOTE().fit_resample(X_train, y_train)\n"
            + FIT
            + SCORE
            + "accuracy_score(labels, model.predict(more))\n",
            id="asked for training rows that are made more of once more",
        ),
    ],
)
def test_no_preprocessing_leakage(code: str) -> None:
    assert "preprocessing-leakage" not in rules_of(code)


@pytest.mark.parametrize(
    "code, cause",
    [
        pytest.param(XY + "X, y = SMOTE().fit_resample(X, y)\n" + SPLIT + FIT + SCORE, 3, id="made before the split"),
        pytest.param(
            XY + SPLIT + "X_train, y_train = SMOTE().fit_resample(X, y)\n" + FIT + SCORE, 4, id="made of all rows"
        ),
        pytest.param(
            "few = resample(df[df['y'] == 1], n_samples=500)\ndf = pd.concat([df[df['y'] == 0], few])\n"
            + XY
            + SPLIT
            + FIT
            + SCORE,
            1,
            id="drawn again before the split",
        ),
        pytest.param(
            "out = pd.DataFrame()\nfor key, part in df.groupby('b'):\n    more = part.sample(99, replace=True)\n"
            "    out = pd.concat([out, part, more])\ndf = out\n" + XY + SPLIT + FIT + SCORE,
            3,
            id="drawn again in each group",
        ),
        pytest.param(
            "df = df.sample(1000, replace=True)\n" + XY + SPLIT + FIT + SCORE, 1, id="a sample with replacement"
        ),
        pytest.param(
            XY + "model = LogisticRegression()\nmodel.fit(X, y)\naccuracy_score(y, model.predict(X))\n",
            5,
            id="tested on the training rows alone",
        ),
        pytest.param(
            XY + "model = LogisticRegression()\nmodel.fit(X, y)\nprint(model.predict(X))\nmodel.score(X, y)\n",
            6,
            id="shown and then tested on the training rows alone",
        ),
        pytest.param(
            XY + SPLIT + "model = LogisticRegression()\nmodel.fit(X, y)\n" + SCORE, 6, id="trained on all rows"
        ),
        pytest.param(
            "from sklearn.mixture import GaussianMixture\n" + XY + "model = GaussianMixture(3)\nmodel.fit(X)\n"
            "model.score(X)\n",
            6,
            id="the likelihood of the rows that a mixture learned from",
        ),
        pytest.param(
            "few = pd.concat([df[df['y'] == 0].sample(100), df[df['y'] == 1]])\n"
            "A, B, a, b = train_test_split(few[['a', 'b']], few['y'])\n"
            + XY
            + SPLIT
            + "model = LogisticRegression()\nmodel.fit(A, a)\n"
            + SCORE,
            8,
            id="rows drawn for training are among those of another split",
        ),
        pytest.param(
            XY + SPLIT + FIT + "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5)\n" + SCORE,
            7,
            id="split again after the training",
        ),
        pytest.param(XY + DRAWN + FIT + DRAWN + SCORE, 7, id="drawn again after the training"),
    ],
)
def test_overlap_leakage(code: str, cause: int) -> None:
    found = [finding for finding in findings_of(code) if finding.rule == "overlap-leakage"]

    assert [related.line for finding in found for related in finding.related] == [cause]
    assert "model.fit" in (HEAD + code).split("# %%\n")[2].splitlines()[found[0].line - 1]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "import glob\nparts = []\nfor name in glob.glob('*.csv'):\n    parts.append(pd.read_csv('data.csv'))\n"
            "df = pd.concat(parts)\n",
            id="the same file in each round",
        ),
        pytest.param(
            "out = df\nfor k in df['b'].unique():\n    out = pd.concat([out, df[df['b'] == 1]])\ndf = out\n",
            id="the same rows in each round",
        ),
        pytest.param(
            "out = df\nfor k in df['b'].unique():\n    out = pd.concat([out, df[df['b'] == k]])\ndf = out\n",
            id="rows of each round below the whole table",
        ),
    ],
)
def test_tables_that_a_loop_puts_below_themselves_overlap(code: str) -> None:
    assert "overlap-leakage" in rules_of(code + XY + SPLIT + FIT + SCORE)


@pytest.mark.parametrize("drawn, expected", [("resample(sub, n_samples=50)", True), ("sub.sample(9)", False)])
def test_copies_that_a_loop_draws_of_each_class_overlap(drawn: str, expected: bool) -> None:
    code = (
        "parts = []\nfor c in df['y'].unique():\n    sub = df[df['y'] == c]\n"
        f"    parts.append({drawn})\ndf = pd.concat(parts)\n"
    )

    assert ("overlap-leakage" in rules_of(code + XY + SPLIT + FIT + SCORE)) is expected


def test_a_regression_overlaps_by_the_rows_that_it_is_given() -> None:
    code = (
        "import statsmodels.formula.api as smf\n" + XY + SPLIT + "model = smf.logit('y ~ a', data=df)\n"
        "fitted = model.fit()\naccuracy_score(y_test, fitted.predict(X_test) > 0.5)\n"
    )
    found = [finding for finding in findings_of(code) if finding.rule == "overlap-leakage"]

    assert [(finding.line, [related.line for related in finding.related]) for finding in found] == [(5, [7])]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("X, y = np.vstack([X, X]), np.hstack([y, y])\n", id="an array below itself"),
        pytest.param("X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)\n", id="each row twice"),
        pytest.param("X, y = np.concatenate([X, X * 1.1]), np.concatenate([y, y])\n", id="rows made from others below"),
    ],
)
def test_arrays_with_copies_of_their_rows_overlap(code: str) -> None:
    assert "overlap-leakage" in rules_of(XY + code + SPLIT + FIT + SCORE)


def test_rows_that_are_only_predicted_have_a_message_of_their_own() -> None:
    code = (
        "test = pd.read_csv('test.csv')\nboth = pd.concat([df, test])\nboth = both.fillna(both.mean())\n"
        "model = LogisticRegression()\nmodel.fit(both[:len(df)][['a', 'b']], df['y'])\n"
        "model.predict(both[len(df):][['a', 'b']])\n"
    )
    found = [finding for finding in findings_of(code) if finding.rule == "preprocessing-leakage"]

    assert [(finding.line, [related.line for related in finding.related]) for finding in found] == [(5, [3])]
    assert "predicted too" in found[0].message


def test_folds_with_copies_of_their_rows_overlap() -> None:
    code = XY + "X, y = SMOTE().fit_resample(X, y)\ncross_val_score(LogisticRegression(), X, y)\n"
    found = [finding for finding in findings_of(code) if finding.rule == "overlap-leakage"]

    assert [(finding.line, [related.line for related in finding.related]) for finding in found] == [(4, [3])]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            XY + SPLIT + "X_train, y_train = SMOTE().fit_resample(X_train, y_train)\n" + FIT + SCORE,
            id="made of the training rows",
        ),
        pytest.param(XY + "X, y = RandomUnderSampler().fit_resample(X, y)\n" + SPLIT + FIT + SCORE, id="rows left out"),
        pytest.param(
            "few = resample(df[df['y'] == 1], replace=False, n_samples=50)\ndf = pd.concat([df[df['y'] == 0], few])\n"
            + XY
            + SPLIT
            + FIT
            + SCORE,
            id="drawn without replacement",
        ),
        pytest.param(XY + SPLIT + FIT + "model.score(X_train, y_train)\n" + SCORE, id="a training score beside a test"),
        pytest.param(
            XY + "model = LogisticRegression()\nmodel.fit(X, y)\nprint(model.predict(X))\n", id="shown, and not scored"
        ),
        pytest.param(
            "X, y = np.array(df[['a', 'b']]), np.array(df['y'])\nfor train, test in KFold(5).split(X):\n"
            "    model = LogisticRegression()\n    model.fit(X[train], y[train])\n"
            "    model.score(X[test], y[test])\n",
            id="folds of an array",
        ),
        pytest.param(
            "from sklearn.cluster import KMeans\nmodel = KMeans(3)\nmodel.fit(df[['a', 'b']])\n"
            "model.predict(df[['a', 'b']])\nmodel.score(df[['a', 'b']])\n",
            id="clusters of the rows, and how tight they are",
        ),
        pytest.param(
            XY + SPLIT + FIT + "model.score(X_train, y_train)\n", id="a training score where rows were set apart"
        ),
        pytest.param(
            "import mine\nX_train, X_test, y_train, y_test = mine.split(df[['a', 'b']], df['y'])\n" + FIT + SCORE,
            id="parts that a function makes of which nobody knows which rows they hold",
        ),
        pytest.param(
            XY + SPLIT + "first = LogisticRegression()\nfirst.fit(X_train, y_train)\nA, B = X_test[:90], X_test[90:]\n"
            "base = np.empty((len(A), 1))\nbase[:, 0] = first.predict(A)\nmodel = LogisticRegression()\n"
            "model.fit(base, y_test[:90])\nfinal = np.empty((len(B), 1))\nfinal[:, 0] = first.predict(B)\n"
            "accuracy_score(y_test[90:], model.predict(final))\n",
            id="arrays of predictions for two parts",
        ),
        pytest.param(
            "import mine\ntrain, test = df[df['b'] < 9], df[df['b'] >= 9]\nwords = mine.vocabulary(train['a'])\n"
            "model = LogisticRegression()\nmodel.fit(mine.encode(words, train['a']), train['y'])\n"
            "accuracy_score(test['y'], model.predict(mine.encode(words, test['a'])))\n",
            id="a function that nobody knows is given something of the training rows",
        ),
        pytest.param(
            "import statsmodels.api as sm\n"
            + XY
            + SPLIT
            + "model = sm.Logit(y_train, sm.add_constant(X_train)).fit()\n"
            "accuracy_score(y_test, model.predict(sm.add_constant(X_test)) > 0.5)\n",
            id="a regression of statsmodels over the training rows",
        ),
        pytest.param(
            XY + "model = LogisticRegression()\nmodel.fit(X, y)\nmodel.score(X, y)\ncross_val_score(model, X, y)\n",
            id="a training score beside a cross-validation",
        ),
        pytest.param(
            "from sklearn.mixture import GaussianMixture\n" + XY + "model = GaussianMixture(3)\nmodel.fit(X)\n"
            "accuracy_score(y, model.predict(X))\n",
            id="clusters of a mixture beside classes",
        ),
        pytest.param(
            XY
            + SPLIT
            + FIT
            + "rest = df.loc[X_test.index]\naccuracy_score(rest['y'], model.predict(rest[['a', 'b']]))\n",
            id="the test rows by their labels in the whole table",
        ),
        pytest.param(
            "import numpy as np\nX = np.vstack([df['a'], df['b']]).T\ny = df['y']\n" + SPLIT + FIT + SCORE,
            id="columns below each other, turned",
        ),
        pytest.param("df = df.sample(frac=1)\n" + XY + SPLIT + FIT + SCORE, id="shuffled rows"),
        pytest.param(
            "import glob\nparts = []\nfor name in glob.glob('*.csv'):\n    parts.append(pd.read_csv(name))\n"
            "df = pd.concat(parts)\n" + XY + SPLIT + FIT + SCORE,
            id="files whose names a loop gives",
        ),
        pytest.param(
            "out = pd.DataFrame()\nfor k in df['b'].unique():\n    out = pd.concat([out, df[df['b'] == k].head(9)])\n"
            "df = out\n" + XY + SPLIT + FIT + SCORE,
            id="rows that a loop chooses by a value",
        ),
        pytest.param(
            XY
            + "one = X.values.reshape(-1, 9, 9, 1)\nX = np.concatenate([one, one, one], axis=3)\n"
            + SPLIT
            + FIT
            + SCORE,
            id="channels of an image beside each other",
        ),
        pytest.param(XY + SPLIT + FIT + SPLIT + SCORE, id="split again with the same seed"),
        pytest.param(XY + DRAWN + FIT + SCORE + DRAWN + FIT + SCORE, id="drawn again before each training"),
        pytest.param(
            XY
            + SPLIT
            + "views = []\n"
            + "".join(f"views.append(['{n}', X_train * {n}, X_test * {n}])\n" for n in range(60))
            + "for name, A, B in views:\n    for c in [1, 2, 3, 4, 5, 6, 7]:\n        model = LogisticRegression(C=c)\n"
            "        model.fit(A, y_train)\n        print(name, model.score(B, y_test))\n",
            id="many lists of training and test rows",
        ),
        pytest.param(
            "out = pd.DataFrame()\nfor key, part in df.groupby('b'):\n    near = part[part['a'] > 0]\n"
            "    out = pd.concat([out, near])\ndf = out\n" + XY + SPLIT + FIT + SCORE,
            id="collected group by group",
        ),
        pytest.param(
            "df = pd.concat([df, pd.read_csv('more.csv')])\n" + XY + SPLIT + FIT + SCORE, id="rows of another file"
        ),
    ],
)
def test_no_overlap_leakage(code: str) -> None:
    assert "overlap-leakage" not in rules_of(code)


def test_groups_beside_the_whole_table_are_copies() -> None:
    added = "out = df\nfor key, part in df.groupby('b'):\n    out = pd.concat([out, part])\ndf = out\n"
    assert "overlap-leakage" in rules_of(added + XY + SPLIT + FIT + SCORE)
