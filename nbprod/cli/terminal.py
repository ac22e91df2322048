"""What is written where: results to stdout, all else to stderr, colour and quiet as asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from nbprod.errors import NbprodError, Where

F = TypeVar("F", bound=Callable[..., Any])

_QUIET = "nbprod.quiet"


def common_options(command: F) -> F:
    """`--quiet`, `--no-color` and `--debug`, on the group and on every verb alike."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an internal fault."),
        click.option("--no-color", is_flag=True, expose_value=False, callback=_no_colour, help="No colours."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_quiet, help="Only the result."),
    ):
        command = option(command)
    return command


def _quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.meta[_QUIET] = True


def _no_colour(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.color = False


def is_quiet() -> bool:
    """Whether `--quiet` was given."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_QUIET))


def is_terminal() -> bool:
    """Whether stderr, where progress goes, is a terminal."""
    return sys.stderr.isatty()


def wants_colour() -> bool:
    """Whether the result on stdout is coloured."""
    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:
        return context.color
    return sys.stdout.isatty()


def note(text: str) -> None:
    """A line about the work, to stderr, unless `--quiet`."""
    if not is_quiet():
        click.echo(text, err=True)


def show_error(error: NbprodError, *, debug: bool = False) -> None:
    """The error in its form: what happened, where, what to do next; to stderr."""
    head, *rest = str(error).splitlines()
    kind, _, message = head.partition(": ")
    click.echo(f"{click.style(kind, fg='red', bold=True)}: {message}", err=True)
    for line in rest:
        click.echo(line, err=True)
    if debug:
        _show_traceback(error)


def show_fault(fault: BaseException, *, debug: bool = False) -> None:
    """A fault of nbprod itself; the traceback with `--debug`."""
    show_error(internal_error(fault))
    if debug:
        _show_traceback(fault)


def internal_error(fault: BaseException, where: Where | None = None) -> NbprodError:
    """A fault of nbprod itself: its kind and place in one line, and a request to report it."""
    from traceback import extract_tb

    frames = extract_tb(fault.__traceback__)
    place = f" ({frames[-1].filename.rpartition('nbprod/')[2]}, line {frames[-1].lineno})" if frames else ""
    text = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    return NbprodError(
        f"nbprod itself failed: {text}{place}",
        code="internal",
        where=where,
        hint="please report it, with the notebook if you can; --debug on this notebook alone shows the traceback",
    )


def _show_traceback(fault: BaseException) -> None:
    from traceback import format_exception

    click.echo("".join(format_exception(fault.__cause__ or fault)), err=True)
