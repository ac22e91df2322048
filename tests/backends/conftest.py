from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbprod.model.notebook import Notebook
from nbprod.model.plan import CallPlace
from nbprod.notebook import read

ROWS = """age,sex,fare,alive
22,m,7.25,0
38,f,71.3,1
26,f,7.9,1
,m,8.05,0
35,f,53.1,1
54,m,51.9,0
2,m,21.1,0
27,f,11.1,1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a notebook's own with a small data file."""
    home = tmp_path / "project"
    (home / "data").mkdir(parents=True)
    (home / "data" / "rows.csv").write_text(ROWS, encoding="utf-8")
    return home


@pytest.fixture
def notebook(folder: Path) -> Callable[..., Notebook]:
    """Write code cells (text, or text with tags) as a notebook in the folder and read it back."""

    def write(
        *cells: str | tuple[str, list[str]], kernel: str | None = "python3", name: str = "work.ipynb"
    ) -> Notebook:
        document: Any = nbformat.v4.new_notebook()
        if kernel:
            document.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        for cell in cells:
            text, tags = cell if isinstance(cell, tuple) else (cell, [])
            document.cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": tags} if tags else {}))
        path = folder / name
        nbformat.write(document, path)
        return read(path)

    return write


def place_of(notebook: Notebook, text: str, occurrence: int = 0) -> CallPlace:
    """The place of a call in the notebook, by its text."""
    found = []
    for cell in notebook.cells:
        for node in ast.walk(ast.parse(cell.code)):
            if isinstance(node, ast.Call) and ast.get_source_segment(cell.code, node) == text:
                end = node.end_lineno or 0, node.end_col_offset or 0
                found.append(CallPlace(cell.index, node.lineno, node.col_offset, *end, text))
    return sorted(found, key=lambda place: (place.cell, place.line, place.column))[occurrence]


@pytest.fixture
def call() -> Callable[..., CallPlace]:
    return place_of
