"""SK-6: the rows that trained and those that tested are split as is declared: by time, by group, or by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbprod import replay
from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.model.readiness import Evidence

INPUTS = ("the data", "split", "time")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of SK-6 where it is declared how rows are split."""
    stated = ground.facts.settings.split
    if stated.kind is None:
        return
    column = stated.column or (ground.facts.settings.data.time if stated.kind == "time" else None)
    if column is None and stated.kind != "random":
        raise UntriedError(f"split.column does not say by which column rows are split by {stated.kind}")
    told = ground.replayed(replay.split_rows, kind=stated.kind, column=column)
    held, text = judged(told, column)
    said = f"split.kind = {stated.kind}" + (f", by {column}" if column else "")
    against = None if held else said
    yield ground.seen("SK-6", held, f"{said}: {text}", *INPUTS, contradicts=against, numbers=told)


def judged(told: Mapping[str, Any], column: str | None) -> tuple[bool, str]:
    """Whether rows are split so, and in words."""
    rows = f"{told['trained']:,} rows trained and {told['held_out']:,} others tested"
    if "shared" in told:
        shared = told["shared"]
        return not shared, f"{rows}; {shared:,} of {told['groups']:,} values of {column} are on both sides"
    if "latest" in told:
        late = told["not later"]
        text = f"{rows}; training goes up to {told['latest']}, tests begin at {told['earliest']}"
        return not late, f"{text}, and {late:,} of them are not later" if late else text
    return True, rows


PROBE = Probe(("SK-6",), "looking at how rows are split", run, inputs=INPUTS)
