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
DEEP = '{"rows":{"columns":["a"],"parts":[{"at":[0],"values":' + "[" * 900 + "]" * 900 + "}]}}"
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


@pytest.mark.parametrize(
    "columns, found",
    [
        pytest.param([1, "x7"], {"x7": MAIL}, id="a number before"),
        pytest.param(["x7", 1], {"1": MAIL}, id="a number itself"),
        pytest.param(pd.MultiIndex.from_tuples([("a", "b"), ("c", "d")]), {"column 1": MAIL}, id="levels"),
    ],
)
def test_columns_of_any_names_are_searched(columns: Any, found: dict[str, str], tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, "ada@example.org"], [2, "b"]])
    frame.columns = columns
    (tmp_path / "tests").mkdir()
    codec.dump({"rows": frame}, tmp_path / "tests", "golden", inline=2**30)
    assert personal_columns(tmp_path) == found


def test_the_index_is_searched(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    codec.dump({"rows": PLAIN.set_axis(["ada@example.org", "b"])}, tmp_path / "tests", "golden", inline=2**30)
    assert personal_columns(tmp_path) == {"the index": MAIL}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"rows":{"columns":["a"],"parts":[{"at":[-5],"values":["x"]}]}}', id="no such place"),
        pytest.param('{"rows":{"columns":["a"],"parts":[{"at":["a", null],"values":3}]}}', id="places that are none"),
        pytest.param('{"rows":{"columns":7,"index":7,"parts":7}}', id="no table"),
        pytest.param('{"rows":' + "[" * 3000 + "]" * 3000 + "}", id="too deep"),
        pytest.param(DEEP, id="deep"),
    ],
)
def test_a_hostile_file_shows_nothing_and_stops_nobody(text: str, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/golden.json").write_text(text)
    assert personal_columns(tmp_path) == {}
