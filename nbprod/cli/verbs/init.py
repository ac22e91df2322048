"""`nbprod init`: the configuration, and on request a pre-commit hook and a CI workflow."""

from __future__ import annotations

from typing import Literal

import click

from nbprod.cli.options import as_json, format_option
from nbprod.cli.terminal import common_options, note


@click.command(name="init")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option("--pre-commit", is_flag=True, help="Add nbprod's hooks to .pre-commit-config.yaml.")
@click.option("--github", is_flag=True, help="Write .github/workflows/nbprod.yml.")
@click.option("--schedule", type=click.Choice(("cron", "github")), default=None,
              help="Write what trains again the pipelines that state a retraining.cadence.")  # fmt: skip
@format_option("text", "json")
@common_options
def command(
    notebooks: tuple[str, ...], pre_commit: bool, github: bool, schedule: Literal["cron", "github"] | None, form: str
) -> int:
    """Write [tool.nbprod] into pyproject.toml, or nbprod.toml where there is none.

    Nothing is needed to start: this is for what you want to state. NOTEBOOKs get a table each. What exists is
    added to and never replaced.

    --schedule writes, for each pipeline with a retraining.cadence, what calls nbprod run NAME --retrain --promote: cron
    gives .nbprod/crontab for this machine, github a workflow each.

    \b
    nbprod init
    nbprod init notebooks/sales.ipynb --pre-commit --github
    nbprod init --schedule github
    """
    from nbprod import api

    report = api.init_project(".", notebooks=notebooks, pre_commit=pre_commit, github=github, schedule=schedule)
    if form == "json":
        click.echo(as_json(report))
        return 0
    for path in report["written"]:
        click.echo(f"written  {path}")
    for path in report["kept"]:
        click.echo(f"kept     {path}, which says it already")
    if pre_commit:
        note("switch the hook on: pre-commit install")
    if schedule == "cron":
        note("switch the schedule on: { crontab -l; cat .nbprod/crontab; } | crontab -")
    return 0
