"""Column names of workbooks, held against pandas."""

from __future__ import annotations

import ast
import os
import random
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pytest

from nbprod.analysis import analyse
from nbprod.analysis.headers import likely_headers, read_headers
from nbprod.analysis.workbooks import LARGEST_PART, workbook_header
from nbprod.notebook import read_text
from nbprod.plan import make_plan

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _written(path: Path, rows: list[list[Any]], *, shared: bool = True) -> Path:
    """A workbook of two sheets, the first of these rows, with its texts in a part of their own or in the cells."""
    texts = list(dict.fromkeys(value for row in rows for value in row if isinstance(value, str)))
    sheets = [_sheet(rows, texts if shared else None), _sheet([["x"]], None)]
    numbers = range(1, 3)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/>'
        + "".join(f'<Override PartName="/xl/s{n}.xml" ContentType="{KIND}.worksheet+xml"/>' for n in numbers)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="s{n}.xml"/>' for n in numbers)
        + f'<Relationship Id="t" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{SPREADSHEET}">'
        + "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts)
        + "</sst>",
        **{f"xl/s{n}.xml": sheet for n, sheet in zip(numbers, sheets, strict=True)},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def _sheet(rows: list[list[Any]], texts: list[str] | None) -> str:
    lines = "".join(
        f'<row r="{at}">{"".join(_cell(value, f"{_letters(n)}{at}", texts) for n, value in enumerate(row))}</row>'
        for at, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{lines}</sheetData></worksheet>'


def _cell(value: Any, place: str, texts: list[str] | None) -> str:
    if value is None:
        return f'<c r="{place}"/>'
    if not isinstance(value, str):
        return f'<c r="{place}"><v>{value}</v></c>'
    if texts is None:
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>'


def _letters(number: int) -> str:
    return ("" if number < 26 else chr(64 + number // 26)) + chr(65 + number % 26)


def _called(call: str) -> ast.Call:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    return node


TOLD = [
    pytest.param([["a", "b"], [1, 2]], id="two columns"),
    pytest.param([["a", "long name & more", "é"], [1, "t", None], [None, None, 3.5]], id="text, gaps, signs"),
    pytest.param([["a", "b"], [1, 2], [3, None], [None, None]], id="an empty last row"),
    pytest.param([[f"c{n}" for n in range(30)], list(range(30))], id="more columns than letters"),
    pytest.param([[" a ", "b"], [1, 2]], id="blanks around a name"),
]

NOT_TOLD = [
    pytest.param([["a", "b"], [1, 2, 3]], id="a cell beyond the names"),
    pytest.param([["a", None, "b"], [1, 2, 3]], id="a column without name"),
    pytest.param([["a", "a"], [1, 2]], id="a name twice"),
    pytest.param([["a", 2020], [1, 2]], id="a number for a name"),
    pytest.param([[], ["a", "b"], [1, 2]], id="an empty first row"),
    pytest.param([], id="an empty sheet"),
]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("rows", TOLD)
def test_names_are_those_of_the_first_row(rows: list[list[Any]], shared: bool, tmp_path: Path) -> None:
    path = _written(tmp_path / "t.xlsx", rows, shared=shared)

    assert workbook_header(_called("pd.read_excel('t.xlsx')"), path) == tuple(rows[0])


@pytest.mark.parametrize("rows", TOLD)
def test_names_are_those_that_pandas_reads(rows: list[list[Any]], tmp_path: Path) -> None:
    assert list(pd.read_excel(_written(tmp_path / "t.xlsx", rows)).columns) == rows[0]


@pytest.mark.parametrize("rows", NOT_TOLD)
def test_names_that_the_first_row_does_not_tell_are_left_open(rows: list[list[Any]], tmp_path: Path) -> None:
    path = _written(tmp_path / "t.xlsx", rows)

    assert workbook_header(_called("pd.read_excel('t.xlsx')"), path) is None


@pytest.mark.parametrize(
    "options",
    ["sheet_name='more'", "header=None", "skiprows=1", "usecols='A'", "index_col=0", "names=['x', 'y']", "**options"],
)
def test_options_that_make_other_columns_leave_them_open(options: str, tmp_path: Path) -> None:
    path = _written(tmp_path / "t.xlsx", [["a", "b"], [1, 2]])

    assert workbook_header(_called(f"pd.read_excel('t.xlsx', {options})"), path) is None


def test_what_is_no_workbook_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("a,b")

    assert workbook_header(_called("pd.read_excel('t.xlsx')"), tmp_path / "t.xlsx") is None
    assert workbook_header(_called("pd.read_excel('t.xlsx')"), tmp_path / "gone.xlsx") is None
    assert workbook_header(_called("pd.read_excel('t.xlsx')"), tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.xlsx")

    assert workbook_header(_called("pd.read_excel('t.xlsx')"), tmp_path / "t.xlsx") is None


def test_a_damaged_workbook_has_its_names_or_none(tmp_path: Path) -> None:
    whole = _written(tmp_path / "t.xlsx", [["a", "b"], [1, "t"], [2, "u"]]).read_bytes()
    drawn = random.Random(0)
    call = _called("pd.read_excel('t.xlsx')")
    cut = [whole[:length] for length in range(0, len(whole), 97)]
    changed = []
    for _ in range(400):
        bytes_ = bytearray(whole)
        for _ in range(drawn.randint(1, 8)):
            bytes_[drawn.randrange(len(bytes_))] = drawn.randrange(256)
        changed.append(bytes(bytes_))

    for number, content in enumerate([*cut, *changed]):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)
        header = workbook_header(call, path)
        assert header is None or len(header) == 2


@pytest.mark.parametrize("at, value", [(6, 1), (8, 99)], ids=["encrypted", "packed in a way of its own"])
def test_parts_that_cannot_be_unpacked_have_no_names(at: int, value: int, tmp_path: Path) -> None:
    path = _written(tmp_path / "t.xlsx", [["a", "b"], [1, 2]])
    content = bytearray(path.read_bytes())
    for start in (found.start() for found in re.finditer(b"PK\x03\x04", bytes(content))):
        content[start + at] = value
    for start in (found.start() for found in re.finditer(b"PK\x01\x02", bytes(content))):
        content[start + at + 2] = value
    path.write_bytes(bytes(content))

    assert workbook_header(_called("pd.read_excel('t.xlsx')"), path) is None


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/workbook.xml", "xl/s1.xml"])
def test_a_part_that_unpacks_to_too_much_is_not_read(part: str, tmp_path: Path) -> None:
    _written(tmp_path / "t.xlsx", [["a", "b"], [1, 2]])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as small:
        parts = {name: small.read(name) for name in small.namelist()}
    with zipfile.ZipFile(tmp_path / "large.xlsx", "w", zipfile.ZIP_DEFLATED) as large:
        for name, content in parts.items():
            large.writestr(name, content + b" " * LARGEST_PART if name == part else content)

    call = _called("pd.read_excel('t.xlsx')")
    assert workbook_header(call, tmp_path / "t.xlsx") == ("a", "b")
    assert workbook_header(call, tmp_path / "large.xlsx") is None


def test_a_workbook_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    told = [workbook_header(_called("pd.read_excel('t.xlsx')"), _written(path, [names])) for names in (["a"], ["bcd"])]

    assert told == [("a",), ("bcd",)]


def test_the_columns_of_a_workbook_are_known_as_those_of_a_text_file(tmp_path: Path) -> None:
    _written(tmp_path / "t.xlsx", [["a", "b"], [1, 2]])
    code = "import pandas as pd\ndf = pd.read_excel('t.xlsx')\nX, y = df.iloc[:, :-1], df.iloc[:, -1]\n"
    code += "from sklearn.linear_model import LinearRegression\nm = LinearRegression().fit(X, y)\nm.predict(X)\n"
    notebook = read_text(code, str(tmp_path / "nb.py"))
    told = read_headers(analyse(notebook).events, tmp_path)

    assert told == likely_headers([code], tmp_path) == {"t.xlsx": ("a", "b")}
    assert make_plan(notebook, analyse(notebook, told)).target == "b"
