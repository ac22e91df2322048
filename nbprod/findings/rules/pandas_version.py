"""`pandas-version`: a write to a column taken out of a frame, which reaches the frame under one pandas only."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.mutation import COPY_ON_WRITE
from nbprod.analysis.views import ViewWrite
from nbprod.findings.places import finding_at
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `pandas-version`: only of frames that a later cell uses."""
    seen: set[int] = set()
    for write in analysis.run.view_writes:
        if write.statement in seen or not _is_used_later(analysis, write):
            continue
        seen.add(write.statement)
        frame = write.names[0]
        target = f"{frame}[{write.column!r}]" if write.column else f"a column of {frame}"
        if analysis.run.pandas_major >= COPY_ON_WRITE:
            severity, effect = Severity.WARNING, f"has no effect under pandas 3: {frame} stays as it was"
        else:
            severity, effect = (
                Severity.INFO,
                f"changes {frame} under pandas 2, and has no effect under pandas 3",
            )
        yield finding_at(
            analysis,
            write.statement,
            "pandas-version",
            severity,
            f"this write to {target} {effect}",
            f"assign the result to {target}, which means the same under both" if write.column else "assign the result",
        )


def _is_used_later(analysis: Analysis, write: ViewWrite) -> bool:
    if not write.names:
        return False
    cell = analysis.program.statements[write.statement].cell
    return any(name in effects.uses for effects in analysis.effects[cell + 1 :] for name in write.names)
