"""Parts of a table as one: how they are read, and their dtypes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.surveying import FitError, Progress, conformed, halves, read_part, sampled, surveyed
from nbprod.codegen.runtime.tables import packed

CSV = {"function": "pandas.read_csv", "kwargs": {"na_values": ["?"], "nrows": 2, "usecols": ["a", "b"]}}
TEXT = "a,b,c\n1,x,7\n?,y,8\n3,z,9\n"


def each_of(*parts: pd.DataFrame) -> Any:
    return lambda function: [
        function(2 * at + half, rows) for at, part in enumerate(parts) for half, rows in enumerate(halves(part))
    ]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.txt.bz2", "x.csv.xz"])
@pytest.mark.parametrize("is_open", [False, True], ids=["a path", "an open file"])
def test_all_rows_are_read_with_the_notebook_s_options(name: str, is_open: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(packed(Path(name), TEXT.encode()))
    part = io.BytesIO((tmp_path / name).read_bytes()) if is_open else tmp_path / name

    made = read_part(part, name, CSV)

    pd.testing.assert_frame_equal(made, pd.DataFrame({"a": [1, np.nan, 3], "b": ["x", "y", "z"]}))


@pytest.mark.parametrize("name", ["x.tsv", "X.TSV"])
def test_tabs_are_read_by_the_name_as_in_scoring(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXT.replace(",", "\t"))
    read = {"function": "pandas.read_csv", "kwargs": {"na_values": ["?"]}}

    assert list(read_part(tmp_path / name, name, read)) == ["a", "b", "c"]


def test_a_sample_of_no_rows_is_refused_and_one_of_few_has_one() -> None:
    table = pd.DataFrame({"a": [1, 2, 3]})
    with pytest.raises(FitError, match="no rows to fit on"):
        sampled(each_of(table.head(0)), 1)
    for size in (1, 3, 7, 400):
        made, rows = sampled(each_of(pd.concat([table] * size)), 1)
        assert rows == 3 * size
        assert len(made) >= 1


def test_columns_in_another_order_are_the_same_columns() -> None:
    one, other = pd.DataFrame({"a": [1, 2], "b": [3, 4]}), pd.DataFrame({"b": [5, 6], "a": [7, 8]})
    progress = Progress()

    first, observed, spread = surveyed(each_of(one, other), progress)

    whole = pd.concat([one, other], ignore_index=True)
    pd.testing.assert_frame_equal(first, whole)
    pd.testing.assert_frame_equal(pd.concat(spread.values()), whole)
    assert [(each["name"], each["min"], each["max"]) for each in observed["columns"]] == [("a", 1, 8), ("b", 3, 6)]
    assert conformed(other, progress, 2).columns.tolist() == ["a", "b"]
    pd.testing.assert_frame_equal(sampled(each_of(one, other), 100)[0], whole)


@pytest.mark.parametrize("turned", [False, True])
def test_a_column_that_only_some_parts_have_is_refused(turned: bool) -> None:
    parts = [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1], "b": [2]})]

    with pytest.raises(FitError, match="a part has no column b"):
        surveyed(each_of(*(parts[::-1] if turned else parts)), Progress())


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["True\nFalse\n", "True\n"], id="truths"),
        pytest.param(["True\nFalse\n", '""\n""\n'], id="truths, and a part without a value"),
        pytest.param(["True\nFalse\n", '""\nTrue\n'], id="truths with gaps"),
        pytest.param(["1\n2\n", '""\n'], id="whole numbers, and a part without a value"),
        pytest.param(["1\n2\n", "2.5\n"], id="whole numbers and decimals"),
        pytest.param(["1\n2\n", "3\n"], id="whole numbers"),
        pytest.param(["x\n", '""\n'], id="text, and a part without a value"),
    ],
)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_values_are_those_that_pandas_reads_of_all(texts: list[str], turned: bool) -> None:
    texts = texts[::-1] if turned else texts
    progress, parts = Progress(), [pd.read_csv(io.StringIO("a\n" + text)) for text in texts]

    surveyed(each_of(*parts), progress)

    whole = pd.read_csv(io.StringIO("a\n" + "".join(texts)))
    rows = [half for part in parts for half in halves(part)]
    made = pd.concat([conformed(half, progress, number) for number, half in zip(progress.starts, rows, strict=True)])
    pd.testing.assert_frame_equal(made, whole)


def test_a_part_of_everywhere_is_kept_of_very_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbprod.codegen.runtime.surveying.SPREAD", 50)
    parts = [pd.DataFrame({"a": np.full(rows, rows)}) for rows in (1, 3000, 5, 2)]

    first, _, spread = surveyed(each_of(*parts), Progress())

    assert {at: set(some["a"]) for at, some in spread.items()} == {0: {1}, 1: {3000}, 2: {5}, 3: {2}}
    assert sum(map(len, spread.values())) < 100
    assert len(first) == 3008
