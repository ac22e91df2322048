"""SK-3: edge cases give the same, or are refused alike."""

from __future__ import annotations

from nbprod.config import declared_columns
from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import EXPORT, RUN, by_evidence, contradicted, missing, proved, since_the_fit, stale


def _judge(facts: Facts) -> Told:
    """By both paths at the edges, and by what they do with what is declared of single columns."""
    stated = declared_columns(facts.settings)
    if not stated:
        return _at_edges(facts)
    said = f"columns.{next(iter(stated))}"
    if facts.version is not None and facts.contract.get("stated", {}) != stated:
        return contradicted(f"the contract of version {facts.version.number} does not have it", said, EXPORT)
    told = _at_edges(facts)
    if told.state is not State.PROVED:
        return told
    tried = by_evidence(facts, "SK-3", f"what is declared ({said}) was not tried on both paths")
    return proved(f"{told.evidence}; {tried.evidence}") if tried.state is State.PROVED else tried


def _at_edges(facts: Facts) -> Told:
    """By what the fit has compared: the form for one row against the package's own code, at the edges.

    Where there is no such form, by what was gathered: a record against a table, both through the package's own code.
    """
    if facts.fitted is None:
        return missing("no version of the package is fitted", RUN)
    told, number = facts.one_row, facts.fitted.number
    if not told:
        return missing(f"version {number} was fitted without a comparison at the edges", RUN)
    if told.get("differs"):
        why = f"version {number} answers by its own code alone: the form for one row differs: {told['differs']}"
        return by_evidence(facts, "SK-3", why)
    if not told.get("written") or not told.get("edges"):
        return by_evidence(facts, "SK-3", f"version {number} has no form for one row that its fit could have compared")
    text = f"{told['edges']:,} edge cases give the same on both paths of version {number}, refusals included"
    since = since_the_fit(facts)
    if since is not None:
        return stale(f"{text}, and {since}", RUN)
    failed = [each for each in (facts.proof or {}).get("checks", ()) if each["name"] == "one row without pandas"]
    if any(not each["passed"] for each in failed):
        return contradicted(f"the replay of version {number} found a row on which the two paths part", None, RUN)
    return proved(text)


CHECK = Check(
    id="SK-3",
    title="Edge cases give the same, or are refused alike",
    why="Ordinary rows agree for nearly any careful code; missing values, infinities, bounds of bins and unseen "
    "categories are where two paths part. Each must give the same value or the same refusal.",
    source="ML Test Score, Monitor 5: the model is numerically stable",
    step="fit it: nbprod run NOTEBOOK compares both paths at the edges",
    judge=_judge,
    tests=("Monitor 5",),
    blocking=True,
    keys=("row_policy", "columns"),
    gathered=True,
)
