"""Notebook patterns from the cell to the served row: each is read, extracted, run, and served one row at a time.

`patterns.txt` holds them. For each that is served, the package gives every training row by itself what the notebook's
own matrix has in that row; for each that is refused, the plan names the construct.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from nbprod.analysis import analyse
from nbprod.analysis.headers import read_headers
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

CASES = runpy.run_path(str(Path(__file__).with_name("test_cases.py")))
ROWS = 60
ALONE = range(0, ROWS, 5)
"""The places of the rows that are served by themselves."""
HEAD = """# %%
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
df = pd.read_csv("data.csv")
"""


def table() -> pd.DataFrame:
    """Numbers, gaps, categories, names, tags and dates of sixty passengers."""
    rng = np.random.default_rng(7)

    def chosen(*values: str | None, p: list[float] | None = None) -> Any:
        return rng.choice(np.array(values, dtype=object), ROWS, p=p)

    titles = chosen("Mr", "Mrs", "Miss", "Dr", "Rev", p=[0.4, 0.25, 0.25, 0.05, 0.05])
    return pd.DataFrame(
        {
            "id": np.arange(1, ROWS + 1),
            "age": np.where(rng.random(ROWS) < 0.2, np.nan, rng.integers(1, 80, ROWS).astype(float)),
            "fare": np.round(rng.lognormal(3, 1, ROWS), 2),
            "sibsp": rng.integers(0, 4, ROWS),
            "pclass": rng.integers(1, 4, ROWS),
            "sex": chosen("male", "female"),
            "emb": chosen("S", "C", "Q", None, p=[0.55, 0.3, 0.1, 0.05]),
            "ticket": chosen("A1", "A2", "B7", "C9", "D3"),
            "name": [f"Last{number % 9}, {title}. First Mid" for number, title in enumerate(titles)],
            "cabin": chosen("C85", "E46", "B57 B59", "A10", None, p=[0.1, 0.1, 0.1, 0.1, 0.6]),
            "text": chosen("good movie", "bad film", "good bad ugly", "the film"),
            "date": chosen("2020-01-15", "2020-03-02", "2021-07-30", "2019-12-31"),
            "day": ["13/02/2020", *chosen("13/02/2020", "01/03/2020", "30/07/2021", "02/12/2019")[1:]],
            "y": rng.integers(0, 2, ROWS),
        }
    )


def patterns() -> Iterator[Any]:
    """What becomes of a pattern, and its code."""
    group, number = "", 0
    for block in (Path(__file__).with_name("patterns.txt")).read_text(encoding="utf-8").split("\n\n")[1:]:
        lines = block.strip().split("\n")
        if lines[0].startswith("## "):
            group, number = lines.pop(0).removeprefix("## "), 0
        number += 1
        outcome = lines.pop(0).removeprefix("# ")
        yield pytest.param(outcome, "\n".join(lines), id=f"{group} {number}")


def planned(code: str, folder: Path) -> tuple[Notebook, FeaturePlan]:
    """The notebook of a pattern in a folder of its own, and its plan."""
    table().to_csv(folder / "data.csv", index=False)
    labels = "" if any(line.startswith("y = ") for line in code.split("\n")) else 'y = df["y"]\n'
    source = f"{HEAD}\n# %%\n{code}\n\n# %%\n{labels}model = DummyClassifier()\nmodel.fit(X, y)\n"
    notebook = read_text(source, str(folder / "pattern.py"))
    return notebook, make_plan(notebook, analyse(notebook, read_headers(analyse(notebook).events, folder)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("outcome, code", list(patterns()))
def test_a_pattern(outcome: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    if outcome == "refused no table":
        with pytest.raises(
            NbprodError,
            match=r"no cell fits a model on rows|without labels|reads the rows the model is trained on"
            r"|each of its rows is made of several",
        ):
            planned(code, tmp_path)
        return
    notebook, plan = planned(code, tmp_path)
    if outcome.startswith("refused"):
        assert outcome.removeprefix("refused ") in {refusal.construct for refusal in plan.refusals}
        return
    assert plan.refusals == ()
    assert any(step.status == "assumed" for step in plan.steps) is (outcome == "observed")

    fitted, names = CASES["run_notebook"](notebook, plan)
    features = CASES["exported"](plan, notebook, f"pattern_{crc32(code.encode())}", tmp_path / "packages", monkeypatch)
    raw = pd.read_csv("data.csv")
    matrix, _ = features.fit_rows(raw)
    CASES["assert_same"](matrix, fitted[0])

    whole = features.model_input(raw)
    assert whole.shape[0] == ROWS
    rows = plain(whole)
    needed = raw[[column for column in raw if column in type(features).required] or list(raw)]
    assert [plain(features.model_input(needed.iloc[[place]]))[0] for place in ALONE] == [rows[place] for place in ALONE]
    assert trained_differently(code) or in_their_rows(fitted[0], rows, names.get("df"))


def in_their_rows(matrix: Any, rows: list[list[Any]], table: Any) -> bool:
    """Whether each row that a model was trained on is what its raw row is served with; any of them where none tells."""
    places = raw_places(matrix, table)
    if places is not None:
        return plain(matrix) == [rows[place] for place in places]
    return {repr(row) for row in plain(matrix)} <= {repr(row) for row in rows}


def raw_places(matrix: Any, table: Any) -> list[int] | None:
    """Where the raw row of each row of a matrix stands: by the `id` that the notebook's table has at its label."""
    if not isinstance(table, pd.DataFrame):
        return None
    if "id" not in table or not table["id"].is_unique or not table["id"].isin(range(1, ROWS + 1)).all():
        return labelled_places(matrix)
    if not isinstance(matrix, pd.DataFrame):
        return list(table["id"] - 1) if matrix.shape[0] == len(table) else None
    known = table.index.is_unique and matrix.index.isin(table.index).all()
    return list(table["id"].loc[matrix.index] - 1) if known else None


def labelled_places(matrix: Any) -> list[int] | None:
    """The same by the labels that the raw rows had, where the matrix has them still."""
    index = matrix.index if isinstance(matrix, pd.DataFrame) else None
    return list(index) if index is not None and index.is_unique and index.isin(range(ROWS)).all() else None


def trained_differently(code: str) -> bool:
    """An encoder that is cross-fitted gives training rows other values by design."""
    return "TargetEncoder" in code


def plain(matrix: Any) -> list[list[Any]]:
    """Rows as lists of plain values that can be compared, whatever is missing."""
    if isinstance(matrix, pd.DataFrame):
        return matrix.astype(object).where(matrix.notna(), None).to_numpy().tolist()  # type: ignore[no-any-return]
    dense = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix)
    return [[None if value != value else value for value in row] for row in dense.tolist()]
