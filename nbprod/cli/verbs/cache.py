"""`nbprod cache`: the stages of earlier runs that need not run again."""

from __future__ import annotations

from typing import Any

import click

from nbprod.cli.options import as_json, format_option
from nbprod.cli.table import table
from nbprod.cli.terminal import common_options


@click.command(name="cache")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option("--clear", is_flag=True, help="Remove what is kept, of all notebooks of the project or of those named.")
@format_option("text", "json")
@common_options
def command(notebooks: tuple[str, ...], clear: bool, form: str) -> int:
    """What the stages of earlier runs have handed over, which nbprod run restores instead of running them again.

    A stage is restored where the code on the way to what it hands over, its parameters, the content of the files that
    it read, and all that is installed are what they were. What is used least goes first once all of it takes more than
    cache_mb of the configuration.

    \b
    nbprod cache
    nbprod cache sales.ipynb
    nbprod cache --clear
    """
    from nbprod import api

    report = api.cache(notebooks, clear=clear)
    click.echo(as_json(report) if form == "json" else _text(report))
    return 0


def _text(report: dict[str, Any]) -> str:
    entries = report["entries"]
    size = f"{report['bytes'] / 1e6:.1f} MB"
    if report["cleared"]:
        return f"removed {len(entries)} stage{'' if len(entries) == 1 else 's'}, {size}"
    if not entries:
        return f"nothing is kept in {report['folder']}"
    rows = [
        (
            each["notebook"],
            "whole run" if each["whole_run"] else each["stage"],
            f"to {each['after']}",
            f"{each['seconds']:.1f} s",
            f"{each['bytes'] / 1e6:.1f} MB",
            each["created"],
            each["used"],
        )
        for each in entries
    ]
    head = ("notebook", "stage", "cells", "took", "size", "made", "used")
    return f"{table(head, rows, right=('took', 'size'))}\n\n{size} of {report['limit_mb']} MB in {report['folder']}"
