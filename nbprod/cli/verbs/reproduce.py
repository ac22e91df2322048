"""`nbprod reproduce RUN`: run a recorded run again, and compare what it gives with the record."""

from __future__ import annotations

from typing import Any

import click

from nbprod.cli.options import as_json, format_option, output_option
from nbprod.cli.progress import shown
from nbprod.cli.terminal import common_options

COLOURS = {"identical": "green", "within-tolerance": "cyan", "different": "red"}
MEANING = {
    "identical": "learned state, predictions and metrics are those of the record",
    "within-tolerance": "rows and predictions are equal, and numbers differ in their last digits alone",
    "different": "it gives something else than it gave then",
}


@click.command(name="reproduce")
@click.argument("run", metavar="RUN|NAME|NOTEBOOK")
@output_option
@click.option("--kernel", metavar="NAME", help="The kernel to run in (default: the notebook's).")
@click.option("--environment", is_flag=True, help="Run in a virtual environment that is made from the run's lock.")
@click.option("--twice", is_flag=True, help="Run twice, and say what differs between the two.")
@format_option("text", "json")
@common_options
def command(run: str, output: str | None, kernel: str | None, environment: bool, twice: bool, form: str) -> int:
    """Run RUN again and compare learned state, predictions and metrics with what was recorded.

    RUN is a run's id or the beginning of it; NAME, NAME@VERSION or NOTEBOOK means the run that a version was fitted in.
    The code and the parameters are those of the record, the files and libraries those that are here now; what has
    changed is named. No version is made and nothing is registered. Exit code 1 where the outcome is different.

    \b
    nbprod reproduce sales
    nbprod reproduce sales@champion
    nbprod reproduce 3f2a91c0 --format json
    nbprod reproduce sales --environment
    nbprod reproduce sales --twice
    """
    from nbprod import api

    with shown() as on_progress:
        report = api.reproduce(
            run, output=output, kernel=kernel, environment=environment, twice=twice, on_progress=on_progress
        )
    click.echo(as_json(report) if form == "json" else _text(report))
    return int(report["status"] == "different")


def _text(report: dict[str, Any]) -> str:
    status, proof = report["status"], report["verify"]
    lines = [
        f"{click.style(report['name'], bold=True)} version {report['version']}: run {report['run_id'][:8]} again",
        f"{click.style(status, fg=COLOURS[status], bold=True)}: {MEANING[status]}",
    ]
    if report["cause"]:
        lines.append(f"  cause        {_told(report['cause'])}")
    lines.append(f"  rows         {proof['rows_equal']} of {proof['rows']} prepared as then")
    lines.append(f"  predictions  {proof['predictions_equal']} of {proof['predictions']} as then")
    lines.append(f"  learned      {_learned(report['state'])}")
    lines += [f"    {each['name']}: {each['before']} then, {each['after']} now" for each in report["state"]["changed"]]
    lines += [f"  {each['name']:12} {_numbers(each['before'], each['after'])}" for each in report["metrics"]]
    lines += _repeats(report["repeats"])
    others = [each for each in (*report["changes"], *report["unseeded"]) if each != report["cause"]]
    lines += [f"  {'seed' if each['kind'] == 'seed' else 'changed':12} {_told(each)}" for each in others]
    return "\n".join(lines)


def _repeats(repeats: dict[str, Any] | None) -> list[str]:
    """How the second of two runs differs from the first."""
    if repeats is None:
        return []
    changed = [
        f"    {each['name']}: {each['before']} the first time, {each['after']} the second"
        for each in (*repeats["state"]["changed"], *(m for m in repeats["metrics"] if m["before"] != m["after"]))
    ]
    return [f"  run twice    {_learned(repeats['state'])}", *changed]


def _learned(state: dict[str, Any]) -> str:
    if state["equal"]:
        return "the same"
    return "other values:" if state["changed"] else "not the same, within estimators or the model"


def _told(change: dict[str, Any]) -> str:
    at = "" if change["line"] is None else f" (cell {change['cell']}, line {change['line']})"
    return f"{change['text']}{at}"


def _numbers(before: float | None, after: float | None) -> str:
    if before == after:
        return f"{before:g}"
    return f"{_number(before)} then, {_number(after)} now"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value!r}"
