"""What must be right in a notebook before a package is made of it, though it can be analysed without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nbprod.analysis import Analysis
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Severity
from nbprod.model.notebook import Notebook, Role
from nbprod.model.plan import FeaturePlan, Refusal
from nbprod.notebook.formats import lines_of
from nbprod.notebook.roles import role_findings

MOST_COLUMNS = 40
"""Names of columns that a hint lists."""


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
