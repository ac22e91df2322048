"""`stale-output`: a saved output that the cell's code of today did not give.

The file has no record of what was run, so only two things are proof: a result that carries another execution count than
its cell, and a saved error that quotes a line of the cell which no longer stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Cell, Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook.formats import lines_of
from nbprod.notebook.outputs import COLOURS

# IPython's headers of a frame in a cell: `Cell In[3], line 2`, `Input In [3], in <cell line: 2>()`, and
# `<ipython-input-3-0123abcd> in <module>`, which may end in `()`.
_FRAME = re.compile(
    r"^(?:Cell In ?\[(\d+)\], line \d+|Input In \[(\d+)\], in .*|<ipython-input-(\d+)-\w+> in <module>(?:\(\))?)\s*$",
    re.MULTILINE,
)
_ARROW = re.compile(r"^-+> (\d+) ?(.*)$", re.MULTILINE)


def find(notebook: Notebook, _analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `stale-output`."""
    for cell in notebook.cells:
        quoted = _no_longer_there(cell)
        if None not in (cell.execution_count, cell.result_count) and cell.execution_count != cell.result_count:
            yield _finding(
                cell, 1, f"the saved result is of run [{cell.result_count}], and the cell's is [{cell.execution_count}]"
            )
        elif quoted is not None:
            last = max(1, len(lines_of(cell.source, keepends=False)))
            yield _finding(cell, min(quoted, last), "the saved error quotes other code")


def _no_longer_there(cell: Cell) -> int | None:
    """The line of the cell that its saved error quotes otherwise than it stands."""
    text = COLOURS.sub("", cell.outputs_text)
    lines = lines_of(cell.source, keepends=False)
    frames = list(_FRAME.finditer(text))
    for at, frame in enumerate(frames):
        count = next(group for group in frame.groups() if group is not None)
        end = frames[at + 1].start() if at + 1 < len(frames) else len(text)
        arrow = _ARROW.search(text, frame.end(), end)
        if arrow is None or int(count) != cell.execution_count:
            continue
        number = int(arrow[1])
        stands = lines[number - 1].strip() if number <= len(lines) else ""
        # IPython shows the code after magics were rewritten, and cuts what is long.
        if arrow[2].strip() and "get_ipython()" not in arrow[2] and not _same(arrow[2].strip(), stands):
            return number
    return None


def _same(quoted: str, stands: str) -> bool:
    return quoted == stands or stands.startswith(quoted) or (stands.endswith("?") and not quoted)


def _finding(cell: Cell, line: int, message: str) -> Finding:
    return Finding(
        "stale-output",
        Severity.WARNING,
        f"{message}: the cell was changed after it was run",
        cell.index,
        cell.id,
        line,
        line,
        "run the notebook from the top, and save it",
    )
