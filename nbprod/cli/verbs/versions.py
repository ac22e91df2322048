"""`nbprod versions NAME`: the ledger, and what is done with it."""

from __future__ import annotations

from typing import Any

import click

from nbprod.cli.options import as_json, format_option, output_option, package_argument
from nbprod.cli.table import shortened, table
from nbprod.cli.terminal import common_options, note
from nbprod.errors import NbprodError

ACTIONS = ("list", "show", "promote", "rollback", "prune")


@click.command(name="versions")
@package_argument
@click.argument("action", type=click.Choice(ACTIONS), default="list", metavar="[ACTION]")
@click.argument("version", required=False, metavar="[VERSION]")
@click.option("--alias", default="production", show_default=True, help="The alias to promote or roll back.")
@click.option("--keep", default=5, show_default=True, help="How many versions prune keeps at least.")
@click.option("--dry-run", is_flag=True, help="With prune: show what would go, remove nothing.")
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str, action: str, version: str | None, alias: str, keep: int, dry_run: bool, output: str | None, form: str
) -> int:
    """The ledger of the package NAME: every version, why it came, its state and its aliases.

    ACTION is list (the default), show, promote, rollback or prune. VERSION is a number, latest or an alias.

    \b
    nbprod versions sales
    nbprod versions sales show 3
    nbprod versions sales promote 3 --alias production
    nbprod versions sales rollback
    nbprod versions sales prune --keep 5 --dry-run
    """
    from nbprod import api

    if version is not None and action not in {"show", "promote"}:
        raise NbprodError(f"{action} takes no version", code="usage", hint="see nbprod versions --help")
    match action:
        case "show":
            report = api.show_version(name, version, output=output)
        case "promote":
            report = api.promote(name, version, alias=alias, output=output)
        case "rollback":
            report = api.rollback(name, alias=alias, output=output)
        case "prune":
            report = api.prune(name, keep=keep, dry_run=dry_run, output=output)
        case _:
            report = api.versions_of(name, output=output)
    if form == "json":
        click.echo(as_json(report))
        return 0
    _show(action, report, alias, dry_run)
    return 0


def _show(action: str, report: dict[str, Any], alias: str, dry_run: bool) -> None:
    name = report["name"]
    match action:
        case "show":
            click.echo(_one(report))
        case "promote" | "rollback":
            number = report["versions"][0]["number"]
            click.echo(f"{alias} of {name} is version {number} now")
            note(f"serve it: nbprod serve {name}@{alias}")
        case "prune":
            numbers = [str(each["number"]) for each in report["versions"]]
            verb = "would be removed" if dry_run else "removed"
            click.echo(f"{verb}: {', '.join(numbers)}" if numbers else "nothing to remove")
        case _:
            click.echo(_ledger(report))


def _ledger(report: dict[str, Any]) -> str:
    rows = [
        (
            str(each["number"]),
            ", ".join(each["aliases"]),
            "yes" if each["state"] else "no",
            each["when"],
            each["digest"][:12],
            (each["commit"] or "")[:10],
            each["why"],
        )
        for each in report["versions"]
    ]
    head = ("version", "aliases", "fitted", "when", "digest", "commit", "why")
    return f"{report['package']}\n\n{table(head, rows, right=('version',))}"


def _one(report: dict[str, Any]) -> str:
    facts = {
        "package": report["package"],
        "digest": report["digest"],
        "aliases": ", ".join(report["aliases"]) or "none",
        "when": report["when"],
        "why": report["why"],
        "notebook": report["notebook"],
        "commit": report["commit"] or "none",
        "fitted": f"state {report['state'][:16]}, run {report['run'] or 'none'}" if report["state"] else "not yet",
        "model": report["model"] or "unknown",
        "target": report["target"] or "none",
        "raw columns": shortened(report["inputs"], 20),
        "features": shortened(report["features"], 20),
        "edited by hand": ", ".join(report["hand_edits"]) or "nothing",
    }
    return "\n".join(f"{key:<15} {value}" for key, value in facts.items())
