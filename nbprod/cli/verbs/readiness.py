"""`nbprod readiness [NOTEBOOK]`: may this go live? The checklist, from evidence."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from nbprod.cli.options import format_option, output_option, report_option
from nbprod.cli.problem import Problem
from nbprod.cli.report import Report, Views, meant, report_form, show
from nbprod.cli.terminal import common_options, note
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook

_COLOURS = {"proved": "green", "declared": "cyan", "contradicted": "red", "stale": "yellow", "missing": None}
_SEVERITY = {"contradicted": "error", "stale": "warning", "missing": "info"}
_STEPS = 5
_WIDE = 13


@click.command(name="readiness")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@output_option
@click.option("--gather", is_flag=True, help="First make the evidence that takes time, where it is missing or stale.")
@click.option("--anew", is_flag=True, help="With --gather or --interview: all of it once more.")
@click.option(
    "--interview", "is_interview", is_flag=True, help="First ask for what is not declared, and write it down."
)
@click.option("--only", multiple=True, metavar="ID", help="Show (and gather) these items or sections alone: NB, SK-2.")
@click.option("--open", "only_open", is_flag=True, help="Show only what is neither proved nor declared.")
@click.option("--explain", metavar="ID", help="Tell what an item asks, why, and how it is shown; nothing is looked at.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit code 1 below this score.")
@click.option("--html", metavar="FILE", help="Write a page that stands alone as well.")
@click.option("--badge", metavar="FILE", help="Write a badge for a README (SVG) as well.")
@report_option
@format_option("text", "json", "jsonl", "sarif", "github", "junit")
@common_options
def command(
    notebooks: tuple[str, ...],
    output: str | None,
    gather: bool,
    anew: bool,
    is_interview: bool,
    only: tuple[str, ...],
    only_open: bool,
    explain: str | None,
    fail_under: float | None,
    html: str | None,
    badge: str | None,
    reports: tuple[str, ...],
    form: str,
) -> int:
    """May this go live? 43 questions about NOTEBOOK, its package and its service, each answered from evidence.

    An item is proved (evidence of a machine, still fresh), declared (in the configuration, and nothing speaks against
    it), contradicted, stale (shown of something that has changed since), missing, or not applicable. Nobody can tick
    one. The score is that of the lowest of eight sections: a point for what is proved, half for what is declared.

    --interview asks for what only a person knows, with examples, and writes it into the configuration. With --only it
    also asks for what few pipelines have.

    Without a NOTEBOOK it is about those that have a pipeline in the configuration. Nothing is run, unless with
    --gather: that starts the service, trains again and plants faults, and keeps what it has seen in .nbprod/evidence.

    The exit code is 1 where a blocking item is contradicted, or the score lies under --fail-under.

    \b
    nbprod readiness sales.ipynb
    nbprod readiness sales.ipynb --gather --html readiness.html
    nbprod readiness sales.ipynb --interview --only SU,MO
    nbprod readiness --open --only SK
    nbprod readiness --explain SK-3
    nbprod readiness --fail-under 50 --format github      in CI
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    if explain is not None:
        click.echo(_explained(api.check_of(explain)))
        return 0
    for each in reports:
        report_form(each)
    wanted = _wanted(only)
    paths, several = meant(notebooks or _configured())
    for option, value in (("--html", html), ("--badge", badge)):
        if value is not None and len(paths) > 1:
            raise NbprodError(f"{option} takes one notebook", code="usage", hint="name it")
    if anew and not gather and not is_interview:
        raise NbprodError("--anew goes with --gather or --interview", code="usage")
    if is_interview:
        _interview(paths, output, wanted, anew=anew, rare=bool(only))
    if gather:
        _gather(paths, output, wanted, anew=anew)
    outcomes = list(each_of(partial(api.readiness_report, output=output), paths))
    for outcome in outcomes:
        if outcome.value is not None:
            _write(outcome.value, html, badge)
            if form != "text" and _is_under(outcome.value, fail_under):
                note(f"{outcome.value['notebook']}: {_too_low(outcome.value, fail_under)}")

    def found(report: Report) -> bool:
        return bool(report["blockers"]) or _is_under(report, fail_under)

    def text(path: str, report: Report, _notebook: Notebook) -> str:
        return "\n".join(_text(path, report, wanted, only_open=only_open, fail_under=fail_under))

    def problems(path: str, report: Report) -> Iterator[Problem]:
        return _problems(path, report, wanted)

    views = Views(text, problems, found, tuple(each.id for each in api.CHECKS if each.id in wanted))
    return show(outcomes, form, views, several=several, reports=reports)


