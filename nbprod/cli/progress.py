"""How the progress of a long verb is shown: a bar on a terminal, a line for each part elsewhere; on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.cli.terminal import is_quiet, is_terminal


@contextmanager
def shown(*, several: bool = False) -> Iterator[OnProgress]:
    """A function to hand to a verb. With several notebooks at once it is picklable and names the notebook."""
    if is_quiet():
        yield silent
    elif several:
        yield named_line
    elif is_terminal():
        with _bar() as bar:
            yield bar
    else:
        yield line


def line(progress: Progress) -> None:
    """One line for each part."""
    part = f" {progress.done}/{progress.total}" if progress.total else ""
    click.echo(f"{progress.stage}{part}: {progress.text}", err=True)


def named_line(progress: Progress) -> None:
    """One line for each part, with the notebook that it belongs to."""
    click.echo(f"{Path(progress.notebook).name}: ", nl=False, err=True)
    line(progress)


@contextmanager
def _bar() -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.fields[stage]:<7}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", stage="", total=None)

        def advance(progress: Progress) -> None:
            bars.update(
                task,
                description=progress.text,
                stage=progress.stage,
                completed=progress.done,
                total=progress.total or None,
            )

        yield advance
