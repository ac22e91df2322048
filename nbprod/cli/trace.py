"""The origin of a version's answers as text: ledger, run, data, parameters, and the notebook's cells and lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from nbprod.cli.table import table

_DONE = {"promote": "promoted to", "refuse": "refused as", "rollback": "brought back as"}


def trace_text(report: Mapping[str, Any]) -> str:
    """All of it, from the ledger to the lines."""
    parts = ["\n".join(f"{key:<12} {value}" for key, value in _facts(report))]
    inputs = report["traced_run"]["inputs"]
    if inputs:
        rows = [(each["path"], each["sha256"], f"{each['bytes']:,}") for each in inputs]
        parts.append(table(("data", "sha256", "bytes"), rows, right=("bytes",)))
    parts += [_feature(each) for each in report["features"]]
    if report["model"]:
        model = report["model"]
        head = click.style("model", bold=True)
        parts.append("\n".join([f"{head}  {model['estimator']}", *(_lines(step) for step in model["steps"])]))
    return "\n\n".join(parts)


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    run = report["traced_run"]
    yield "version", f"{report['number']} of {report['name']}, {report['package']}"
    if report["aliases"]:
        yield "aliases", ", ".join(report["aliases"])
    yield "digest", report["digest"]
    yield "state", report["state"] or "not fitted"
    yield "made", f"{report['when']}: {report['why']}"
    commit = f", commit {report['commit']}" if report["commit"] else ", no commit"
    yield "notebook", report["notebook"] + commit + ("" if report["notebook_here"] else " (not here)")
    if report["hand_edits"]:
        yield "edited", f"by hand since: {', '.join(report['hand_edits'])}"
    if run["reason"]:
        yield "run", f"{run['run_id'] or 'none'}: {run['reason']}"
    else:
        dirty = ", with changes that were not committed" if run["dirty"] else ""
        yield "run", f"{run['run_id']}, {run['started']}, {run['status'].lower()}{dirty}"
        yield "notebook was", f"sha256 {run['notebook_sha256']}"
        given = ", ".join(f"{name} = {value}" for name, value in run["parameters"].items())
        yield "parameters", given or "those of the notebook"
        yield "metrics", ", ".join(f"{name} {value:.4g}" for name, value in run["metrics"].items()) or "none"
        yield "proof", run["verify"] or "none"
    raw = report["raw"]
    if raw:
        read = f", reads {raw['path']}" if raw["path"] else ""
        yield "raw rows", f"{raw['name']}, cell {raw['cell']} (id {raw['cell_id']}), line {raw['line']}{read}"
    for each in report["promotions"]:
        place = _DONE[each["action"]] if each["version"] == report["number"] else "replaced as"
        why = f": {each['why']}" if each["why"] else ""
        yield "promotion", f"{each['when']} {place} {each['alias']} by {each['who']}{why}"


def _feature(feature: Mapping[str, Any]) -> str:
    head = f"{click.style(feature['name'], bold=True)}  from {', '.join(feature['inputs']) or 'no raw column'}"
    return "\n".join([head, *(_lines(step) for step in feature["steps"])])


def _lines(place: Mapping[str, Any]) -> str:
    at = f"  cell {place['cell']} (id {place['cell_id']}), line {place['line']}"
    lines = place.get("package_lines")
    at += f", features.py line {lines[0]}" if lines else ""
    learned = f", learns {', '.join(place['learned'])}" if place.get("learned") else ""
    return "\n".join([at + learned, *(f"    {line}" for line in place["source"].splitlines())])
