"""NB-1: the notebook runs from top to bottom."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import NO_RUN, RUN, contradicted, missing, no_run, proved, show_cell, stale


def _judge(facts: Facts) -> Told:
    """By the newest run of this very text; what another text did tells nothing of it."""
    if not facts.runs_of_this:
        return _by_another_text(facts)
    newest = facts.runs_of_this[0]
    name = f"run {newest.run_id[:8]} of this very notebook"
    match newest.status:
        case "FINISHED":
            return _shows_otherwise(facts) or proved(f"{name}, in a fresh kernel, finished{_unsettled(facts)}")
        case "FAILED":
            error = newest.tags.get("nbprod.error", "why is not known")
            return contradicted(f"the last {name} failed: {error}", _says_otherwise(facts), RUN)
        case "RUNNING" | "SCHEDULED":
            return missing(f"{name} has not ended", RUN)
        case _:
            return missing(f"the last {name} was stopped", RUN)


def _shows_otherwise(facts: Facts) -> Told | None:
    """By the first of the cells that show something else: its way out is to save what was run, or to clear it."""
    settled = [each for each in facts.shown_otherwise if each.settled]
    if not settled or facts.as_saved is None:
        return None
    first, count = settled[0], len(settled)
    more = "" if count == 1 else f", and {count - 1} more cell{'s' if count > 2 else ''}"
    shown = f'shows "{first.fresh}"' if first.fresh else "does not show all of what is saved"
    against = f'the output that is saved there: "{first.saved}"' if first.saved else "the output that is saved there"
    text = f"run {facts.as_saved.run_id[:8]} of this very notebook {shown} in cell {first.cell}{more}"
    return contradicted(text, against, show_cell(first.cell))


def _unsettled(facts: Facts) -> str:
    """What a second run would settle."""
    if not facts.shown_otherwise:
        return ""
    first = facts.shown_otherwise[0]
    shown = f'it shows "{first.fresh}" in cell {first.cell}, where "{first.saved}" is saved'
    return f"; {shown}: whether that is chance is settled by nbprod readiness NOTEBOOK --gather --only RP-2"


def _by_another_text(facts: Facts) -> Told:
    if not facts.runs:
        return no_run(facts)
    last = facts.runs[0]
    if last.status == "FAILED":
        error = last.tags.get("nbprod.error", "why is not known")
        return missing(f"{NO_RUN}; the last run, {last.run_id[:8]}, was of another text, and failed: {error}", RUN)
    return stale(f"{NO_RUN}; the last run, {last.run_id[:8]}, was of another text", RUN)


def _says_otherwise(facts: Facts) -> str | None:
    """What says that the notebook does run through, though its last run failed."""
    if facts.finished is not None:
        return f"run {facts.finished.run_id[:8]} of the same text, which finished"
    return "the outputs that are saved in it" if any(cell.outputs_text for cell in facts.notebook.cells) else None


CHECK = Check(
    id="NB-1",
    title="The notebook runs from top to bottom",
    why="A notebook that was run cell by cell may rest on an order that nobody can repeat. "
    "Only a run in a fresh kernel shows that its text makes its results.",
    source="ML Test Score, Infra 3: an integration test covers the whole pipeline",
    step="run it in a fresh kernel: nbprod run NOTEBOOK; save what it shows, or clear the outputs",
    judge=_judge,
    tests=("Infra 3",),
    blocking=True,
)
