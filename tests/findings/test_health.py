"""Secrets, stale outputs and features made of the target: what is reported, and what looks alike and is fine."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from nbprod.analysis import analyse
from nbprod.findings import find
from nbprod.model.finding import Finding
from nbprod.notebook import read_text

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
XY, SPLIT, FIT, SCORE = (PROGRAMS[name] for name in ("XY", "SPLIT", "FIT", "SCORE"))
findings_of = PROGRAMS["findings_of"]

# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLA"
GITHUB = "gh" + "p_" + "a1B2c3D4" * 5
MIXED = "q8Zt4" + "LmX0vR7" + "pWn3sKd9"


def of_cell(source: str, **more: Any) -> list[Finding]:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}
    text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    notebook = read_text(text, "nb.ipynb")
    return list(find(notebook, analyse(notebook)))


@pytest.mark.parametrize(
    "source, line",
    [
        pytest.param(f"import boto3\nkey = '{AWS}'", 2, id="a published shape"),
        pytest.param(f"# {GITHUB}\nx = 1", 1, id="in a comment"),
        pytest.param("import a\nengine = a.connect('postgresql://me:hunter42@db.local/x')", 2, id="in an address"),
        pytest.param("db_password = 'correct-horse'", 1, id="a password by its name"),
        pytest.param(f"import a\na.login(token='{MIXED}')", 2, id="a random value that is named a token"),
    ],
)
def test_secret_in_the_code(source: str, line: int) -> None:
    (finding,) = of_cell(source)

    assert (finding.rule, finding.line) == ("secret", line)
    assert not any(secret in finding.message for secret in (AWS, GITHUB, MIXED, "hunter42", "correct-horse"))


def test_secret_in_an_output() -> None:
    (finding,) = of_cell("1", outputs=[{"output_type": "stream", "name": "stdout", "text": f"export X={GITHUB}"}])

    assert (finding.rule, finding.message) == ("secret", "a saved output holds a GitHub token")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import os\npassword = os.environ['DB_PASSWORD']", id="from the environment"),
        pytest.param("password = '<your password>'\ntoken = 'xxxxxxxx'\napi_key = 'YOUR_API_KEY'", id="placeholders"),
        pytest.param("engine = 'postgresql://user:password@localhost/db'", id="an address of a manual"),
        pytest.param("columns = {'password': 'password_length', 'token': 'first_word'}", id="names of columns"),
        pytest.param("pad_token = '[PAD]'\nsep_token = 'separator'", id="tokens of a text"),
        pytest.param("url = 'https://example.com/data.csv?page=2'", id="an address"),
        pytest.param("html = '<div class=\"sk-toggleable__label-arrow sk-estimator-doc-link\">'", id="names of styles"),
    ],
)
def test_no_secret(source: str) -> None:
    assert [finding for finding in of_cell(source) if finding.rule == "secret"] == []


def result(count: int) -> dict[str, Any]:
    return {"output_type": "execute_result", "execution_count": count, "data": {"text/plain": "1"}, "metadata": {}}


def error(*traceback: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": "E", "evalue": "", "traceback": list(traceback)}


OLD = "\x1b[0;31m<ipython-input-3-0123456789ab>\x1b[0m in \x1b[0;36m<module>\x1b[0m\n\x1b[0;32m----> 1\x1b[0m 1/0"
NEW = "Cell In[3], line 2\n      1 x = 0\n----> 2 1/x"


@pytest.mark.parametrize(
    "source, outputs",
    [
        pytest.param("1", [result(2)], id="a result of another run"),
        pytest.param("1/1", [error(OLD)], id="an error of another line"),
        pytest.param("x = 0", [error(NEW)], id="an error of a line that is gone"),
    ],
)
def test_stale_output(source: str, outputs: list[dict[str, Any]]) -> None:
    assert {finding.rule for finding in of_cell(source, execution_count=3, outputs=outputs)} == {"stale-output"}


@pytest.mark.parametrize(
    "source, outputs",
    [
        pytest.param("1", [result(3)], id="a result of this run"),
        pytest.param("1/0", [error(OLD)], id="an error of the line that stands there"),
        pytest.param("x = 0\n1/x", [error(NEW)], id="an error of the second line"),
        pytest.param("f()", [error(NEW.replace("[3]", "[2]"))], id="an error in the code of another cell"),
        pytest.param("1", [{"output_type": "stream", "name": "stdout", "text": "----> 1 2"}], id="text like an error"),
    ],
)
def test_no_stale_output(source: str, outputs: list[dict[str, Any]]) -> None:
    found = {finding.rule for finding in of_cell(source, execution_count=3, outputs=outputs)}

    assert "stale-output" not in found


@pytest.mark.parametrize(
    "code, message",
    [
        pytest.param(
            "df['share'] = df['y'] / df['a']\nX = df[['a', 'share']]\ny = df['y']\n",
            "computed from the target y: share",
            id="a ratio of the target",
        ),
        pytest.param(
            "df['a'] = df['a'].fillna(df.groupby('y')['a'].transform('mean'))\n" + XY,
            "computed from the target y: a",
            id="gaps are filled by the target",
        ),
        pytest.param(
            "df['b'] = df['b'].map(df.groupby('b')['y'].mean())\n" + XY,
            "a statistic of the target y by group",
            id="means of the target over all rows",
        ),
    ],
)
def test_target_leakage(code: str, message: str) -> None:
    found = [finding for finding in findings_of(code + SPLIT + FIT + SCORE) if finding.rule == "target-leakage"]

    assert len(found) == 1
    assert found[0].message.startswith(message)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(XY + SPLIT, id="other columns"),
        pytest.param("X = df[df.columns[:2]]\ny = df['y']\n" + SPLIT, id="columns by their places"),
        pytest.param("X = df.drop(columns=['y'])\ny = df['y']\n" + SPLIT, id="all but the target"),
        pytest.param(XY + "y = np.log1p(y)\n" + SPLIT, id="a transformed target"),
        pytest.param("df['b'] = df['b'].map(df.groupby('b')['a'].mean())\n" + XY + SPLIT, id="means of another column"),
        pytest.param("df['last'] = df['y'].shift(1)\nX = df[['a', 'last']]\ny = df['y']\n" + SPLIT, id="a lag"),
        pytest.param("df = df[df['y'] > 0]\n" + XY + SPLIT, id="rows chosen by the target"),
    ],
)
def test_no_target_leakage(code: str) -> None:
    assert "target-leakage" not in {finding.rule for finding in findings_of(code + FIT + SCORE)}


def test_no_target_leakage_where_a_pipeline_may_choose_columns() -> None:
    code = "X = df\ny = df['y']\nmodel = make_pipeline(Columns(['a']), LogisticRegression())\nmodel.fit(X, y)\n"

    assert "target-leakage" not in {finding.rule for finding in findings_of(code)}
