"""What must be right in a notebook before a package is made of it, though it can be analysed without."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nbprod.analysis import Analysis
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Severity
from nbprod.model.notebook import Notebook, Role
from nbprod.model.plan import FeaturePlan, Refusal
from nbprod.notebook.formats import lines_of
from nbprod.notebook.parsed import nodes_below, syntax_tree
from nbprod.notebook.roles import role_findings

MOST_COLUMNS = 40
"""Names of columns that a hint lists."""

INSTALLS = re.compile(r"\b(pip|conda|mamba|uv)\b.*\binstall\b", re.DOTALL)
"""What a cell says that installs something."""


def hold_to_roles(notebook: Notebook) -> None:
    """Raises NbprodError `conflicting-role` or `unknown-role` at the first cell whose role cannot be told."""
    for finding in role_findings(notebook):
        if finding.severity is Severity.ERROR:
            where = Where(notebook.path, finding.cell, finding.cell_id, finding.line)
            hint = None if finding.hint is None else finding.hint.partition(";")[0]
            raise NbprodError(finding.message, code=finding.rule, where=where, hint=hint)


def hold_to_columns(notebook: Notebook, plan: FeaturePlan, analysis: Analysis) -> None:
    """Raises NbprodError `no-target` where the labels are taken from a column that the table does not have.

    That is known where the table's file lies where the notebook reads it.
    """
    path = Path(notebook.path).parent / (plan.raw.path or "")
    if not plan.columns or not path.is_file() or plan.target is not None:
        return
    fits = (event for event in analysis.events if event.kind == "fit" and len(event.facts) > 1)
    labels = [each.facts[1] for each in fits if analysis.program.statements[each.statement].cell == plan.model.fit.cell]
    if not labels or labels[-1].inputs - {"*"} or not labels[-1].assumed:
        return
    # The lowest bit is the first statement that takes something which nothing is known of.
    place = analysis.program.statements[(labels[-1].assumed & -labels[-1].assumed).bit_length() - 1]
    raise NbprodError(
        f"the labels are taken from no column that {plan.raw.path} has",
        code="no-target",
        where=Where(notebook.path, place.cell, notebook.cells[place.cell].id, place.line),
        hint=f"its columns: {_listed(plan.columns)}",
    )


def _listed(columns: Sequence[object]) -> str:
    """Names as code has them: a blank at an end is what they differ by at times."""
    more = f" and {len(columns) - MOST_COLUMNS} more" if len(columns) > MOST_COLUMNS else ""
    return ", ".join(repr(column) for column in columns[:MOST_COLUMNS]) + more


def modules_of(project: Path, notebook: Notebook, files: Mapping[str, bytes]) -> dict[str, str]:
    """Top-level modules that a package needs to be trained, and that lie in the project: by name the file or folder.

    They lie beside the notebook, above it within the project, or in a folder of one of these. There are none where the
    notebook itself installs something: that may be they.
    """
    if any(INSTALLS.search(cell.source) for cell in notebook.cells):
        return {}
    folder = Path(notebook.path).resolve().parent
    above = [each for each in (folder, *folder.parents) if each.is_relative_to(project.resolve())]
    places = [place for each in above for place in (each, *_folders(each))]
    texts = (files[name].decode() for name in ("features.py", "train.py") if name in files)
    found = {}
    for name in sorted({name for text in texts for name in _imported(text)} - sys.stdlib_module_names):
        own = (each for place in places for each in (place / f"{name}.py", place / name) if each.exists())
        first = next(own, None)
        if first is not None:
            found[name] = os.path.relpath(first, folder)
    return found


def hold_to_modules(notebook: Notebook, own: Mapping[str, str], not_found: Iterable[str]) -> None:
    """Raises NbprodError `own-module` where a package needs a module that only the notebook finds, by where it lies."""
    for name in not_found:
        for cell in notebook.cells:
            lines = [] if cell.fault is not None else [at for at, each in _imports(cell.code) if each == name]
            if lines:
                raise NbprodError(
                    f"the package needs {name}, which lies in {own[name]} and is not installed: it could not import it "
                    "where it is trained and served",
                    code="own-module",
                    where=Where(notebook.path, cell.index, cell.id, lines[0]),
                    hint="install it in the kernel's environment (pip install -e, with a pyproject.toml), or move what "
                    "is used of it into a cell",
                )


def _folders(place: Path) -> Iterator[Path]:
    """The folders of a folder, but for hidden ones; none where it can't be read."""
    with suppress(OSError):
        yield from sorted(each for each in place.iterdir() if each.is_dir() and each.name[:1] != ".")


def _imported(text: str) -> set[str]:
    return {name for _, name in _imports(text)}


def _imports(text: str) -> Iterator[tuple[int, str]]:
    """The line and the top-level module of each import."""
    for node in nodes_below(syntax_tree(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def unread(notebook: Notebook, plan: FeaturePlan) -> Iterator[Refusal]:
    """Cells up to the training call that do not parse: what they would do to the rows nobody can tell."""
    for cell in notebook.cells:
        if cell.fault is not None and cell.index <= plan.model.fit.cell and cell.role is not Role.EXPLORE:
            lines = lines_of(cell.source, keepends=False)
            at = min(max(cell.fault.line, 1), len(lines))
            yield Refusal(
                cell.index,
                at,
                lines[at - 1].strip() or "this cell",
                f"this cell does not parse ({cell.fault.message}), and it may change the rows that the model is given",
                "mend the cell, or give it the role explore to leave it out",
            )
