"""What the rows that a fitted version keeps show of people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbprod.api.kept_rows import personal_columns
from nbprod.codegen.runtime import codec

MAIL, PHONE = "an address of e-mail", "a number of a telephone"
PLAIN = pd.DataFrame({"price": [1.5, 2.0], "town": ["Ulm", "Bonn"]})


@pytest.mark.parametrize(
    "column, what",
    [
        pytest.param(pd.Series(["Ulm", "ada@example.org"]), MAIL, id="text"),
        pytest.param(pd.Series([None, "ada@example.org"], dtype=object), MAIL, id="object"),
        pytest.param(pd.Series([1, "ada@example.org"], dtype=object), MAIL, id="mixed"),
        pytest.param(pd.Series(["+49 170 1234 567", None], dtype="string"), PHONE, id="nullable text"),
        pytest.param(pd.Series(["ada@example.org", "b"], dtype="category"), MAIL, id="categories"),
        pytest.param(pd.Series([["ada@example.org"], []], dtype=object), MAIL, id="lists"),
        pytest.param(pd.Series(["ada at home", "@"]), None, id="nothing of the kind"),
        pytest.param(pd.Series([491701234567, 5]), None, id="numbers"),
        pytest.param(pd.to_datetime(pd.Series(["2024-01-05", "2024-01-06"])), None, id="dates"),
    ],
)
@pytest.mark.parametrize("where", [0, 2], ids=["first", "last"])
def test_a_column_is_known_by_its_texts(column: pd.Series[Any], what: str | None, where: int, tmp_path: Path) -> None:
    frame = PLAIN.copy()
    frame.insert(where, "x7", column)
    (tmp_path / "tests").mkdir()
    codec.dump({"rows": frame}, tmp_path / "tests", "golden", inline=2**30)
    assert personal_columns(tmp_path) == ({} if what is None else {"x7": what})


def test_columns_of_one_block_are_told_apart(tmp_path: Path) -> None:
    block = pd.DataFrame([[1, "ada@example.org", None], ["b", "c", 2.5]], columns=["a", "x7", "z"], dtype=object)
    (tmp_path / "tests").mkdir()
    codec.dump({"rows": block}, tmp_path / "tests", "golden", inline=2**30)
    assert personal_columns(tmp_path) == {"x7": MAIL}


@pytest.mark.parametrize(
    "schema, found",
    [
        pytest.param({"columns": [{"name": "x7", "categories": ["ada@example.org"]}]}, {"x7": MAIL}, id="categories"),
        pytest.param({"columns": [{"name": "x7", "categories": None}]}, {}, id="no categories"),
        pytest.param({"columns": "damaged"}, {}, id="damaged"),
    ],
)
def test_categories_of_the_contract_count(schema: dict[str, Any], found: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/schema.json").write_text(json.dumps(schema))
    assert personal_columns(tmp_path) == found
