"""Parameters on the command line: words, help, completion, and secrets that no file holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete

import nbprod as nbprod_package
from nbprod.cli.app import app

CELL = """\
# Seed of the split
SEED: int = 0
MODE: Literal["mean", "median"] = "mean"  # how gaps are filled
FAST: bool = False
FOLDER = Path("data")
LIMIT: float | None = None
MODEL = make()
DB_PASSWORD = "in the cell"  # of the warehouse
CAP: int"""
CELLS = ["from pathlib import Path\nfrom typing import Literal", (CELL, ["parameters"]), "print(SEED)"]


@pytest.fixture
def folder(write_notebook: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    path: Path = write_notebook("sales.ipynb", CELLS).parent
    monkeypatch.chdir(path)
    return path


@pytest.mark.usefixtures("folder")
def test_the_help_of_a_notebook_tells_its_parameters(nbprod: Any) -> None:
    plain, told = nbprod("run", "--help"), nbprod("run", "sales.ipynb", "--help")

    assert told.exit_code == 0
    assert told.output.startswith(plain.output)
    assert [" ".join(line.split()) for line in told.output.partition("sales.ipynb:\n")[2].splitlines()] == [
        "SEED int Seed of the split; default 0",
        "MODE Literal['mean', 'median']",
        "how gaps are filled; default 'mean'",
        "FAST bool default False",
        "FOLDER Path default Path('data')",
        "LIMIT float | None default None",
        "MODEL any literal default make()",
        "DB_PASSWORD str of the warehouse; default ***; secret:",
        "env:VARIABLE takes it from the environment",
        "CAP int required",
    ]


@pytest.mark.parametrize(
    "name, text, said",
    [
        pytest.param("gone.ipynb", None, "None: there is no such file", id="no-such-file"),
        pytest.param("bad.ipynb", "x", "None: the file is not valid JSON", id="no-notebook"),
        pytest.param(
            "plain.py",
            "x = 1\n",
            "None: the notebook has no parameters cell. Mark the cell",
            id="no-cell-of-parameters",
        ),
        pytest.param(
            "broken.py",
            '# %% tags=["parameters"]\nx = (\n',
            "None: the parameters cell 0 does not parse: ",
            id="a-cell-that-is-broken",
        ),
    ],
)
def test_the_help_is_told_whatever_the_notebook_is(
    nbprod: Any, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)

    told = nbprod("run", name, "--help")

    assert (told.exit_code, told.stderr) == (0, "")
    assert said in " ".join(told.stdout.partition(f"Parameters of {name}:\n")[2].split())


@pytest.mark.parametrize(
    "words, given",
    [
        pytest.param(["-p", "SEED", "7"], [("SEED", "7")], id="name-and-value"),
        pytest.param(["-p", "SEED=7"], [("SEED", "7")], id="in-one-word"),
        pytest.param(["--parameter=SEED=7"], [("SEED", "7")], id="in-one-word-with-the-option"),
        pytest.param(["--parameter=SEED", "7"], [("SEED", "7")], id="the-name-with-the-option"),
        pytest.param(["-pSEED=7"], [("SEED", "7")], id="in-one-word-with-the-short-option"),
        pytest.param(["-p", "MODE", "a=b=c"], [("MODE", "a=b=c")], id="a-value-with-equals-signs"),
        pytest.param(["-p", "MODE=a=b=c"], [("MODE", "a=b=c")], id="the-same-in-one-word"),
        pytest.param(["-p", "MODE="], [("MODE", "")], id="an-empty-value"),
        pytest.param(["-p", "MODE", "SEED=7"], [("MODE", "SEED=7")], id="a-value-that-looks-like-another"),
        pytest.param(["-p", "MODE", "-p"], [("MODE", "-p")], id="a-value-that-looks-like-the-option"),
        pytest.param(["--name", "-p", "-p", "SEED=7"], [("SEED", "7")], id="the-option-as-a-name"),
        pytest.param(["-p", "a b=3", "7"], [("a b=3", "7")], id="a-first-word-that-is-no-name-and-value"),
        pytest.param(["-q", "-p", "SEED=7", "-p", "FAST", "1"], [("SEED", "7"), ("FAST", "1")], id="several"),
    ],
)
def test_a_parameter_is_two_words_or_a_name_with_a_value(words: list[str], given: list[tuple[str, str]]) -> None:
    command = app.get_command(click.Context(app), "run")
    assert command is not None

    context = command.make_context("run", [*words, "a.ipynb", "--", "-p"])

    assert context.params["parameters"] == tuple(given)
    assert context.params["notebooks"] == ("a.ipynb", "-p")


@pytest.mark.parametrize(
    "words, incomplete, found",
    [
        pytest.param(
            ["-p"], "", ["SEED", "MODE", "FAST", "FOLDER", "LIMIT", "MODEL", "DB_PASSWORD", "CAP"], id="names"
        ),
        pytest.param(["-p", "SEED", "1", "-p"], "F", ["FAST", "FOLDER"], id="names-that-begin-so"),
        pytest.param(["-p", "MODE"], "me", ["mean", "median"], id="values-that-are-counted-up"),
        pytest.param(["-p", "FAST"], "", ["True", "False"], id="values-of-a-switch"),
        pytest.param(["-p", "CAP"], "", [], id="values-of-a-number"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_names_and_values_are_completed(words: list[str], incomplete: str, found: list[str]) -> None:
    completion = ShellComplete(app, {}, "nbprod", "_NBPROD_COMPLETE")

    offered = completion.get_completions(["run", "sales.ipynb", "gone.ipynb", *words], incomplete)

    assert [each.value for each in offered] == found


# ---------------------------------------------------------------------------------------------- one run, and again

SECRET = "hunter22-of-sales"
RUN: list[Any] = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    ("DB_PASSWORD: str\nCAP = 10\nCAP += 1\nsettings = {}", ["parameters"]),
    ("print(DB_PASSWORD, settings)\nassert len(DB_PASSWORD) == 17\ndf = pd.read_csv('people.csv')", ["data"]),
    ("df['age'] = df['age'].fillna(df['age'].median())\ndf['paid'] = df['fare'].clip(upper=CAP)", ["features"]),
    ("model = LogisticRegression()\nmodel.fit(df[['age', 'paid']], df['left'])", ["train"]),
]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(nbprod_package.__file__).parents[1])}


def call(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbprod", *words], cwd=folder, env=ENVIRONMENT | more, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_secret_reaches_the_notebook_and_no_file_and_is_looked_up_again(write_notebook: Any, tmp_path: Path) -> None:
    write_notebook("sales.ipynb", RUN)
    rows = [f"{20 + n % 40 if n % 7 else ''},{n % 13 - 1.5},{int(n % 5 > 1)}" for n in range(40)]
    (tmp_path / "people.csv").write_text("\n".join(["age,fare,left", *rows]) + "\n")
    (tmp_path / "nbprod.toml").write_text("")
    (tmp_path / "params.yml").write_text("settings:\n  api_key: env:SALES\n")
    words = ["run", "sales.ipynb", "-f", "params.yml", "-p", "DB_PASSWORD", "env:SALES"]

    unset = call(tmp_path, *words)
    done = call(tmp_path, *words, "-p", "CAP=5", "--format", "json", SALES=SECRET)

    assert (unset.returncode, "error[no-variable]" in unset.stderr) == (2, True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    # The run's own value stands behind what the cell adds to its default, in the package as in the notebook.
    assert (report["verify"]["rows_equal"], report["verify"]["mismatch"]) == (40, None)
    assert "CAP = 5" in (tmp_path / report["package"] / "features.py").read_text()
    assert written(tmp_path) == []
    assert SECRET not in done.stderr + done.stdout
    from nbprod.tracking import get_run

    run = get_run(report["run_id"], uri=report["tracking_uri"])
    assert run.params == {"settings": "{'api_key': 'env:SALES'}", "DB_PASSWORD": "env:SALES", "CAP": "5"}

    again = call(tmp_path, "reproduce", "sales", "--format", "json", SALES=SECRET)
    without = call(tmp_path, "reproduce", "sales")

    assert again.returncode == 0, again.stderr
    assert [each for each in json.loads(again.stdout)["changes"] if each["kind"] == "parameter"] == []
    assert (without.returncode, "variable SALES, which is not set" in without.stderr) == (2, True)
    assert written(tmp_path) == []

    clear = call(tmp_path, "run", "sales.ipynb", "--no-verify", "-p", "DB_PASSWORD", SECRET)

    assert clear.returncode == 0, clear.stderr
    assert "DB_PASSWORD looks like a secret and is given in clear" in clear.stderr
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(
            ["-p", "DB_PASSWORD", "env:SALES"], "it reads DB_PASSWORD (cell 1, line 1), a secret", id="by-name"
        ),
        pytest.param(["-p", "DB_PASSWORD", SECRET], "it reads DB_PASSWORD (cell 1, line 1), a secret", id="in-clear"),
    ],
)
def test_a_package_that_needs_a_secret_is_refused(
    write_notebook: Any, nbprod: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.setenv("SALES", SECRET)
    leaky = [*RUN]
    leaky[3] = ("df['age'] = df['age'] + len(DB_PASSWORD)\ndf['paid'] = df['fare'].clip(upper=CAP)", ["features"])
    write_notebook("sales.ipynb", leaky)
    (tmp_path / "people.csv").write_text("age,fare,left\n1,2,0\n")

    done = nbprod("run", "sales.ipynb", *words)

    assert done.exit_code == 1
    assert said in done.stdout
    assert "sales.ipynb, cell 3 (id cell-3), line 1" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert not (tmp_path / "pipelines").exists()


@pytest.mark.parametrize(
    "default, code",
    [
        pytest.param("https://ana:pw12345@x.org", 1, id="an-address-with-a-password"),
        pytest.param("<pad>", 0, id="a-word-under-the-name-of-a-secret"),
    ],
)
def test_an_export_takes_no_default_that_is_certainly_a_secret(
    write_notebook: Any, nbprod: Any, tmp_path: Path, default: str, code: int
) -> None:
    cells = [*RUN]
    cells[1] = (f"PAD_TOKEN = '{default}'", ["parameters"])
    cells[2] = ("df = pd.read_csv('people.csv')", ["data"])
    cells[3] = ("df['age'] = df['age'].fillna(0)\ndf['paid'] = df['fare'] + len(PAD_TOKEN)", ["features"])
    write_notebook("sales.ipynb", cells)
    (tmp_path / "people.csv").write_text("age,fare,left\n1,2,0\n")

    done = nbprod("export", "sales.ipynb")

    assert done.exit_code == code, done.output
    assert ("it reads PAD_TOKEN (cell 1, line 1), a secret" in done.stdout) == bool(code)


def test_an_export_has_no_value_for_a_parameter_that_only_a_run_gives_one(
    write_notebook: Any, nbprod: Any, tmp_path: Path
) -> None:
    cells = [*RUN]
    cells[1] = ("CAP: int", ["parameters"])
    cells[2] = ("df = pd.read_csv('people.csv')", ["data"])
    write_notebook("sales.ipynb", cells)
    (tmp_path / "people.csv").write_text("age,fare,left\n1,2,0\n")

    done = nbprod("export", "sales.ipynb")
    checked = nbprod("check", "sales.ipynb", "--format", "json")

    assert done.exit_code == 1
    assert "it reads CAP, which has no value but what a run gives it (cell 1, line 1)" in done.stdout
    assert "undefined-name" not in {finding["rule"] for finding in json.loads(checked.stdout)["findings"]}
