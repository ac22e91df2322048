"""What `nbprod serve --bench` has measured, as text."""

from __future__ import annotations

from typing import Any

_UNITS = {"latency_ms": "ms at p99", "volume_rps": "requests/s", "availability": "answered", "memory_mb": "MB"}


def table_of(report: dict[str, Any]) -> str:
    """The loads below one another, each beside the floor, and the requirements."""
    memory = "?" if report["memory_mb"] is None else f"{report['memory_mb']:.0f} MB"
    lines = [
        f"{report['name']} version {report['version']}: ready after {report['start_seconds']:.2f} s, {memory}; "
        f"asked with {report['rows']}",
        "",
        f"{'':34}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}",
    ]
    for run in report["runs"]:
        said = f"{run['connections']} connection{'s' if run['connections'] > 1 else ''}"
        said += f", {run['rate']:g} requests/s" if run["rate"] else ""
        lines += [_line(said, run), _line("  an application that does nothing", run["floor"])]
        errors = [
            *(f"{number:,} with status {status}" for status, number in run["statuses"].items() if status != "200"),
            *(f"{number:,} {fault}" for fault, number in run["faults"].items()),
        ]
        lines += [f"  not answered: {', '.join(errors)}"] if errors else []
    lines.append("")
    for each in report["requirements"]:
        value = "not measured" if each["measured"] is None else f"{each['measured']:.4g} {_UNITS[each['name']]}"
        verdict = "met" if each["met"] else "missed"
        lines.append(f"{verdict:<7}{each['name']} = {each['asked']:g}: {value}")
    if not report["requirements"]:
        lines.append(
            "no requirements are declared: [tool.nbprod.pipelines.NAME.requirements] takes latency_ms, volume_rps,"
        )
        lines.append("availability and memory_mb")
    return "\n".join(lines)


def _line(said: str, run: dict[str, Any]) -> str:
    times = "".join(
        f"{'-' if run[name] is None else format(run[name], '.2f'):>9}" for name in ("p50_ms", "p99_ms", "max_ms")
    )
    return f"{said:34}{run['throughput_rps']:11,.0f}{times}"
