"""DT-1, DT-2: the service is driven with recorded rows, at the declared rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbprod.api.benching import bench
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.config import Requirements
from nbprod.model.readiness import Evidence

SECONDS = 4.0
WATCHED = 20.0
"""Seconds at most for which the memory of the service is watched besides."""
GROWTH = 0.05
"""The share by which it may grow between 10,000 requests and as many more."""


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of what is declared: nothing is measured that nobody has asked for."""
    asked = ground.facts.settings.requirements
    if asked == Requirements():
        return
    reference = f"{ground.target.name}@{ground.version.number}"
    report = bench(reference, seconds=SECONDS, concurrency=(1, 8), output=str(ground.target.root), watch_memory=WATCHED)
    judged = {each["name"]: each for each in report["requirements"]}
    floor = f"an application without work: p50 {report['runs'][0]['floor']['p50_ms']:.3g} ms"
    for item, names in (
        ("DT-1", ("latency_ms",)),
        ("DT-2", ("volume_rps", "memory_mb", "availability", "cold_start_s")),
    ):
        of_it = [judged[name] for name in names if name in judged]
        if not of_it:
            continue
        failed = [each for each in of_it if each["met"] is False]
        text = "; ".join(
            f"{each['name']} {each['measured']:.4g}, asked {each['asked']:g}"
            for each in of_it
            if each["measured"] is not None
        )
        held = None if any(each["measured"] is None for each in of_it) else not failed
        against = ", ".join(f"requirements.{each['name']} = {each['asked']:g}" for each in failed) or None
        said = f"version {ground.version.number} on this machine: {text or 'it could not be measured'}; {floor}"
        if item == "DT-2":
            is_grown, words = grown(report["growth"])
            held, said = held if held is None else held and not is_grown, f"{said}; {words}"
        yield ground.seen(item, held, said, "requirements", contradicts=against, numbers=report)


def grown(growth: Mapping[str, Sequence[float]] | None) -> tuple[bool, str]:
    """Whether the service takes more and more memory, and in words."""
    if growth is None:
        return False, f"too slow for its memory to be watched over 20,000 requests in {WATCHED:g} s"
    (first, last), (before, after) = growth["requests"], growth["memory_mb"]
    text = f"memory {before:g} MB behind {first:,} requests and {after:g} MB behind {last:,}"
    return after > (1 + GROWTH) * before, text


PROBE = Probe(("DT-1", "DT-2"), "driving the service with recorded rows", run, inputs=("requirements",), alone=True)
