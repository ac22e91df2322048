"""What `%nbprod check --live` needs of the past: the raw frame as it was read, and which cell ran last."""

from __future__ import annotations

import ast
from typing import Any

from nbprod.notebook.parsed import syntax_tree

MOST = 512 * 2**20
"""Bytes of all copies together; only the newest is kept beyond, where pandas copies on write and it costs nothing."""


class Past:
    """Looks at each cell after it ran. It runs nothing, and keeps copies of the frames read last."""

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
        if result.error_before_exec is not None:
            return
        for name in _read_in(self._code_of(result.info.raw_cell)):
            # A cell that fails may have read the frame anew before, or changed it: what was kept is not it any more.
            self.kept.pop(name, None)
            if result.error_in_exec is None:
                self._keep(name)

    def _code_of(self, cell: str) -> str:
        """The cell as Python; magics are calls there."""
        return str(self.shell.transform_cell(cell)) if "read_" in cell else ""

    def _keep(self, name: str) -> None:
        from nbprod.api.kernel import is_frame

        frame = self.shell.user_ns.get(name)
        lazily = _copies_on_write()
        if not is_frame(frame) or not (lazily or _size(frame) <= MOST):
            return
        while self.kept and _size(frame) + sum(map(_size, self.kept.values())) > MOST:
            del self.kept[next(iter(self.kept))]
        self.kept[name] = frame.copy(deep=not lazily)


def _size(frame: Any) -> int:
    """Bytes that a copy takes: texts in columns of objects are shared with the frame that it is of."""
    return int(frame.memory_usage(deep=False).sum())


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
