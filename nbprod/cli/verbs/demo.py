"""`nbprod demo`: an example project taken all the way from a notebook to an answered request and a caught edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nbprod.cli.excerpt import describe
from nbprod.cli.options import as_json
from nbprod.cli.progress import shown
from nbprod.cli.table import shortened
from nbprod.cli.terminal import common_options
from nbprod.errors import NbprodError

LINES_SHOWN = 14


@click.command(name="demo")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--example", default="titanic", show_default=True, metavar="NAME", help="titanic or housing.")
@common_options
def command(folder: str | None, example: str) -> int:
    """Copy an example project into DIR and run all of it: tag, export, run, verify, serve, edit, check.

    Each step shows its command, what was done and where it lies. DIR is a new folder (default: a new one below
    nbprod-demo). Exit code 0 when everything went as it should, the divergence of the edit included.

    \b
    nbprod demo
    nbprod demo my-try --example housing
    """
    from nbprod import api
    from nbprod.api.demo import apply_edit, copy_example

    project = copy_example(example, folder)
    place = project.folder
    notebook = (place / project.notebook).as_posix()
    output = (place / "pipelines").as_posix()
    _step(1, "copy", f"the example {example}", f"nbprod demo {place} --example {example}")
    _lie(place, *(path.relative_to(place).as_posix() for path in sorted(place.rglob("*")) if path.is_file()))

    tagged = api.tag_notebook(notebook, apply=True)
    _step(2, "tag", "say what each cell is for, as plain cell tags", f"nbprod tag {project.notebook} --apply")
    _say(_roles(tagged))

    exported = api.export_notebook(notebook, output=output)
    _step(3, "export", "write the package, by reading the notebook alone", f"nbprod export {project.notebook}")
    if exported["refusals"]:
        raise NbprodError("the example is refused", code="demo", hint=exported["refusals"][0]["reason"])
    _lie(Path(exported["package"]), *exported["files"])
    _excerpt(Path(exported["package"]) / "features.py")

    _step(4, "run", "run the notebook, fit the package, prove it, track it", f"nbprod run {project.notebook}")
    with shown() as on_progress:
        ran = api.run_notebook(notebook, output=output, on_progress=on_progress)
    _say(f"metrics: {', '.join(f'{name} {value:.4g}' for name, value in ran['metrics'].items()) or 'none'}")
    _say(f"executed notebook: {_short(ran['executed'])}")
    _say(f"tracked: run {ran['run_id']} in {_short(ran['tracking_uri'])}")
    _say(f"learned state: {ran['package']}/state")

    _step(5, "verify", "replay the notebook's rows through the package", f"nbprod verify {project.name} --quick")
    with shown() as on_progress:
        proof = api.verify(project.name, output=output, level="quick", on_progress=on_progress)["verify"]
    _say(_proof(proof))

    _step(6, "serve", "answer one request over HTTP", f"nbprod serve {project.name}")
    asked, answer = _asked(project.name, output, project.record)
    _say(f"POST {asked} {as_json(project.record, indent=None)}")
    _say(f"{answer['status']} {as_json(answer['body'], indent=None)}")

    before = api.check_notebook(notebook, output=output)["verdict"]
    cell = apply_edit(project)
    after = api.check_notebook(notebook, output=output)
    _step(7, "check", f"edit the notebook: {project.edit.summary}", f"nbprod check {project.notebook}")
    _say(f"before the edit: {before}; after it, in cell {cell}: {click.style(after['verdict'], fg='red', bold=True)}")
    _warn(after, notebook)
    _next(place, project.name, project.notebook)
    went_well = proof["status"] in {"proven", "observed"} and answer["status"] == 200
    return 0 if went_well and (before, after["verdict"]) == ("same", "diverges") else 1


def _step(number: int, verb: str, what: str, shell: str) -> None:
    click.echo(f"\n{click.style(f'{number} {verb}', bold=True)}: {what}")
    click.echo(click.style(f"  $ {shell}", dim=True))


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(f"  {line}")


def _lie(folder: Path, *names: str) -> None:
    _say(f"{click.style(folder.as_posix(), fg='green')}: {shortened(names, 12)}")


def _short(path: str) -> str:
    """Relative to the current directory where it lies below it."""
    here = f"{Path.cwd().as_posix()}/"
    return path.replace(here, "")


def _roles(report: dict[str, Any]) -> str:
    counts: dict[str, list[str]] = {}
    for cell in report["cells"]:
        if cell["role"]:
            counts.setdefault(cell["role"], []).append(str(cell["index"]))
    return "\n".join(f"{role:<10} cells {', '.join(cells)}" for role, cells in counts.items())


def _excerpt(path: Path) -> None:
    """The first lines of the function that prepares features: the notebook's own text with what it learns marked."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("def prepare")), 0)
    for line in lines[start : start + LINES_SHOWN]:
        _say(click.style(f"| {line}", fg="cyan"))
    _say(f"| … in {path.as_posix()}")


def _proof(proof: dict[str, Any]) -> str:
    status = click.style(proof["status"], fg="green" if proof["status"] in {"proven", "observed"} else "red", bold=True)
    return (
        f"{status}: {proof['rows_equal']} of {proof['rows']} rows and {proof['predictions_equal']} of "
        f"{proof['predictions']} predictions are equal\n"
        + "\n".join(f"{'ok  ' if each['passed'] else 'FAIL'} {each['name']}" for each in proof["checks"])
    )


def _asked(name: str, output: str, record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    from nbprod.api.serving import ask, served

    with served(name, output=output) as url:
        return f"{url}/predict", ask(f"{url}/predict", record)


def _warn(report: dict[str, Any], path: str) -> None:
    from nbprod.cli.problem import from_divergences
    from nbprod.notebook import read

    notebook = read(path)
    for problem in from_divergences(path, report["divergences"], report["package"]):
        _say(describe(problem, notebook))


def _next(place: Path, name: str, notebook: str) -> None:
    tries = {
        f"jupyter lab {notebook}": "the sidebar shows the pipeline, what differs from the package, and runs it",
        f"nbprod run {notebook}": f"make the edit version 2, then: nbprod diff {name}@1 {name}@2",
        f"nbprod readiness {notebook}": "may this go live? what is shown, and what to do first",
        f"nbprod serve {name}": "POST your own records to http://127.0.0.1:8000/predict",
    }
    width = max(map(len, tries))
    click.echo(f"\n{click.style('Try next', bold=True)}, in {place.as_posix()}:")
    for number, (shell, what) in enumerate(tries.items(), start=1):
        click.echo(f"  {number}  {click.style(shell.ljust(width), fg='cyan')}  {what}")
