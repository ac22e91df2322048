"""Arguments and options that several verbs share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


def _notebook_completion(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Notebooks and folders that begin with what was typed."""
    from pathlib import Path

    typed = Path(incomplete)
    folder, start = (typed, "") if incomplete.endswith("/") or not incomplete else (typed.parent, typed.name)
    if not folder.is_dir():
        return []
    found = sorted(each for each in folder.iterdir() if each.name.startswith(start) and not each.name.startswith("."))
    return [
        CompletionItem(each.as_posix() + ("/" if each.is_dir() else ""))
        for each in found
        if each.is_dir() or each.suffix in {".ipynb", ".py"}
    ]


def package_completion(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Exported packages: the folders with a ledger."""
    from pathlib import Path

    root = Path(context.params.get("output") or "pipelines")
    names = sorted(each.parent.name for each in root.glob("*/versions.json"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


notebooks_argument = click.argument(
    "notebooks", nargs=-1, required=True, metavar="NOTEBOOK...", shell_complete=_notebook_completion
)
notebook_argument = click.argument("notebook", metavar="NOTEBOOK", shell_complete=_notebook_completion)
package_argument = click.argument("name", metavar="NAME", shell_complete=package_completion)
output_option = click.option(
    "-o",
    "--output",
    metavar="DIR",
    default=None,
    help="Folder of the packages (default: pipelines/, or the configuration's).",
)
python_option = click.option(
    "--python", metavar="PATH", help="The interpreter (default: that of the run it was fitted in)."
)
name_option = click.option(
    "--name", metavar="NAME", default=None, help="The package's name (default: from the configuration or the file)."
)
model_option = click.option(
    "--model", metavar="NAME", default=None, help="The variable that holds the model to serve, where there are several."
)
auto_option = click.option("--auto", is_flag=True, help="Accept the suggested roles of an untagged notebook.")
assumed_option = click.option(
    "--allow-assumed", is_flag=True, help="Take steps that the tables do not know; every report then says so."
)

batch_option = click.option(
    "--batch",
    is_flag=True,
    help="Take features that are made of the rows around a row; the package then serves whole batches, no row alone.",
)


report_option = click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="Write what is found into FILE as well: SARIF into .sarif, JUnit's XML into .xml.",
)


def format_option(*choices: str) -> Callable[[F], F]:
    """`--format`, with the first choice as the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="How the result is written to stdout.",
    )


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON that every reader takes: numbers that JSON has no word for become null."""
    return json.dumps(_finite(value), indent=indent, ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case dict():
            return {str(key): _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case _:
            return value
