"""Which metrics of the notebook are of the rows that its model was trained on."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")
a, b, c, d = train_test_split(df[["age"]], df["left"], random_state=0)
model = LogisticRegression().fit(a, c)
# %%
"""


@pytest.mark.parametrize(
    "code, names",
    [
        pytest.param("recall = recall_score(c, model.predict(a))", {"recall": 1}, id="training rows"),
        pytest.param("said = model.predict(a)\nrecall = recall_score(c, said)", {"recall": 1}, id="by a name"),
        pytest.param("good = model.score(a, c)", {"good": 1}, id="the model's own score"),
        pytest.param("recall = recall_score(d, model.predict(b))", {}, id="rows held out"),
        pytest.param(
            "r = recall_score(c, model.predict(a))\nr = recall_score(d, model.predict(b))", {}, id="the last one counts"
        ),
        pytest.param("print(recall_score(c, model.predict(a)))", {}, id="nothing keeps it"),
    ],
)
def test_a_metric_of_training_rows_is_known(code: str, names: dict[str, int]) -> None:
    notebook = read_text(f"{HEAD}{code}", "nb.py")

    assert dict(make_plan(notebook, analyse(notebook, {"data.csv": ("age", "left")})).training_metrics) == names
