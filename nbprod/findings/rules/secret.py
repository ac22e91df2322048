"""`secret`: a password, key or token stands in a cell or in a saved output. The finding never repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Cell, Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook.redact import Pattern, patterns_for, secrets_in


def find(notebook: Notebook, _analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `secret`."""
    among = patterns_for("\n".join(text for cell in notebook.cells for text in (cell.source, cell.outputs_text)))
    if not among:
        return
    for cell in notebook.cells:
        yield from _in_source(cell, among)
        for what in dict.fromkeys(secret.what for secret in secrets_in(cell.outputs_text, among)):
            yield _finding(
                cell, 1, f"a saved output holds {what}", "clear the output, and replace the secret: it is in the file"
            )


def _in_source(cell: Cell, among: Sequence[Pattern]) -> Iterator[Finding]:
    for secret in secrets_in(cell.source, among):
        line = cell.source.count("\n", 0, secret.start) + 1
        yield _finding(
            cell,
            line,
            f"{secret.what} stands in the code",
            "read it from the environment (os.environ) or a keyring, and replace it: it is in the file's history",
        )


def _finding(cell: Cell, line: int, message: str, hint: str) -> Finding:
    return Finding("secret", Severity.ERROR, message, cell.index, cell.id, line, line, hint)
