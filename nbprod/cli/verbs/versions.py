"""`nbprod versions NAME`: the ledger, and what is done with it."""

from __future__ import annotations

from typing import Any

import click

from nbprod.api.one_row import one_row_text
from nbprod.cli.options import as_json, format_option, output_option, package_argument
from nbprod.cli.table import shortened, table
from nbprod.cli.terminal import common_options, note
from nbprod.errors import NbprodError

ACTIONS = ("list", "show", "promote", "rollback", "history", "trace", "prune")
_TAKE_A_VERSION = frozenset({"show", "promote", "trace"})
_TAKE_A_REASON = frozenset({"promote", "rollback"})


@click.command(name="versions")
@package_argument
@click.argument("action", type=click.Choice(ACTIONS), default="list", metavar="[ACTION]")
@click.argument("version", required=False, metavar="[VERSION]")
@click.argument("feature", required=False, metavar="[FEATURE]")
@click.option("--alias", default="champion", show_default=True, help="The alias to promote or roll back.")
@click.option("--why", metavar="TEXT", help="The reason for a promotion or rollback, for the record.")
@click.option("--force", is_flag=True, help="Promote against the gates; needs --why.")
@click.option("--keep", default=5, show_default=True, help="How many versions prune keeps at least.")
@click.option("--dry-run", is_flag=True, help="With prune: show what would go, remove nothing.")
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str,
    action: str,
    version: str | None,
    feature: str | None,
    alias: str,
    why: str | None,
    force: bool,
    keep: int,
    dry_run: bool,
    output: str | None,
    form: str,
) -> int:
    """The ledger of the package NAME: every version, why it came, its state and its aliases.

    ACTION is list (the default), show, promote, rollback, history, trace or prune. VERSION is a number, latest or an
    alias. promote asks the gates (proof, thresholds, champion, contract, readiness, latency) and ends with 1 where one
    of them stops it. history shows what was promoted, by whom and why. trace tells the run, data, parameters and
    notebook cells behind the answers of a version, or behind one FEATURE.

    \b
    nbprod versions sales
    nbprod versions sales show 3
    nbprod versions sales promote 3
    nbprod versions sales promote 3 --force --why "the outage costs more"
    nbprod versions sales rollback
    nbprod versions sales history
    nbprod versions sales trace champion age
    nbprod versions sales prune --keep 5 --dry-run
    """
    from nbprod import api
    from nbprod.cli.progress import shown

    _check_use(action, version, feature, why=why, force=force)
    match action:
        case "show":
            report = api.show_version(name, version, output=output)
        case "promote":
            with shown() as on_progress:
                report = api.promote(
                    name, version, alias=alias, force=force, why=why, output=output, on_progress=on_progress
                )
        case "rollback":
            report = api.rollback(name, alias=alias, why=why, output=output)
        case "history":
            report = api.history(name, output=output)
        case "trace":
            report = api.trace(name, version, feature, output=output)
        case "prune":
            report = api.prune(name, keep=keep, dry_run=dry_run, output=output)
        case _:
            report = api.versions_of(name, output=output)
    if form == "json":
        click.echo(as_json(report))
    else:
        _show(action, report, dry_run)
    return int(action == "promote" and not report["promoted"] and any(gate["blocks"] for gate in report["gates"]))


def _check_use(action: str, version: str | None, feature: str | None, *, why: str | None, force: bool) -> None:
    if version is not None and action not in _TAKE_A_VERSION:
        raise NbprodError(f"{action} takes no version", code="usage", hint="see nbprod versions --help")
    if feature is not None and action != "trace":
        raise NbprodError(f"{action} takes no feature", code="usage", hint="see nbprod versions --help")
    if force and action != "promote":
        raise NbprodError(f"{action} asks no gates", code="usage", hint="--force goes with promote")
    if why is not None and action not in _TAKE_A_REASON:
        raise NbprodError(f"{action} takes no reason", code="usage", hint="--why goes with promote and rollback")


def _show(action: str, report: dict[str, Any], dry_run: bool) -> None:
    name = report["name"]
    match action:
        case "show":
            click.echo(_one(report))
        case "promote" | "rollback":
            _show_promotion(report)
        case "history":
            from nbprod.cli.gates import history_text

            click.echo(history_text(report))
        case "trace":
            from nbprod.cli.trace import trace_text

            click.echo(trace_text(report))
        case "prune":
            numbers = [str(each["number"]) for each in report["versions"]]
            verb = "would be removed" if dry_run else "removed"
            click.echo(f"{verb}: {', '.join(numbers)}" if numbers else "nothing to remove")
        case _:
            click.echo(_ledger(report))
            if not any("champion" in each["aliases"] for each in report["versions"]):
                note(f"no version is the champion yet: nbprod versions {name} promote")


def _show_promotion(report: dict[str, Any]) -> None:
    from nbprod.cli.gates import gates_text, verdict_text

    if report["gates"]:
        click.echo(f"{gates_text(report['gates'])}\n")
    click.echo(verdict_text(report))
    name, number, alias = report["name"], report["versions"][0]["number"], report["alias"]
    if report["promoted"]:
        note(f"serve it: nbprod serve {name}@{alias}; a service of {name}@{alias} that runs goes over to it by itself")
    elif any(gate["blocks"] for gate in report["gates"]):
        note(f"against the gates, on record with your name: nbprod versions {name} promote {number} --force --why TEXT")


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
        **({"one row": one_row_text(report["one_row"])} if report["one_row"] else {}),
        "edited by hand": ", ".join(report["hand_edits"]) or "nothing",
    }
    return "\n".join(f"{key:<15} {value}" for key, value in facts.items())
