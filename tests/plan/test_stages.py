"""Stages of a notebook: where they begin, what they hand over, and what makes another digest of it."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from nbprod.api.outlining import analysis_of
from nbprod.model.notebook import Notebook, Role
from nbprod.notebook import read_text
from nbprod.plan.stages import Handover, handovers, stages_of

READ = ("import pandas as pd\ndf = pd.read_csv('rows.csv')", "data")
PREPARE = ("df['age'] = df['age'].fillna(df['age'].median())\nX = df[['age']]\ny = df['alive']", "features")
TRAIN = ("from sklearn.tree import DecisionTreeClassifier\nmodel = DecisionTreeClassifier().fit(X, y)", "train")
EVALUATE = ("score = model.score(X, y)\nprint(score)", "evaluate")
WHOLE = (READ, PREPARE, TRAIN, EVALUATE)


def notebook_of(*cells: str | tuple[str, str]) -> Notebook:
    document: Any = nbformat.v4.new_notebook()
    for cell in cells:
        text, role = cell if isinstance(cell, tuple) else (cell, "")
        document.cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": [role]} if role else {}))
    return read_text(nbformat.writes(document), "work.ipynb")


def handed(*cells: str | tuple[str, str]) -> tuple[Handover, ...]:
    notebook = notebook_of(*cells)
    return handovers(notebook, analysis_of(notebook), analysis_of, ())


@pytest.mark.parametrize(
    "roles, stages",
    [
        pytest.param("data features train evaluate", [("data", 0), ("features", 1), ("train", 2), ("evaluate", 3)],
                     id="each role begins a stage"),
        pytest.param(". data . features . train .", [("data", 2), ("features", 4), ("train", 6)],
                     id="cells without a role belong to the stage around them"),
        pytest.param("data features data train", [("data", 0), ("features", 2), ("train", 3)],
                     id="an earlier role does not go back"),
        pytest.param("data evaluate train evaluate", [("data", 0), ("train", 2), ("evaluate", 3)],
                     id="comparing models belongs to the training that follows"),
        pytest.param("parameters data explore train", [("data", 2), ("train", 3)],
                     id="parameters and exploration make no stage"),
        pytest.param(". . train", [("train", 2)], id="what comes before the first role belongs to it"),
        pytest.param(". .", [("data", 1)], id="without roles all is one stage"),
    ],
)  # fmt: skip
def test_where_stages_end(roles: str, stages: list[tuple[str, int]]) -> None:
    cells = [("x = 1", "" if role == "." else role) for role in roles.split()]
    assert [(each.role.value, each.last) for each in stages_of(notebook_of(*cells))] == stages
    assert stages_of(notebook_of(*cells))[0].first == 0


def test_a_stage_hands_over_what_later_cells_read() -> None:
    data, features, train, evaluate = handed(*WHOLE)
    assert [each.names for each in (data, features, train, evaluate)] == [
        ("df",), ("X", "y"), ("X", "model", "y"), (),
    ]  # fmt: skip
    assert [each.changed for each in (data, features, train, evaluate)] == [("df",), (), (), ()]
    assert [each.reason for each in (data, features, train, evaluate)] == [None] * 4
    assert [each.stage.role for each in (data, features, train, evaluate)] == [
        Role.DATA, Role.FEATURES, Role.TRAIN, Role.EVALUATE,
    ]  # fmt: skip


def test_imports_settings_and_definitions_are_run_again_and_plots_are_not() -> None:
    first = (
        "import os\nimport numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt\n"
        "pd.set_option('display.max_rows', 5)\nos.environ['MODE'] = 'quick'\nplt.title('x')\n%matplotlib inline\n"
        "LIMIT = 3\ndef cut(frame, most=10):\n    return frame[frame.a < LIMIT]\ndf = pd.read_csv('rows.csv')"
    )
    data = handed((first, "data"), ("df = cut(df)", "features"), ("df", "train"))[0]
    assert [text for _, text in data.prepared] == [
        "import os",
        "import numpy as np",
        "import pandas as pd",
        "import matplotlib.pyplot as plt",
        "pd.set_option('display.max_rows', 5)",
        "os.environ['MODE'] = 'quick'",
        "%matplotlib inline",
    ]
    assert [text.splitlines()[0] for _, text in data.definitions] == ["LIMIT = 3", "def cut(frame, most=10):"]
    assert data.names == ("LIMIT", "cut", "df")
    assert data.defined == ("LIMIT", "cut")


UNSTORED = [
    pytest.param([("!python prepare.py", "data"), PREPARE, TRAIN], 0, "cell 0 runs !python prepare.py", id="a program"),
    pytest.param([("!cat a > b", "data"), PREPARE, TRAIN], 0, "cell 0 runs !cat a > b", id="a redirected line"),
    pytest.param([("files = !ls", "data"), PREPARE, TRAIN], 0, "cell 0 runs files = !ls", id="a line's own answer"),
    pytest.param([READ, PREPARE, ("print(globals())", "train")], 0, "cell 2 uses globals", id="all names are read"),
    pytest.param([READ, ("_.plot()\nX = df", "features"), TRAIN], 0, "cell 1 uses _", id="the last result is read"),
    pytest.param([("exec('df = 1')", "data"), PREPARE, TRAIN], 0, "runs code that is not in the notebook", id="exec"),
    pytest.param([("api_key = open('k').read()\n" + READ[0], "data"), ("get(df, api_key)", "features")], 0,
                 "api_key looks like a secret", id="a secret"),
    pytest.param([(READ[0] + "\ndef first(n=len(df)):\n    return n", "data"), ("first()", "features")], 0,
                 "with the value of df", id="a definition that takes a value"),
    pytest.param([("def f():\n    return 1\nf = 2", "data"), ("f", "features")], 0, "second meaning",
                 id="a function's name that is bound again"),
]  # fmt: skip


@pytest.mark.parametrize("cells, stage, reason", UNSTORED)
def test_what_keeps_stages_together(cells: list[Any], stage: int, reason: str) -> None:
    found = handed(*cells)[stage].reason
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "line",
    ["!ls -la", "!pip install lightgbm", "%pip install lightgbm", "%%time\nx = 1", "%matplotlib inline", "!nvidia-smi"],
)
def test_what_only_shows_or_installs_keeps_nothing_together(line: str) -> None:
    assert handed((line, ""), READ, PREPARE, TRAIN)[0].reason is None


SAME = [
    pytest.param([(READ[0] + "\n# a comment\ndf.head()\ndf.plot()", "data"), *WHOLE[1:]], id="a plot and a comment"),
    pytest.param([READ, ("print(len(df))", "explore"), *WHOLE[1:]], id="a cell that leads nowhere"),
    pytest.param([("import pandas as pd\ndf=pd.read_csv( 'rows.csv' )", "data"), *WHOLE[1:]], id="another layout"),
    pytest.param([(READ[0] + "\nunused = df.mean()", "data"), *WHOLE[1:]], id="a name that nobody reads"),
    pytest.param([(READ[0] + "\ndef unused():\n    return df", "data"), *WHOLE[1:]], id="a function that nobody calls"),
]
OTHER = [
    pytest.param([(READ[0].replace("rows", "other"), "data"), *WHOLE[1:]], id="another file"),
    pytest.param([(READ[0] + "\ndf = df.dropna()", "data"), *WHOLE[1:]], id="another step"),
    pytest.param([(READ[0] + "\npd.set_option('mode.copy_on_write', True)", "data"), *WHOLE[1:]], id="a setting"),
    pytest.param([READ, PREPARE, ("model = fit(df, X, y)", "train")], id="another name that is read later"),
]


@pytest.mark.parametrize("cells", SAME)
def test_what_gives_the_same_digest(cells: list[Any]) -> None:
    assert [each.digest for each in handed(*cells)] == [each.digest for each in handed(*WHOLE)]


@pytest.mark.parametrize("cells", OTHER)
def test_what_gives_another_digest(cells: list[Any]) -> None:
    assert handed(*cells)[1].digest != handed(*WHOLE)[1].digest


def test_a_draw_between_a_seed_and_a_later_draw_counts() -> None:
    seed = "import numpy as np\nimport pandas as pd\nnp.random.seed(0)\ndf = pd.read_csv('rows.csv')"
    cut = ("from sklearn.model_selection import train_test_split\na, b = train_test_split(df)", "train")
    plain = handed((seed, "data"), cut)[0].digest
    assert handed((seed + "\ndf.sample(5)", "data"), cut)[0].digest != plain
    assert handed((seed + "\ndf.head(5)", "data"), cut)[0].digest == plain


def test_what_chose_the_rows_counts() -> None:
    seed = ("SEED = 0", "parameters")
    split = (
        "from sklearn.model_selection import train_test_split\na, b = train_test_split(df, random_state=SEED)",
        "features",
    )
    last = ("fit(a)", "train")
    other = handed(("SEED = 1", "parameters"), READ, split, last)
    whole = handed(seed, READ, split, last)
    assert [one.digest == two.digest for one, two in zip(whole, other, strict=True)] == [True, False, False]
    assert whole[0].definitions == ((0, "SEED = 0"),)
    assert whole[0].defined == ("SEED",)


DECIDED = [
    pytest.param("df['a'] = df['a'] * (1 if quick else 2)", id="an expression"),
    pytest.param("if quick:\n    df = df.head(9)", id="a branch"),
    pytest.param("names = []\nif quick:\n    names.append('a')\ndf = df.drop(columns=names)", id="a list"),
    pytest.param(
        "def add(to):\n    to.append('a' if quick else 'b')\nnames = []\nadd(names)\ndf = df.drop(columns=names)",
        id="a list that a function changes",
    ),
    *(
        pytest.param(f"import mylib\nnames = []\n{call}\ndf = df.drop(columns=names)", id=f"a list given to {told}")
        for call, told in (
            ("mylib.add(names, quick)", "a module's function"),
            ("if quick:\n    mylib.add(names)", "it in a branch"),
            ("mylib.add(to=names, k=1 if quick else 2)", "it by keyword"),
            ("n = mylib.add(names, 1 if quick else 2)", "it for its result"),
            ("mylib.Adder().add(names, quick)", "a method"),
            ("list(map(names.append, ['a'] if quick else ['b']))", "its own method, handed on"),
            ("exec('names.append(1)' if quick else '')", "a text that is run"),
        )
    ),
    pytest.param("def cut(d):\n    return d.head(9) if quick else d\ndf = cut(df)", id="a function"),
    pytest.param("level = 3 if quick else 4\ndf = df[df['a'] > level]", id="a number that is made of it"),
    pytest.param("mode = 'a' if quick else 'b'\nif mode == 'a':\n    df = df.dropna()", id="a text that is made of it"),
    pytest.param("while quick:\n    df = df.dropna()\n    break", id="a loop"),
]


@pytest.mark.parametrize("text", DECIDED)
def test_a_switch_counts_where_it_decides_what_is_made(text: str) -> None:
    def data(value: str) -> Handover:
        return handed((f"quick = {value}", "parameters"), (f"{READ[0]}\n{text}", "data"), *WHOLE[1:])[0]

    assert data("True").digest != data("False").digest
    assert data("True").digest == data("True").digest


def test_a_switch_that_decides_nothing_that_is_handed_over_counts_for_nothing() -> None:
    def data(value: str) -> Handover:
        text = f"{READ[0]}\nwhile quick:\n    print(1)\n    break"
        return handed((f"quick = {value}", "parameters"), (text, "data"), *WHOLE[1:])[0]

    assert data("True").digest == data("False").digest


@pytest.mark.parametrize(
    "plot",
    [
        "import seaborn as sns\nsns.heatmap(df[names].corr(), annot={})",
        "df[names].hist(bins={})",
        "print(sorted(names), {})",
        "import matplotlib.pyplot as plt\nfor name in names:\n    plt.hist(df[name], bins={})",
    ],
)
def test_a_plot_of_named_columns_changes_no_name(plot: str) -> None:
    def data(value: str) -> Handover:
        text = f"{READ[0]}\nnames = ['a']\n{plot.format(value)}\ndf = df.drop(columns=names)"
        return handed((text, "data"), *WHOLE[1:])[0]

    assert data("8").digest == data("9").digest


def test_a_change_behind_a_stage_leaves_it_alone() -> None:
    other = handed(READ, PREPARE, (TRAIN[0].replace("()", "(max_depth=3)", 1), "train"), EVALUATE)
    whole = handed(*WHOLE)
    assert [a.digest == b.digest for a, b in zip(other, whole, strict=True)] == [True, True, False, False]
