"""What `%nbprod check --live` needs of the past: the raw frame as it was read, and which cell ran last."""

from __future__ import annotations

import ast
from typing import Any

from nbprod.notebook.parsed import syntax_tree

MOST = 512 * 2**20
"""Bytes: larger frames are kept only where pandas copies on write, so that the copy costs nothing by itself."""


class Past:
    """Looks at each cell after it ran. It runs nothing, and keeps a copy of one frame."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.ran: dict[str, int] = {}
        self.kept: dict[str, Any] = {}
        self._number = 0

    def after_cell(self, result: Any) -> None:
        """IPython's `post_run_cell`."""
        cell = getattr(result.info, "cell_id", None)
        self._number += 1
        if cell:
            self.ran[cell] = self._number
        if result.error_before_exec is None and result.error_in_exec is None:
            for name in _read_in(self._code_of(result.info.raw_cell)):
                self._keep(name)

    def _code_of(self, cell: str) -> str:
        """The cell as Python; magics are calls there."""
        return str(self.shell.transform_cell(cell)) if "read_" in cell else ""

    def _keep(self, name: str) -> None:
        from nbprod.api.kernel import is_frame

        frame = self.shell.user_ns.get(name)
        self.kept.pop(name, None)
        if not is_frame(frame):
            return
        lazily = _copies_on_write()
        if lazily or int(frame.memory_usage(deep=False).sum()) <= MOST:
            self.kept[name] = frame.copy(deep=not lazily)


def _read_in(source: str) -> list[str]:
    """The names that a cell assigns what a `read_…` call gives."""
    try:
        tree = syntax_tree(source)
    except SyntaxError:
        return []
    return [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _reads(node.value.func)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def _reads(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name.startswith("read_")


def _copies_on_write() -> bool:
    import pandas as pd

    if int(pd.__version__.split(".")[0]) >= 3:
        return True
    return bool(pd.get_option("mode.copy_on_write") is True)
