"""`nbprod run NAME --retrain`: what came of the run, and what the gates say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from nbprod.cli.excerpt import describe_all
from nbprod.cli.gates import gates_text, verdict_text
from nbprod.cli.options import as_json
from nbprod.cli.problem import from_refusal
from nbprod.cli.progress import shown
from nbprod.cli.proof import proof_text
from nbprod.cli.stages import stages_text
from nbprod.cli.terminal import note
from nbprod.errors import NbprodError


def retrained(names: Sequence[str], work: Callable[..., dict[str, Any]], form: str, *, unwanted: Sequence[str]) -> int:
    """Retrain the package that is named, show the result, and give the exit code.

    `unwanted` are options that were given and that a retraining takes from the champion instead.
    """
    if unwanted:
        hint = "a version is retrained as the champion was made"
        raise NbprodError(f"--retrain takes no {unwanted[0]}", code="usage", hint=hint)
    if len(names) != 1:
        raise NbprodError("--retrain takes one package", code="usage", hint="call it once for each")
    if form not in ("text", "json", "jsonl"):
        raise NbprodError(f"--retrain has no format {form}", code="usage", hint="text, json or jsonl")
    with shown() as on_progress:
        report = work(names[0], on_progress=on_progress)
    click.echo(_text(report) if form == "text" else as_json(report, indent=2 if form == "json" else None))
    return _code(report)


def _code(report: Mapping[str, Any]) -> int:
    if "to" in report:
        return int(bool(report["refusals"]))
    promotion = report["promotion"]
    if promotion is None or report["verify"]["status"] in {"failed", "refused"}:
        return 1
    return int("versions" in promotion and any(gate["blocks"] for gate in promotion["gates"]))


def _text(report: Mapping[str, Any]) -> str:
    from nbprod.notebook import read

    notebook = read(report["notebook"])
    if report["refusals"]:
        parts = describe_all([from_refusal(report["notebook"], each) for each in report["refusals"]], notebook)
        return "\n\n".join([*parts, f"{report['notebook']}: {len(report['refusals'])} refused, so nothing was run"])
    if "to" in report:
        return f"{report['notebook']}: {stages_text(report['stages'])}; kept for the next run"
    given = ", ".join(f"{name} = {value}" for name, value in report["parameters"].items())
    facts = {
        "package": f"{report['package']} ({', '.join(report['aliases']) or 'no alias'})",
        "run": f"{report['run_id']} in {report['tracking_uri']}",
        "parameters": given or "those of the notebook",
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in report["metrics"].items()) or "none",
    }
    if report["parameters_unknown"]:
        facts["parameters"] += f" (those of version {report['from_version']} are not known: "
        facts["parameters"] += f"{report['parameters_unknown']})"
    parts = ["\n".join(f"{key:<10} {value}" for key, value in facts.items())]
    parts.append(proof_text(report["verify"], report["notebook"], notebook))
    promotion = report["promotion"]
    if promotion["gates"]:
        parts.append(gates_text(promotion["gates"]))
    parts.append(verdict_text(promotion) if "versions" in promotion else _outlook(report, promotion))
    return "\n\n".join(parts)


def _outlook(report: Mapping[str, Any], promotion: Mapping[str, Any]) -> str:
    """What a promotion would come to, where none was asked for."""
    name, number = report["name"], report["version"]
    if not promotion["gates"]:
        return f"version {number} is the champion already: the same code learned the same"
    if promotion["passed"]:
        note(f"let it be the champion: nbprod versions {name} promote {number}")
        return f"version {number} of {name} passes the gates"
    stopped = [gate["name"] for gate in promotion["gates"] if gate["blocks"]]
    return click.style(f"version {number} of {name} would not be promoted: {', '.join(stopped)}", fg="yellow")
