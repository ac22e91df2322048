"""What the files beside the notebook say of a join."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.analysis import analyse
from nbprod.analysis.headers import read_headers
from nbprod.analysis.keys import MOST_ROWS, read_joins
from nbprod.notebook import read_text

READ = "import pandas as pd\na = pd.read_csv('a.csv')\nb = pd.read_csv('b.csv')\n"


def joins_of(folder: Path, code: str) -> list[str]:
    notebook = read_text(READ + code, str(folder / "nb.py"))
    headers = read_headers(analyse(notebook).events, folder)
    return list(read_joins(analyse(notebook, headers).run.joined, folder).values())


@pytest.mark.parametrize(
    "a, b, expected",
    [
        pytest.param("1 2 3", "3 2 1", ["records"], id="one row for each row"),
        pytest.param("1 2 3", "3 1", ["records"], id="a row for some rows"),
        pytest.param("1 2 3", "3 1 4", ["lookup"], id="one row each, of a table that knows more"),
        pytest.param("1 2 1", "1 2", ["lookup"], id="keys of the left that repeat"),
        pytest.param("1 2", "1 2 1", ["left-lookup"], id="keys of the right that repeat"),
        pytest.param("1 2 1", "1 2 1", ["many"], id="keys of both that repeat"),
    ],
)
def test_kinds(a: str, b: str, expected: list[str], tmp_path: Path) -> None:
    for name, keys in (("a", a), ("b", b)):
        (tmp_path / f"{name}.csv").write_text("k,v\n" + "".join(f"{key},0\n" for key in keys.split()))
    assert joins_of(tmp_path, "c = a.merge(b, on='k')") == expected


@pytest.mark.parametrize(
    "code, expected",
    [
        pytest.param("c = pd.merge(a, b)", ["records"], id="by what both have"),
        pytest.param("c = pd.merge(left=a, right=b, left_on=['k'], right_on='k')", ["records"], id="names for both"),
        pytest.param("c = a.set_index('k').join(b.set_index('k'), rsuffix='_b')", ["records"], id="by index"),
        pytest.param("c = a.merge(b.rename(columns={'k': 'n'}), left_on='k', right_on='n')", ["records"], id="renamed"),
        pytest.param("c = a[a.v > 0].merge(b, on='k')", ["records"], id="of some rows"),
        pytest.param("c = a.merge(b.drop_duplicates('k'), on='k')", ["records"], id="keys that do not repeat anyway"),
        pytest.param("a['k'] = a['k'].str[:2]\nc = a.merge(b, on='k')", [], id="keys that were changed"),
        pytest.param("c = a.merge(b.groupby('k').mean(), on='k')", [], id="a learned table"),
        pytest.param("c = a.merge(b, on=unknown())", [], id="keys that nobody knows"),
    ],
)
def test_spellings(code: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,v\nx1,0\nx2,0\n")
    (tmp_path / "b.csv").write_text("k,w\nx2,1\nx1,0\n")
    assert joins_of(tmp_path, code) == expected


def test_a_table_whose_repeated_keys_were_dropped_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k\n1\n2\n")
    (tmp_path / "b.csv").write_text("k,v\n1,0\n1,1\n")
    assert joins_of(tmp_path, "c = a.merge(b.drop_duplicates('k'), on='k')") == []


@pytest.mark.parametrize("missing", ["a.csv", "b.csv"])
def test_without_a_file_nothing_is_told(missing: str, tmp_path: Path) -> None:
    for name in {"a.csv", "b.csv"} - {missing}:
        (tmp_path / name).write_text("k\n1\n2\n")
    assert joins_of(tmp_path, "c = a.merge(b, on='k')") == []


def test_a_file_that_is_longer_than_the_bound_may_repeat_later(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k\n" + "".join(f"{n}\n" for n in range(MOST_ROWS + 1)))
    (tmp_path / "b.csv").write_text("k\n1\n2\n")
    assert joins_of(tmp_path, "c = a.merge(b, on='k')") == []


def test_a_join_upon_a_join_is_told_by_the_first_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"k,{name}\n1,0\n2,0\n")
    notebook = read_text(READ + "c = a.merge(b, on='k').merge(b, on='k')", str(tmp_path / "nb.py"))
    headers = read_headers(analyse(notebook).events, tmp_path)
    first = read_joins(analyse(notebook, headers).run.joined, tmp_path)
    second = read_joins(analyse(notebook, headers, 3, first).run.joined, tmp_path)
    assert list(second.values()) == ["records", "records"]
