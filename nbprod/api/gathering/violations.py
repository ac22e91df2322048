"""SK-5: violations of the schema are planted in a record, and in a table of one row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "plant_violations.py"
MOST_REFUSED = 0.001
"""The share of training rows that a contract may refuse: more, and it is no contract of these rows."""


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of SK-5."""
    if ground.serves_batches:
        raise UntriedError("the package serves whole batches, and has one path alone")
    captures = "" if ground.last is None else str(ground.captures)
    told = ground.asked(SCRIPT, captures, given=ground.records[0])
    faults = [*told["apart"], *(f"{each}: neither path tells of it" for each in told["passed"])]
    if told["rows"] and told["refused"] > MOST_REFUSED * told["rows"]:
        faults.append(f"the contract refuses {told['refused']:,} of {told['rows']:,} training rows")
    number = ground.version.number
    if not told["planted"]:
        raise UntriedError(f"the contract of version {number} asks for nothing that could be violated")
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        yield ground.seen("SK-5", False, f"version {number}: {'; '.join(faults[:3])}{more}", numbers=told)
        return
    rows = f"; {told['refused']:,} of {told['rows']:,} training rows are refused" if told["rows"] else ""
    text = f"version {number} refuses or flags {told['planted']} planted violations alike on both paths{rows}"
    yield ground.seen("SK-5", True, text, numbers=told)


PROBE = Probe(("SK-5",), "planting violations of the schema", run)
