"""A project with a fitted version, made by a real run."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from nbprod.cli.app import app

CELLS = (
    (["parameters"], "DATA = 'people.csv'"),
    (["data"], "import pandas as pd\npeople = pd.read_csv(DATA)"),
    (["features"], "people['age'] = people['age'].fillna(people['age'].median())\nX = people[['age', 'fare', 'town']]\n"
                   "X = pd.get_dummies(X, columns=['town'])\ny = people['left']"),
    (["train"], "from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression().fit(X, y)"),
)  # fmt: skip


def people() -> str:
    drawn = random.Random(1)
    rows = []
    for number in range(200):
        age, fare, town = drawn.randint(18, 70), round(drawn.uniform(-2, 60), 1), drawn.choice("abc")
        left = int(age / 70 + fare / 60 + drawn.gauss(0, 0.1) > 1.1)
        rows.append(f"{age if number % 9 else ''},{fare},{town},{left}")
    return "\n".join(["age,fare,town,left", *rows]) + "\n"


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose notebook has run, by its real run; for looking at."""
    folder = tmp_path_factory.mktemp("deployed") / "project"
    folder.mkdir()
    (folder / "people.csv").write_text(people())
    (folder / "nbprod.toml").write_text("# ours\n[pipelines.leavers]\nnotebook = 'leavers.ipynb'\n")
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {"tags": tags}, "outputs": [], "execution_count": None,
         "source": text.splitlines(keepends=True)}
        for n, (tags, text) in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    body = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "leavers.ipynb").write_text(json.dumps(body, indent=1) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, ["run", "leavers.ipynb", "--no-verify", "--quiet"])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def project(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project in a folder of the test's own, in which it runs."""
    folder = Path(shutil.copytree(ran, tmp_path / "project"))
    monkeypatch.chdir(folder)
    return folder
