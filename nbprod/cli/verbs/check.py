"""`nbprod check NOTEBOOK`: what CI and pre-commit call."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import click

from nbprod.cli.excerpt import describe_all, summary
from nbprod.cli.options import (
    format_option,
    model_option,
    name_option,
    notebooks_argument,
    output_option,
    report_option,
)
from nbprod.cli.problem import Problem, from_divergences, from_finding, from_unchecked
from nbprod.cli.report import Report, Views, meant, report_form, show
from nbprod.cli.terminal import common_options
from nbprod.model.notebook import Notebook

RULES = ("preprocessing-leakage", "overlap-leakage", "multi-test-leakage", "target-leakage", "divergent-test-path",
         "missing-seed", "out-of-order", "undefined-name", "stale-output", "secret", "conflicting-role",
         "unknown-role")  # fmt: skip
DIVERGED = frozenset({"diverges", "unknown"})
LEVELS = {"error": ("error",), "warning": ("error", "warning"), "info": ("error", "warning", "info"), "never": ()}
COLOURS = {"same": "green", "cosmetic": "green", "training-only": "yellow", "diverges": "red", "unknown": "red"}
MEANING = {
    "same": "the package is what the notebook says",
    "cosmetic": "other text, the same meaning: nothing to do",
    "training-only": "serving is unaffected; the next run trains in another way",
    "diverges": "the package no longer does what the notebook does",
    "unknown": "it can't be decided by reading: nbprod verify decides it by replay",
    "not-exported": "there is no package of this notebook yet",
}


@click.command(name="check")
@notebooks_argument
@output_option
@name_option
@click.option("--against", metavar="VERSION", default=None, help="Number or alias to compare with (default: newest).")
@click.option(
    "--fail-on",
    type=click.Choice(tuple(LEVELS)),
    default="warning",
    show_default=True,
    help="Findings of this severity and above give exit code 1; divergence always does.",
)
@model_option
@report_option
@format_option("text", "json", "jsonl", "sarif", "github", "junit")
@common_options
def command(
    notebooks: tuple[str, ...],
    output: str | None,
    name: str | None,
    against: str | None,
    fail_on: str,
    model: str | None,
    reports: tuple[str, ...],
    form: str,
) -> int:
    """Has NOTEBOOK moved away from its package? Leakage, missing seeds and other findings, too.

    The verdict is same, cosmetic, training-only, diverges, unknown or not-exported. Exit code 1 for diverges and
    unknown, and for findings.

    \b
    nbprod check sales.ipynb
    nbprod check sales.ipynb --against champion
    nbprod check notebooks/ --format github --report nbprod.sarif --report nbprod.xml
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    for each in reports:
        report_form(each)
    paths, several = meant(notebooks, name)
    work = partial(api.check_notebook, output=output, name=name, reference=against, model=model)

    def found(report: Report) -> bool:
        severities = {finding["severity"] for finding in report["findings"]}
        return report["verdict"] in DIVERGED or not severities.isdisjoint(LEVELS[fail_on])

    def fails(problem: Problem) -> bool:
        return problem.rule == "divergence" or problem.severity in LEVELS[fail_on]

    views = Views(_text, _problems_for_tools, found, ("divergence", *RULES), fails)
    return show(each_of(work, paths), form, views, several=several, reports=reports)


def _problems(path: str, report: Report) -> Iterator[Problem]:
    if report["verdict"] in DIVERGED:
        yield from from_divergences(path, report["divergences"], report["package"])
    yield from (from_finding(path, finding) for finding in report["findings"])
    yield from from_unchecked(path, report)


def _problems_for_tools(path: str, report: Report) -> Iterator[Problem]:
    """With why there is no plan of a notebook that was exported, which the text says in its head."""
    error = report["plan_error"]
    if error and report["package"]:
        at = error["where"] or {}
        line = at.get("line") or 1
        message = f"no plan of the notebook as it is: {error['message']}"
        yield Problem(path, "divergence", "error", message, at.get("cell"), "", line, line, error["hint"])
    yield from _problems(path, report)


def _text(path: str, report: Report, notebook: Notebook) -> str:
    problems = list(_problems(path, report))
    verdict = report["verdict"]
    head = f"{path}: {click.style(verdict, fg=COLOURS.get(verdict), bold=True)}, {MEANING[verdict]}"
    lines = [head, f"  package: {report['package']}"] if report["package"] else [head]
    if verdict == "training-only":
        lines.extend(f"  cell {each['cell']}, line {each['line']}: {each['after']}" for each in report["divergences"])
    if report["plan_error"] and report["package"]:
        lines.append(f"  no plan of the notebook as it is: {report['plan_error']['message']}")
    parts = ["\n".join(lines), *describe_all(problems, notebook)]
    return "\n\n".join([*parts, summary(problems)] if problems else parts)
