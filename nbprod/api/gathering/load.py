"""DT-1, DT-2: the service is driven with recorded rows, at the declared rate."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.api.benching import bench
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.config import Requirements
from nbprod.model.readiness import Evidence

SECONDS = 4.0


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of what is declared: nothing is measured that nobody has asked for."""
    asked = ground.facts.settings.requirements
    if asked == Requirements():
        return
    reference = f"{ground.target.name}@{ground.version.number}"
    report = bench(reference, seconds=SECONDS, concurrency=(1, 8), output=str(ground.target.root))
    judged = {each["name"]: each for each in report["requirements"]}
    floor = f"an application without work: p50 {report['runs'][0]['floor']['p50_ms']:.3g} ms"
    for item, names in (("DT-1", ("latency_ms",)), ("DT-2", ("volume_rps", "memory_mb", "availability"))):
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
        yield ground.seen(item, held, said, "requirements", contradicts=against, numbers=report)


PROBE = Probe(("DT-1", "DT-2"), "driving the service with recorded rows", run, inputs=("requirements",), alone=True)
