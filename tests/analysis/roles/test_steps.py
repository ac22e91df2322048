"""What cells do, by their calls: what each rule finds, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbprod.analysis.roles import STEPS, project_rules, steps_of, steps_of_cells
from nbprod.analysis.roles.rules import own_rules
from nbprod.errors import NbprodError
from nbprod.notebook import read_text

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.mark.parametrize(
    "code, steps",
    [
        pytest.param("import pandas as pd", ("imports",), id="an import"),
        pytest.param("from sklearn.svm import SVC", ("imports",), id="an import from"),
        pytest.param("df = pd.read_csv('a.csv')", ("data",), id="reading a table"),
        pytest.param("X, y = load_iris(return_X_y=True)", ("data",), id="loading a bundled data set"),
        pytest.param("with open('a') as f:\n    rows = json.load(f)", ("data",), id="loading JSON"),
        pytest.param("df = spark.read.format('x').load('y')", ("data",), id="reading with Spark"),
        pytest.param("df = df.dropna()", ("preprocessing",), id="dropping rows into a name"),
        pytest.param("df.dropna(inplace=True)", ("preprocessing",), id="dropping rows in place"),
        pytest.param("df['a'] = df['a'].fillna(0)", ("preprocessing",), id="filling a column"),
        pytest.param("a, b = train_test_split(df)", ("preprocessing",), id="splitting"),
        pytest.param("df = df[df.a > 0]", ("preprocessing",), id="a row filter"),
        pytest.param("del df['a']", ("preprocessing",), id="deleting a column"),
        pytest.param("df.columns = names", ("preprocessing",), id="renaming columns"),
        pytest.param("imp = SimpleImputer()\nX = imp.fit_transform(X)", ("preprocessing",), id="an imputer"),
        pytest.param("X, y = SMOTE().fit_resample(X, y)", ("preprocessing",), id="resampling"),
        pytest.param("df['c'] = df['a'] / df['b']", ("features",), id="a computed column"),
        pytest.param("df['c'] = np.log1p(df['a'])", ("features",), id="a column by a function"),
        pytest.param("df['c'] = df['a'].notnull().astype(int)", ("preprocessing", "features"), id="a column by a test"),
        pytest.param("df['c'] = df['c'].fillna(0).astype(int)", ("preprocessing",), id="a column cleaned in two steps"),
        pytest.param("pd.Series(m.coef_[0]).sort_values()", ("evaluate",), id="a look at coefficients"),
        pytest.param("df = pd.get_dummies(df)", ("features",), id="dummies"),
        pytest.param("df['c'] = df['a'].map({'x': 1})", ("features",), id="a mapped column"),
        pytest.param("s = StandardScaler()\nX = s.fit_transform(X)", ("features",), id="a scaler"),
        pytest.param("df.loc[df.a > 9, 'a'] = 9", ("features",), id="values set by a condition"),
        pytest.param("df = df.drop(columns=['a'])", ("preprocessing", "features"), id="columns left out"),
        pytest.param("m = SVC()\nm.fit(X, y)", ("train",), id="fitting a predictor"),
        pytest.param("m.fit(X, y)", ("train",), id="fitting what is not known, with a target"),
        pytest.param("m = KMeans(3)\nm.fit(X)", ("train",), id="fitting a clusterer"),
        pytest.param("r = sm.OLS(y, X).fit()", ("train",), id="fitting in a chain"),
        pytest.param("p = make_pipeline(StandardScaler(), SVC())\np.fit(X, y)", ("features", "train"), id="a pipeline"),
        pytest.param("b = xgb.train(params, d)", ("train",), id="training a booster"),
        pytest.param("m.fit(ds, epochs=3)", ("train",), id="fitting a network"),
        pytest.param("accuracy_score(y, p)", ("evaluate",), id="a metric"),
        pytest.param("print(metrics.f1_score(y, p))", ("evaluate",), id="a metric in a print"),
        pytest.param("m.score(X, y)", ("evaluate",), id="a model's score"),
        pytest.param("cross_val_score(m, X, y).mean()", ("evaluate",), id="cross-validation"),
        pytest.param("p = m.predict(X)", ("predict",), id="a prediction"),
        pytest.param("p = m.predict_proba(X)[:, 1]", ("predict",), id="a column of predictions"),
        pytest.param("df.head()", ("explore",), id="a look at the data"),
        pytest.param("df", ("explore",), id="a shown value"),
        pytest.param("print(df.shape)", ("explore",), id="a printed shape"),
        pytest.param("sns.countplot(x='a', data=df)", ("explore",), id="a plot"),
        pytest.param("df['a'].hist(bins=10)", ("explore",), id="a frame's own plot"),
        pytest.param("df.isnull().sum()", ("explore",), id="a shown statistic"),
        pytest.param("df.to_csv('a.csv')", ("save",), id="writing a table"),
        pytest.param("a = accuracy_score(y, p)\na", ("evaluate",), id="a shown score"),
        pytest.param("s = cross_val_score(m, X, y)\nprint(s.mean())", ("evaluate",), id="a printed mean of scores"),
        pytest.param("grid.best_params_", ("evaluate",), id="shown parameters that a search found"),
        pytest.param(
            "r = pd.DataFrame(grid.cv_results_)\nr['n'] = r['params'].apply(str)\nr.head()",
            ("evaluate",),
            id="a table of scores",
        ),
        pytest.param("cross_val_score(SVC(), X, y)", ("evaluate",), id="cross-validation of a model that is not kept"),
        pytest.param(
            "s = RFE(SVC(), n_features_to_select=3)\nX = s.fit_transform(X, y)",
            ("features",),
            id="columns that a model chooses",
        ),
        pytest.param("y = to_categorical(y)", ("features",), id="labels as indicators"),
        pytest.param("r = {}\nr['a'] = x + 1\nr['b'] = f(x)", (), id="items of a dict"),
        pytest.param("r = [0] * 9\nfor i in range(9):\n    r[i] = i * 5", (), id="items of a list"),
        pytest.param(
            "r = {}\nr = pd.concat(t)\nr['a'] = r['b'] * 2",
            ("preprocessing", "features"),
            id="a column of a table that had the name of a dict",
        ),
        pytest.param("joblib.dump(m, 'm')", ("save",), id="saving a model"),
        pytest.param("with open(p) as f:\n    t = f.read()", ("data",), id="reading a file"),
        pytest.param("with open(p, 'w') as f:\n    f.write(t)", ("save",), id="writing a file"),
        pytest.param("plt.plot(x)\nplt.savefig('a.png')", ("explore", "save"), id="saving a plot"),
        pytest.param("d = DataLoader(rows, batch_size=8)", ("preprocessing",), id="feeding a network"),
        pytest.param("f = StratifiedKFold(5)", ("preprocessing",), id="folds"),
        pytest.param("cross_val_score(m, X, y, cv=KFold(5))", ("evaluate",), id="folds of a measurement"),
        pytest.param("class N(nn.Module):\n    pass", ("train",), id="the class of a network"),
        pytest.param("o = optim.SGD(n.parameters())\nc = nn.CrossEntropyLoss()", ("train",), id="an optimizer, a loss"),
        pytest.param("net.to(gpu)\nnet.eval()\nout = net(X)", ("predict",), id="a network in use"),
        pytest.param("right += pred.eq(y).sum().item()", ("evaluate",), id="right answers of a network, counted"),
        pytest.param("w = Word2Vec(size=9)\nw.train(texts)", ("features",), id="embeddings"),
        pytest.param("t = Trainer(net, rows)\nt.train()", ("train",), id="a trainer"),
        pytest.param("df['t'] = df['name'].str.split(',').str[1]", ("features",), id="a part of a text"),
        pytest.param(
            "a, b, c, d = train_test_split(df.drop('y', axis=1), df['y'])",
            ("preprocessing",),
            id="a target taken off in the split",
        ),
        pytest.param(
            "a = df.c.values.reshape(-1, 1)\ndf['s'] = StandardScaler().fit_transform(a)",
            ("features",),
            id="the form that a scaler takes",
        ),
        pytest.param("a = h.history['acc']\nplt.plot(a)", ("evaluate", "explore"), id="how a network was trained"),
        pytest.param("plot_partial(m, X)", ("explore",), id="a plot of a library"),
        pytest.param("s = cross_val_score(m, X, y.ravel())", ("evaluate",), id="the form of what is given"),
        pytest.param(
            "r = Ridge()\np = make_pipeline(PCA(2), r)\np.fit(X)", ("features", "train"), id="a pipeline of a variable"
        ),
        pytest.param("m = SVC().fit(df.drop('y', axis=1), df['y'])", ("train",), id="a target taken off in the fit"),
        pytest.param("(ggplot(df)\n + geom_point(aes('a', 'b')))", ("explore",), id="a plot by a grammar"),
        pytest.param("stats.ttest_ind(a, b)", ("explore",), id="a test that is shown"),
        pytest.param("rows = cursor.execute(q).fetchall()", ("data",), id="rows of a database"),
        pytest.param(
            "x = tf.placeholder('float')\nh = tf.nn.conv2d(x, w)", ("train",), id="a network by its operations"
        ),
        pytest.param("s = optuna.create_study()\ns.optimize(f, n_trials=9)", ("train",), id="a search for settings"),
        pytest.param("stop = EarlyStopping(patience=3)", ("train",), id="a callback"),
        pytest.param("c = clusterer.fit_predict(X)", ("train",), id="clusters of what is not known"),
        pytest.param("from a import GaussianMixture as G\nG(3).fit(X)", ("imports", "train"), id="a class renamed"),
        pytest.param("r = smf.ols('y ~ x', d).fit()\nr.summary()", ("train", "evaluate"), id="the summary of a fit"),
        pytest.param("df['h'] = df['at'].dt.hour", ("features",), id="a column of a part of a date"),
        pytest.param("h = df['at'].dt.hour", ("features",), id="a part of a date"),
        pytest.param("df['c'] = values", ("features",), id="a column of values made elsewhere"),
        pytest.param("X = np.hstack([a, b])", ("preprocessing", "features"), id="columns side by side"),
        pytest.param("X = df.drop('y', axis=1)\ny = df['y']", ("preprocessing",), id="the target taken off"),
        pytest.param("X = df[['a', 'b']]\nm.fit(X, y)", ("features", "train"), id="columns chosen for a model"),
        pytest.param(
            "a = df.groupby('k').mean()\na.plot()", ("explore",), id="rows that are only aggregated to be seen"
        ),
        pytest.param(
            "a = df.groupby('k').mean()\na['r'] = a.x / a.y\nb = a.sort_values('r')\nplt.bar(b.index, b.r)",
            ("explore",),
            id="a view in several steps",
        ),
        pytest.param(
            "def show(df):\n    a = df[df.x > 0]\n    plt.hist(a.x)", ("explore",), id="a view within a function"
        ),
        pytest.param(
            "def top(df):\n    a = df[df.x > 0]\n    plt.hist(a.x)\n    return a",
            ("preprocessing", "explore"),
            id="what a function shows and gives back",
        ),
        pytest.param(
            "df = df.dropna()\ndf.plot()", ("preprocessing", "explore"), id="rows of another cell, and a look"
        ),
        pytest.param(
            "X = df.dropna()\nprint(X.shape)\nm.fit(X, y)",
            ("preprocessing", "train", "explore"),
            id="rows that are seen and learned from",
        ),
        pytest.param("Z = T[cols].values.reshape(-1, 1)\nm.predict(Z)", ("predict",), id="the form that a model takes"),
        pytest.param("s = f1_score(y, p)\nplt.bar(['a'], [s])", ("evaluate", "explore"), id="a plot of a score"),
        pytest.param("s = []\ns.append(r2_score(y, p))\nprint('r2', s)", ("evaluate",), id="a list of scores, printed"),
        pytest.param("n = df.x.sum()\ngc.collect()", (), id="what is no look at data"),
        pytest.param(
            "import pandas as pd\ndf = pd.read_csv('a')\ndf['c'] = df.a + 1\ndf.head()",
            ("imports", "data", "features", "explore"),
            id="several at once, in the order of the list",
        ),
        pytest.param(
            "def clean(df):\n    return df.dropna()", ("preprocessing",), id="a function is what its body does"
        ),
        pytest.param("df['a'] = df['a'].str.replace('x', 'y')", ("preprocessing",), id="texts that are cleaned"),
        pytest.param("df['a'] = df['a'].str.rstrip()", ("preprocessing",), id="blanks cut off at one end"),
        pytest.param("df['a'] = df['a'].replace({'x': 1})", ("preprocessing", "features"), id="values recoded"),
        pytest.param("df['a'] = pd.Categorical(df['a'])", ("preprocessing",), id="a column made categorical"),
        pytest.param("df['t'] = pd.to_datetime(df['t'])", ("preprocessing",), id="a column converted"),
        pytest.param(
            "df['t'] = pd.to_datetime(df.d + ' ' + df.h)",
            ("preprocessing", "features"),
            id="a column converted from two others put together",
        ),
        pytest.param("X = df.groupby('k').progress_apply(f)", ("preprocessing", "features"), id="an apply with a bar"),
        pytest.param(
            "def count(n, words):\n    for w in words:\n        n[w] = words[w] + 1\nn = {}\ncount(n, words)",
            (),
            id="items of a dict that a function is given",
        ),
        pytest.param(
            "def add(n, c):\n    n[c] = n['x'] + 1\nadd(df, 'b')",
            ("features",),
            id="a column of a table that a function is given",
        ),
    ],
)
def test_steps(code: str, steps: tuple[str, ...]) -> None:
    assert steps_of(code) == steps


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("", id="nothing"),
        pytest.param("# df = pd.read_csv('a.csv')", id="a comment"),
        pytest.param("text = 'model.fit(X, y)'", id="a string"),
        pytest.param("SEED = 1\nTEST_SIZE = 0.2", id="constants"),
        pytest.param("print('training the model')", id="a printed heading"),
        pytest.param("features = 3\ntrain = None", id="names of roles"),
        pytest.param("np.random.seed(0)", id="a seed"),
        pytest.param("seconds = 3\nprint('took', seconds)", id="a number that is none of the data's"),
        pytest.param("p = os.path.join(folder, 'a')\nt = ', '.join(words)", id="paths and texts put together"),
        pytest.param("plt.rcParams['figure.figsize'] = [9, 9]", id="a setting"),
        pytest.param("n = np.sum(labels == 0)\nm = (t['a'] == 'x').sum()", id="rows of one kind, counted"),
        pytest.param("v = tensor.eval()", id="the value of a tensor"),
        pytest.param("minutes = (time.time() - start) / 60", id="a time that was taken"),
        pytest.param("g = grid.map(sns.kdeplot, 'a')", id="a grid of plots that is kept"),
        pytest.param("sklearn.__version__", id="a version"),
        pytest.param("os.environ['A'] = B['a']", id="the environment"),
        pytest.param("if = 3", id="a syntax error alone"),
    ],
)
def test_does_nothing(code: str) -> None:
    assert steps_of(code) == ()


def cells(*sources: str) -> tuple[tuple[str, ...], ...]:
    document = {"cells": [{"cell_type": "code", "source": source, "metadata": {}} for source in sources], "nbformat": 4}
    return steps_of_cells(read_text(json.dumps(document), "a.ipynb").cells)


def test_objects_of_earlier_cells_are_known() -> None:
    assert cells("t = PCA(2)\nm = SVC()", "t.fit(X)", "m.fit(X)")[1:] == (("features",), ("train",))


def test_objects_of_unknown_class_are_known_by_their_use() -> None:
    assert cells("a.fit(X)\nX = a.transform(X)", "b.fit(X)", "b.predict(X)") == (
        ("features",),
        ("train",),
        ("predict",),
    )


def test_a_call_does_what_the_notebooks_own_function_does() -> None:
    found = cells("def show(x):\n    plt.plot(x)\ndef all_(x):\n    show(x)", "show(a)", "all_(a)", "other(a)")
    assert found[1:] == (("explore",), ("explore",), ())


@pytest.mark.parametrize(
    "call, steps",
    [
        pytest.param("t = TfidfVectorizer(tokenizer=words)", ("features",), id="a vectorizer's tokenizer"),
        pytest.param("t = FunctionTransformer(words)", ("features",), id="a transformer's function"),
        pytest.param("t = TfidfVectorizer(tokenizer=other)", (), id="another function"),
        pytest.param("t = make(words)", (), id="a call that makes no transformer"),
        pytest.param("t = TfidfVectorizer(words=3)", (), id="a keyword of that name"),
        pytest.param("t = TfidfVectorizer(analyzer='words')", (), id="a text of that name"),
    ],
)
def test_a_function_that_a_transformer_is_given_makes_features(call: str, steps: tuple[str, ...]) -> None:
    assert cells("def words(text):\n    return [stem(word) for word in text]", call)[0] == steps


def test_work_on_predictions_is_no_preparation_of_data() -> None:
    assert cells("p = m.predict(X)", "p = p.astype(int)", "s['a'] = p.round()")[1:] == ((), ())


@pytest.mark.parametrize(
    "sources, steps",
    [
        pytest.param(
            ("df = pd.read_csv('a')", "a = df.groupby('k').mean()\na.plot()", "m.fit(a, y)"),
            ("preprocessing", "explore"),
            id="a view that a later cell learns from is prepared",
        ),
        pytest.param(
            ("df = pd.read_csv('a')", "a = df.groupby('k').mean()\na.plot()", "a = 3", "print(a)"),
            ("explore",),
            id="a name that a later cell binds anew is still a view",
        ),
        pytest.param(
            ("df = pd.read_csv('a')", "hours = convert(df.t)", "use(hours)"),
            ("preprocessing",),
            id="data that an unknown function works on for a later cell",
        ),
        pytest.param(("df = pd.read_csv('a')", "n = len(df)", "use(n)"), (), id="a number of rows is no data"),
        pytest.param(
            ("df = pd.read_csv('a')", "def fix(x):\n    return x + 1", "df['a'] = fix(df.a)"),
            ("preprocessing",),
            id="a function by which data is worked on",
        ),
        pytest.param(
            ("s = accuracy_score(y, p)", "print('accuracy:', s)"), ("evaluate",), id="a score of another cell, printed"
        ),
        pytest.param(
            ("df = pd.read_csv('a')\nn = df.shape[0]", "print(f'{n} rows')"),
            ("explore",),
            id="a printed number of rows",
        ),
        pytest.param(
            ("p = m.predict(X)", "out = pd.DataFrame({'p': p})\nout['id'] = ids\nout.to_csv('a')"),
            ("save",),
            id="answers that are put in order to be saved",
        ),
        pytest.param(
            ("m.fit(X, y)", "y = m.predict(Z)\nout = pd.DataFrame({'y': y})\nout['id'] = z.id\nout.to_csv('a')"),
            ("predict", "save"),
            id="answers under a name that a model learned from before",
        ),
        pytest.param(
            ("def plot_rows(x):\n    return x.dropna()", "a = plot_rows(b)"),
            ("preprocessing",),
            id="a function of the notebook that is called a plot",
        ),
        pytest.param(
            ("p = m.predict(X)", "Z = pd.concat([X, p], axis=1)", "n.fit(Z, y)"),
            ("preprocessing",),
            id="answers that another model learns from",
        ),
        pytest.param(
            ("def create_model(x):\n    return df.dropna()", "m = create_model(3)"),
            ("preprocessing",),
            id="a function of the notebook that has the name of a library's",
        ),
    ],
)
def test_steps_by_what_variables_hold(sources: tuple[str, ...], steps: tuple[str, ...]) -> None:
    assert cells(*sources)[1] == steps


def test_a_cell_with_a_fault_does_nothing_and_disturbs_no_other() -> None:
    assert cells("df = pd.read_csv('a'", "df.head()") == ((), ("explore",))


@pytest.mark.parametrize(
    "source, steps",
    [
        pytest.param("!pip install shap", ("imports",), id="pip by the shell"),
        pytest.param("%conda install -y shap\ndf.head()", ("imports", "explore"), id="conda by a magic"),
        pytest.param("!wget -q https://example.org/a.csv", ("data",), id="a file that is fetched"),
        pytest.param("!head -5 a.csv", ("explore",), id="a look into a file"),
        pytest.param("!ls install\n!headline", (), id="other commands"),
        pytest.param("print('pip install shap')", (), id="a text"),
    ],
)
def test_commands(source: str, steps: tuple[str, ...]) -> None:
    assert cells(source) == (steps,)


def test_names_and_headings_say_nothing() -> None:
    """The same code under other names does the same."""
    assert cells("train = 1\nfit = train + 1", "predict(x)", "evaluate = 3") == ((), (), ())


def test_own_rules_are_whole() -> None:
    rules = own_rules()
    assert {rule.step for rule in rules} == set(STEPS)
    assert len({rule.id for rule in rules}) == len(rules)


RULE = """\
id: our-loader
message: loads from the warehouse
metadata: {step: data, confidence: 0.9}
rule: {pattern: warehouse.load($$$ARGS)}
"""


def test_a_project_adds_rules(tmp_path: Path) -> None:
    (tmp_path / ".nbprod" / "rules").mkdir(parents=True)
    (tmp_path / ".nbprod" / "rules" / "ours.yml").write_text(RULE)
    assert steps_of("df = warehouse.load('sales')") == ()
    assert steps_of("df = warehouse.load('sales')", project_rules(tmp_path)) == ("data",)


def test_a_project_without_rules_has_none(tmp_path: Path) -> None:
    assert project_rules(tmp_path) == ()


@pytest.mark.parametrize(
    "text, says",
    [
        pytest.param("a: [", "cannot be used", id="no YAML"),
        pytest.param("- 1", "cannot be used", id="a list"),
        pytest.param(
            RULE.replace("step: data", "step: feature"), 'the step "feature" is none of', id="a step that is none"
        ),
        pytest.param(RULE.replace("id: our-loader\n", ""), "it has no 'id'", id="no id"),
        pytest.param(RULE.replace("pattern:", "patern:"), 'the rule "our-loader" is not one', id="no pattern"),
    ],
)
def test_a_wrong_rule_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / ".nbprod" / "rules").mkdir(parents=True)
    (tmp_path / ".nbprod" / "rules" / "ours.yml").write_text(text)
    with pytest.raises(NbprodError) as caught:
        project_rules(tmp_path)
    assert caught.value.code == "bad-rule"
    assert says in caught.value.message
    assert "backtrace" not in caught.value.message


def test_the_rules_import_no_library_of_data() -> None:
    program = "import sys; from nbprod.analysis.roles import steps_of; steps_of('df.head()');"
    program += "print([name for name in ('pandas', 'sklearn', 'numpy', 'nbformat', 'IPython') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
