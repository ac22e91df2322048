"""Column names of a workbook of Excel that lies beside the notebook: its first sheet is looked at, nothing is run.

pandas makes columns of all cells, wherever they stand, so the whole sheet is gone through: the first row tells the
columns where it is text from the first cell on, and no cell stands beyond it. The format is ECMA-376, Part 1, 18.3.
"""

from __future__ import annotations

import ast
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

LARGEST_PART = 1 << 24
"""Bytes of a part, unpacked, at most: larger ones take too long for what is asked at each change of a notebook."""

INDECISIVE = frozenset({"io", "dtype", "engine", "na_values", "parse_dates", "converters"})
"""Options of `read_excel` that leave names and number of the columns as they are."""

UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, ElementTree.ParseError, LookupError, ValueError),
    RuntimeError,  # a part is encrypted, or packed in a way that is not known here
)
"""What a file raises that is no workbook, or is none any more."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def workbook_header(node: ast.Call, path: Path) -> tuple[str, ...] | None:
    """The columns that `pd.read_excel(path)` gives; None where options or cells may make others of them."""
    if len(node.args) > 1 or any(keyword.arg not in INDECISIVE for keyword in node.keywords):
        return None
    try:
        if not path.is_file():  # a pipe would wait for its writer
            return None
        changed = path.stat()
        return _header(path, changed.st_mtime_ns, changed.st_size)
    except UNREADABLE:
        return None


@lru_cache(maxsize=16)
def _header(path: Path, _changed: int, _size: int) -> tuple[str, ...] | None:
    with zipfile.ZipFile(path) as archive:
        sheet = _first_sheet(archive)
        first: dict[int, ElementTree.Element] = {}
        width = 0
        for row, column, cell in _cells(archive, sheet):
            width = max(width, column + 1)
            if row == 1:
                first[column] = cell
        is_shared = any(cell.get("t") == "s" for cell in first.values())
        shared = list(ElementTree.fromstring(_part(archive, "xl/sharedStrings.xml").read())) if is_shared else []
        names = [_text(first[column], shared) for column in range(width)]
    if not all(names) or len(set(names)) < len(names):
        return None
    return tuple(name for name in names if name is not None) or None


def _part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A part of the file. Raises ValueError where it is too large; more than it says of itself is never read."""
    if archive.getinfo(name).file_size > LARGEST_PART:
        raise ValueError(f"{name} is too large")
    return archive.open(name)


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The name of the first sheet's part. Raises KeyError where it is none of cells."""
    book = ElementTree.fromstring(_part(archive, "xl/workbook.xml").read())
    sheet = book.findall(f"{_MAIN}sheets/{_MAIN}sheet")[0]
    for each in ElementTree.fromstring(_part(archive, "xl/_rels/workbook.xml.rels").read()):
        if each.get("Id") == sheet.attrib[_RELATION] and each.attrib["Type"].endswith("/worksheet"):
            target = each.attrib["Target"]
            return target[1:] if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet.get("name"))


def _cells(archive: zipfile.ZipFile, sheet: str) -> Iterator[tuple[int, int, ElementTree.Element]]:
    """The cells that hold something: the row as it is numbered, the column from 0 on.

    Raises ValueError for a cell that does not say where it stands.
    """
    with _part(archive, sheet) as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag != f"{_MAIN}row":
                continue
            for cell in element.iter(f"{_MAIN}c"):
                place = re.fullmatch(r"([A-Z]+)([0-9]+)", cell.get("r", ""))
                if place is None:
                    raise ValueError(f"a cell of {sheet} has no place")
                if cell.find(f"{_MAIN}v") is not None or cell.find(f"{_MAIN}is") is not None:
                    yield int(place[2]), _number(place[1]), cell
            element.clear()


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _text(cell: ElementTree.Element, shared: Sequence[ElementTree.Element]) -> str | None:
    """The text of a cell; None for a number, a date or an error, and for signs that are written in another way."""
    match cell.get("t"):
        case "s":
            found = _joined(shared[int(cell.findtext(f"{_MAIN}v", ""))])
        case "inlineStr":
            found = "".join(_joined(each) for each in cell.iter(f"{_MAIN}is"))
        case "str":
            found = cell.findtext(f"{_MAIN}v", "")
        case _:
            return None
    return None if "_x" in found else found


def _joined(item: ElementTree.Element) -> str:
    """The text of an item, plain or in runs of their own format, without what only tells how it is spoken."""
    own = [*item.findall(f"{_MAIN}t"), *item.findall(f"{_MAIN}r/{_MAIN}t")]
    return "".join(each.text or "" for each in own)
