"""What the gates found, and the history of promotions, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from nbprod.cli.table import table

_COLOURS = {"passed": "green", "failed": "red", "unknown": "yellow", "not-applicable": None}


def gates_text(gates: Iterable[Mapping[str, Any]]) -> str:
    """The gates as a table, and below it the way out of each that stops the promotion."""
    listed = list(gates)
    rows = [(gate["name"], _outcome(gate["outcome"]), gate["reason"]) for gate in listed]
    hints = [f"hint ({gate['name']}): {gate['hint']}" for gate in listed if gate["blocks"] and gate["hint"]]
    return "\n".join([table(("gate", "outcome", "reason"), rows), *([""] if hints else []), *hints])


def verdict_text(report: Mapping[str, Any]) -> str:
    """What came of a promotion, in a line; and what the registry says where that differs."""
    number, alias, name = report["versions"][0]["number"], report["alias"], report["name"]
    stopped = [gate["name"] for gate in report["gates"] if gate["blocks"]]
    if report["promoted"]:
        lines = [f"{alias} of {name} is version {number} now"]
        if report["forced"]:
            lines[0] += f", against {', '.join(stopped)}: {report['why']} ({report['who']})"
    elif stopped:
        lines = [click.style(f"version {number} of {name} is not promoted: {', '.join(stopped)}", fg="red")]
    else:
        lines = [f"{alias} of {name} is version {number} already"]
    registry = report["registry"]
    if registry is not None and not registry["agrees"]:
        lines.append(click.style(f"MLflow's aliases are not the ledger's: {registry['reason']}", fg="yellow"))
    return "\n".join(lines)


def history_text(report: Mapping[str, Any]) -> str:
    """Promotions as a table, the oldest first."""
    rows = [
        (
            each["when"],
            _DONE[each["action"]] + (" (forced)" if each["forced"] else ""),
            each["alias"],
            f"{'none' if each['before'] is None else each['before']} → {each['version']}",
            each["who"],
            _why(each),
        )
        for each in report["promotions"]
    ]
    if not rows:
        return f"nothing was promoted in {report['package']} yet"
    return f"{report['package']}\n\n{table(('when', 'what', 'alias', 'version', 'who', 'why'), rows)}"


_DONE = {"promote": "promoted", "refuse": "refused", "rollback": "rolled back"}


def _why(promotion: Mapping[str, Any]) -> str:
    stopped = [f"{gate['name']}: {gate['reason']}" for gate in promotion["gates"] if gate["blocks"]]
    passed = [gate["name"] for gate in promotion["gates"] if gate["outcome"] == "passed"]
    if promotion["why"] or stopped:
        return "; ".join(part for part in (promotion["why"], *stopped) if part)
    return f"passed {', '.join(passed)}" if passed else ""


def _outcome(outcome: str) -> str:
    colour = _COLOURS[outcome]
    text = outcome.replace("-", " ")
    return click.style(text, fg=colour) if colour else text
