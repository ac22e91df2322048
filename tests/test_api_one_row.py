"""What is said of how a version answers one row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbprod.api.one_row import one_row, one_row_text

WRITTEN = {
    "features": 3, "compiled": 3, "left": [], "model": None, "rows": 1200, "of_rows": 1200, "edges": 64,
    "differs": None, "written": True,
}  # fmt: skip
LOST = {"name": "month", "reason": "pd.to_datetime", "line": 14}


@pytest.mark.parametrize(
    "change, text",
    [
        pytest.param({}, "without pandas, equal on 1,200 rows and 64 edge cases", id="compiled"),
        pytest.param(
            {"rows": 1190},
            "without pandas, equal on 1,190 rows and 64 edge cases; with pandas for the other 10",
            id="but for some rows",
        ),
        pytest.param(
            {"model": "SVC itself is asked"},
            "without pandas (SVC itself is asked), equal on 1,200 rows and 64 edge cases",
            id="but for the model",
        ),
        pytest.param(
            {"model": "XGBRegressor itself is asked", "written": False},
            "with pandas: XGBRegressor itself is asked",
            id="a model that takes a table",
        ),
        pytest.param(
            {"compiled": 2, "left": [LOST], "written": False},
            "with pandas: 2 of 3 features are compiled, month is not (line 14 of features.py: pd.to_datetime)",
            id="a feature that is lost",
        ),
        pytest.param(
            {"compiled": 2, "left": [LOST | {"line": None}], "written": False},
            "with pandas: 2 of 3 features are compiled, month is not (pd.to_datetime)",
            id="nobody knows where",
        ),
        pytest.param(
            {"differs": "a row with {'age': -1} gives 0, not a refusal", "written": False},
            "with pandas: the compiled form does not answer as features.py does "
            "(a row with {'age': -1} gives 0, not a refusal)",
            id="another answer",
        ),
    ],
)
def test_one_line(change: dict[str, Any], text: str) -> None:
    assert one_row_text({**WRITTEN, **change}) == text


@pytest.mark.parametrize(
    "content, told",
    [
        pytest.param(json.dumps({"files": {}, "one_row": WRITTEN}), WRITTEN, id="fitted"),
        pytest.param(json.dumps({"files": {}}), None, id="fitted without"),
        pytest.param("{", None, id="damaged"),
        pytest.param(None, None, id="not fitted"),
    ],
)
def test_what_a_version_says(content: str | None, told: dict[str, Any] | None, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    if content is not None:
        (tmp_path / "state/fitted.json").write_text(content)

    assert one_row(tmp_path) == told
