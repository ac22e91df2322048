"""MO-2, MO-3: faults are planted in training rows, and monitoring must alert for each, and for nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.monitoring import monitor
from nbprod.model.readiness import Evidence

SCRIPT = Path(__file__).parent / "scripts" / "plant_faults.py"


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of the drift that is reported, and of alerts that fire when they should."""
    reference = f"{ground.target.name}@{ground.version.number}"
    with tempfile.TemporaryDirectory(prefix="nbprod-faults-") as folder:
        told = ground.asked(SCRIPT, str(ground.captures), folder)
        found: list[tuple[str, str]] = []
        lost: list[tuple[str, str]] = []
        false: list[str] = []
        for file in told["files"]:
            ground.tell(f"planting faults: {file['says']}")
            report = monitor(reference, rows=file["path"], output=str(ground.target.root))
            alerts = [each for each in report["signals"] if each["alert"]]
            if not file["column"]:
                false = [f"{each['feature']} ({each['what']})" for each in alerts]
                continue
            said = f"{file['says']} in {file['column']}"
            hit = any(each["feature"] == file["column"] and _is_of(each["what"], file["what"]) for each in alerts)
            (found if hit else lost).append((file["what"], said))
    rows, number = told["rows"], ground.version.number
    shift = [said for what, said in found if what == "drift"]
    if any(what == "drift" for what, _ in (*found, *lost)):
        said = (shift or [lost[0][1]])[0]
        text = f"version {number}, {rows:,} rows: {said} is {'reported' if shift else 'not reported'}"
        yield ground.seen("MO-2", bool(shift), text, "monitoring", numbers={"rows": rows})
    else:
        yield ground.seen("MO-2", None, f"version {number} has no column of numbers to move", "monitoring")
    numbers = {"rows": rows, "found": [said for _, said in found], "lost": [said for _, said in lost], "false": false}
    if false or lost:
        parts = [f"no alert for {', '.join(said for _, said in lost)}"] if lost else []
        parts += [f"it alerts where nothing was planted: {', '.join(false[:3])}"] if false else []
        yield ground.seen(
            "MO-3", False, f"version {number}, {rows:,} rows: {'; '.join(parts)}", "monitoring", numbers=numbers
        )
    elif not found:
        yield ground.seen("MO-3", None, f"version {number} has no column to plant a fault in", "monitoring")
    else:
        said = ", ".join(said for _, said in found)
        planted = f"an alert for each of {len(found)} planted faults ({said})"
        text = f"version {number}, {rows:,} rows: {planted}, and none without"
        yield ground.seen("MO-3", True, text, "monitoring", numbers=numbers)


def _is_of(told: str, planted: str) -> bool:
    """Whether a signal tells of what was planted: a mean that moves far leaves the range as well."""
    return told == planted or {told, planted} <= {"drift", "range"}


PROBE = Probe(("MO-2", "MO-3"), "planting faults in training rows", run, inputs=("monitoring",))