def _configured() -> tuple[str, ...]:
    """The notebooks that have a pipeline, from the current directory; the only one of the folder where none has."""
    from nbprod.config import find_project

    project = find_project(Path.cwd())
    named = [each.notebook for each in project.config.pipelines.values() if each.notebook]
    paths = [project.root / each for each in named] or sorted(Path().glob("*.ipynb"))
    if not named and len(paths) != 1:
        raise NbprodError(
            "no notebook is named, and no pipeline of the configuration has one",
            code="usage",
            hint="nbprod readiness NOTEBOOK, or nbprod init NOTEBOOK once",
        )
    return tuple(_relative(each) for each in paths)


def _relative(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _wanted(only: Sequence[str]) -> frozenset[str]:
    """The items that are meant: ids and sections, in any case, apart by commas or options."""
    from nbprod import api

    words = [word.strip().upper() for each in only for word in each.split(",") if word.strip()]
    sections = {each.id.partition("-")[0] for each in api.CHECKS}
    found: set[str] = set()
    for word in words:
        if word in sections:
            found.update(each.id for each in api.CHECKS if each.id.startswith(f"{word}-"))
        else:
            found.add(api.check_of(word).id)
    return frozenset(found) if words else frozenset(each.id for each in api.CHECKS)


def _gather(paths: Iterable[str], output: str | None, wanted: frozenset[str], *, anew: bool) -> None:
    from nbprod import api
    from nbprod.cli.progress import shown

    for path in paths:
        with shown() as on_progress:
            api.gather(path, output=output, items=wanted, anew=anew, on_progress=on_progress)


def _interview(paths: Sequence[str], output: str | None, wanted: frozenset[str], *, anew: bool, rare: bool) -> None:
    from nbprod.cli.interview import interview

    if len(paths) > 1:
        raise NbprodError("--interview is about one notebook", code="usage", hint="name it")
    interview(paths[0], output, wanted, anew=anew, rare=rare)


def _write(report: Report, html: str | None, badge: str | None) -> None:
    from nbprod.readiness.badge import badge as badge_of
    from nbprod.readiness.page import page
    from nbprod.versions.files import replace_file

    for place, made in ((html, page), (badge, badge_of)):
        if place is not None:
            replace_file(Path(place), made(report).encode())
            note(f"written: {place}")


def _text(
    path: str, report: Report, wanted: frozenset[str], *, only_open: bool, fail_under: float | None
) -> Iterator[str]:
    whole = len(wanted) == len(report["items"])
    version = f"version {report['version']}" if report["version"] is not None else "never exported"
    yield f"{path}: {_verdict(report)}"
    yield click.style(f"  {report['name']}, {version}", dim=True)
    for section in report["sections"]:
        shown = [each for each in report["items"] if each["section"] == section["title"] and each["id"] in wanted]
        if only_open:
            shown = [each for each in shown if each["state"] in _SEVERITY]
        if shown:
            score = f"{section['points']:g} of {section['of']}"
            yield f"\n{click.style(section['title'], bold=True)}  {click.style(score, dim=True)}"
            for item in shown:
                yield from _item(item)
    if whole:
        yield from _summary(report)
    if _is_under(report, fail_under):
        yield click.style(_too_low(report, fail_under), fg="red")


def _is_under(report: Mapping[str, Any], fail_under: float | None) -> bool:
    return fail_under is not None and 100 * report["score"] < fail_under


def _too_low(report: Mapping[str, Any], fail_under: float | None) -> str:
    return f"the score, {report['score']:.0%}, is under --fail-under {fail_under:g} %"


def _verdict(report: Mapping[str, Any]) -> str:
    blockers, opened = report["blockers"], report["open"]
    blocking = sum(1 for each in report["items"] if each["blocking"])
    if blockers:
        return click.style(f"may not go live, contradicted: {', '.join(blockers)}", fg="red", bold=True)
    if opened:
        return click.style(f"not ready, {len(opened)} of {blocking} blocking items are open", fg="yellow", bold=True)
    return click.style(f"ready, none of the {blocking} blocking items is open", fg="green", bold=True)


def _item(item: Mapping[str, Any]) -> Iterator[str]:
    """The state, id and title of an item in a line, and its evidence below."""
    state = click.style(item["state"].ljust(_WIDE), fg=_COLOURS.get(item["state"]))
    blocking = click.style(" [blocking]", dim=True) if item["blocking"] else ""
    yield f"  {state} {item['id']:<5} {item['title']}{blocking}"
    parts = [item["evidence"], *([f"speaks against: {item['contradicts']}"] if item["contradicts"] else [])]
    width = max(get_terminal_size((120, 24)).columns, 60) - _WIDE - 3
    for part in parts:
        for line in textwrap.wrap(part, width, break_on_hyphens=False) or [""]:
            yield click.style(f"  {' ' * _WIDE} {line}", dim=True)


def _summary(report: Mapping[str, Any]) -> Iterator[str]:
    lowest = next(each for each in report["sections"] if each["id"] == report["lowest"])
    score = report["ml_test_score"]
    parts = ", ".join(f"{name} {points:g}" for name, points in score["sections"].items())
    yield f"\nscore          {report['score']:.0%}, that of the lowest section: {lowest['title']}"
    yield f"ML Test Score  {score['score']:g} ({parts}): {score['band']}"
    yield f"maturity       {report['maturity']}"
    steps = report["next"][:_STEPS]
    if steps:
        yield f"\n{click.style('what to do first', bold=True)}"
    for number, step in enumerate(steps, start=1):
        count = f"{len(step['items'])} items, {step['blocking']} blocking" if len(step["items"]) > 1 else "1 item"
        yield f"  {number}  {step['text']}"
        yield click.style(f"     {count}: {', '.join(step['items'])}", dim=True)
    if len(report["next"]) > _STEPS:
        yield click.style(f"     and {len(report['next']) - _STEPS} more; --explain ID tells about an item", dim=True)


def _problems(path: str, report: Report, wanted: frozenset[str]) -> Iterator[Problem]:
    for item in report["items"]:
        if item["state"] in _SEVERITY and item["id"] in wanted:
            cell = item["action"]["cell"] if item["action"] else None
            message = f"{item['title']}: {item['state']}. {item['evidence']}"
            severity = _SEVERITY[item["state"]]
            if severity == "error" and not item["blocking"]:
                severity = "warning"
            yield Problem(path, item["id"], severity, message, cell, hint=item["step"])


def _explained(check: Any) -> str:
    """All that is known of an item before anything is looked at."""
    from nbprod.readiness.sections import SECTIONS, section_of

    kind = " (blocking)" if check.blocking else ""
    parts = [
        f"{click.style(check.id, bold=True)}  {click.style(check.title, bold=True)}{kind}",
        f"section    {SECTIONS[section_of(check.id)]}",
        f"why        {check.why}",
        f"source     {check.source}",
        f"next       {check.step}",
    ]
    if check.keys:
        parts.append(f"declared   {', '.join(check.keys)}")
    if check.optional:
        parts.append(f'left out   not_applicable."{check.id}" = "the reason", in the pipeline\'s table')
    if check.is_promise:
        parts.append("a promise  it can be declared, and no machine can prove it")
    if check.gathered:
        parts.append(f"evidence   takes time: nbprod readiness NOTEBOOK --gather --only {check.id}")
    width = max(get_terminal_size((120, 24)).columns, 60)
    return "\n".join(textwrap.fill(each, width, subsequent_indent=" " * 11, break_on_hyphens=False) for each in parts)
