"""The interview: each key that can be declared is asked for, with an example, and written at once."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from typing import Any

import click

from nbprod.cli.terminal import note
from nbprod.errors import NbprodError

WHY, OUT = "?", "-"
INDENT = "    "


def interview(path: str, output: str | None, wanted: Collection[str], *, anew: bool, rare: bool) -> None:
    """Ask for what is not declared of the pipeline of a notebook, with `anew` for all; of `wanted` items alone.

    What few pipelines have is asked for where `rare` is true.
    An empty answer leaves a key as it is. What is answered is in the configuration at once, so that an end in the
    middle loses nothing.
    """
    from nbprod import api

    told = api.declarations(path, output=output)
    asked = [
        each
        for each in told.declarations
        if (anew or each.value is None) and (rare or not each.rare) and not set(each.items).isdisjoint(wanted)
    ]
    if not asked:
        can = any(not set(each.items).isdisjoint(wanted) for each in told.declarations)
        nothing = "of these items nothing can be declared"
        note("all that can be declared is declared: --anew asks once more" if can else nothing)
        return
    note(f"{len(asked)} questions. Enter leaves one open, {WHY} tells why it is asked, {OUT} takes an answer back.")
    written: str | None = None
    try:
        for number, each in enumerate(asked, start=1):
            written = _ask(path, output, each, f"{number}/{len(asked)}") or written
    except (click.Abort, EOFError):
        click.echo("", err=True)
    note(f"declared in {written}" if written else "nothing was declared")


def _ask(path: str, output: str | None, question: Any, place: str) -> str | None:
    """Ask until an answer is taken; gives the file that it was written into."""
    from nbprod import api

    click.echo(
        f"\n{click.style(place, dim=True)} {click.style(question.question, bold=True)} ({', '.join(question.items)})",
        err=True,
    )
    said = f", one of {', '.join(question.choices)}" if question.choices else f", such as: {question.example}"
    click.echo(click.style(f"{INDENT}{question.key}{said}", dim=True), err=True)
    while True:
        answer = click.prompt(
            f"{INDENT}>", default=question.value or "", show_default=bool(question.value), prompt_suffix=" ", err=True
        )
        text = str(answer).strip()
        if text == WHY:
            _explain(question)
            continue
        if not text or text == question.value:
            return None
        try:
            return api.declare(path, {question.key: "" if text == OUT else text}, output=output)
        except NbprodError as error:
            if error.code != "bad-config":
                raise
            click.echo(f"{INDENT}{click.style(error.message, fg='red')}", err=True)


def _explain(question: Any) -> None:
    from nbprod import api

    for item in question.items:
        reason = f"{item}: {api.check_of(item).why}"
        click.echo(textwrap.fill(reason, 100, initial_indent=INDENT, subsequent_indent=INDENT), err=True)
