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
    elif is_terminal() and not several:
        with _bar() as bar:
            yield bar
    else:
        yield Lines(named=several)


class Lines:
    """One line for each part that has begun; what only counts on within a part is passed over."""

    def __init__(self, *, named: bool) -> None:
        self.named = named
        self.last = ("", "")

    def __call__(self, progress: Progress) -> None:
        """Write the line of a part that is new."""
        if (progress.stage, progress.text) == self.last:
            return
        self.last = (progress.stage, progress.text)
        whose = f"{Path(progress.notebook).name}: " if self.named else ""
        part = f" {progress.done + 1}/{progress.total}" if progress.stage == "run" and progress.total else ""
        click.echo(f"{whose}{progress.stage}{part}: {progress.text}", err=True)


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
