"""Findings at a statement of the notebook."""

from __future__ import annotations

from collections.abc import Sequence

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Related, Severity
from nbprod.notebook.formats import lines_of


def finding_at(
    analysis: Analysis,
    statement: int,
    rule: str,
    severity: Severity,
    message: str,
    hint: str | None = None,
    related: tuple[Related, ...] = (),
) -> Finding:
    """A finding about one statement, by its number."""
    place = analysis.program.statements[statement]
    return Finding(
        rule,
        severity,
        message,
        place.cell,
        analysis.program.cell_ids[place.cell],
        place.line,
        place.end_line,
        hint,
        related,
    )


def related_at(analysis: Analysis, statement: int, message: str) -> Related:
    """Another statement that belongs to a finding."""
    place = analysis.program.statements[statement]
    return Related(place.cell, place.line, message)


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def text_of(analysis: Analysis, statement: int, longest: int = 60) -> str:
    """The first line of a statement, shortened."""
    place = analysis.program.statements[statement]
    text = lines_of(analysis.program.sources[place.cell])[place.line - 1].strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"
