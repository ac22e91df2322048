"""What the magics keep of the past, in a real IPython shell: the frames as they were read, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from nbprod.magics import watching
from nbprod.magics.watching import Past

READ = 'df = pd.read_csv("rows.csv")'


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_cell("import pandas as pd")
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def past(shell: Any) -> Iterator[Past]:
    past = Past(shell)
    shell.events.register("post_run_cell", past.after_cell)
    yield past
    shell.events.unregister("post_run_cell", past.after_cell)


def ran(shell: Any, *cells: str) -> None:
    for cell in cells:
        with capture_output():
            shell.run_cell(cell)


@pytest.mark.parametrize(
    "cells, kept",
    [
        pytest.param([READ, 'df["a"] = 0'], {"df": [1, 3]}, id="as it was read"),
        pytest.param([READ, "df = df.head(1)", READ], {"df": [1, 3]}, id="read again"),
        pytest.param([READ, READ.replace("df", "other")], {"df": [1, 3], "other": [1, 3]}, id="two tables"),
        pytest.param([READ, READ + '\ndf["a"] = 0\n1 / 0'], {}, id="a reading cell that fails"),
        pytest.param([READ, READ.replace("rows", "gone")], {}, id="a file that is gone"),
        pytest.param([READ, "1 / 0"], {"df": [1, 3]}, id="another cell that fails"),
        pytest.param([READ, READ + "\ndf["], {"df": [1, 3]}, id="a cell that was never run"),
    ],
)
def test_what_is_kept(shell: Any, past: Past, cells: list[str], kept: dict[str, list[int]]) -> None:
    ran(shell, *cells)
    assert {name: list(frame["a"]) for name, frame in past.kept.items()} == kept


@pytest.mark.parametrize(
    "frames, kept",
    [
        pytest.param(3, ["df0", "df1", "df2"], id="as many as there is room for"),
        pytest.param(4, ["df1", "df2", "df3"], id="the one read first goes"),
        pytest.param(6, ["df3", "df4", "df5"], id="and the next"),
    ],
)
def test_all_copies_together_are_bounded(
    shell: Any, past: Past, monkeypatch: pytest.MonkeyPatch, frames: int, kept: list[str]
) -> None:
    ran(shell, READ)
    size = int(past.kept.pop("df").memory_usage(deep=False).sum())
    monkeypatch.setattr(watching, "MOST", 3 * size)
    ran(shell, *(READ.replace("df", f"df{number}") for number in range(frames)))
    assert list(past.kept) == kept
