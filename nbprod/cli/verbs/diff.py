"""`nbprod diff A B`: two versions, or a notebook and a version, by feature."""

from __future__ import annotations

from typing import Any

import click

from nbprod.cli.options import as_json, format_option, model_option, output_option
from nbprod.cli.problem import sentence
from nbprod.cli.terminal import common_options


@click.command(name="diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@output_option
@model_option
@format_option("text", "json")
@common_options
def command(before: str, after: str, output: str | None, model: str | None, form: str) -> int:
    """What differs from A to B: two versions, or a version and a notebook.

    A and B are notebooks, NAME or NAME@VERSION; a bare number means a version of the other side's package. Exit
    code 1 where serving differs.

    \b
    nbprod diff sales@1 sales@2
    nbprod diff sales@champion sales.ipynb
    nbprod diff 1 sales.ipynb
    """
    from nbprod import api

    report = api.diff(before, after, output=output, model=model)
    click.echo(as_json(report) if form == "json" else _text(report))
    return int(report["verdict"] in {"diverges", "unknown"})


def _text(report: dict[str, Any]) -> str:
    features = report["features"]
    lines = [f"{report['before']} -> {report['after']}: {click.style(report['verdict'], bold=True)}"]
    lines.append(f"  features: {', '.join(f'{len(names)} {kind}' for kind, names in features.items())}")
    for each in report["divergences"]:
        place = f" (cell {each['cell']}, line {each['line']})" if each["cell"] >= 0 else ""
        lines.append(f"\n{sentence(each)}{place}")
        lines.extend(click.style(f"  - {line}", fg="red") for line in each["before"].splitlines())
        lines.extend(click.style(f"  + {line}", fg="green") for line in each["after"].splitlines())
    return "\n".join(lines)
