"""Problems as JUnit's XML, which CI services show as tests: a suite for each notebook, a case for each rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from msgspec import Struct

from nbprod.cli.places import file_line, file_lines
from nbprod.cli.problem import Problem
from nbprod.model.notebook import Notebook

MISSING = "missing-data"


class Case(Struct, frozen=True):
    """One thing that was checked: what failed it, what is worth a note, and why it could not be checked at all."""

    name: str
    failures: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    skipped: str | None = None


class Suite(Struct, frozen=True):
    """What was checked of one notebook; `error` is what stopped the work on it."""

    path: str
    cases: tuple[Case, ...] = ()
    error: Problem | None = None


def junit(suites: Sequence[Suite], notebooks: Mapping[str, Notebook]) -> str:
    """A report with one suite for each notebook; lines are those of the file on disk."""
    root = ElementTree.Element("testsuites", {"name": "nbprod"})
    for suite in suites:
        notebook = notebooks.get(suite.path)
        lines = file_lines(notebook) if notebook else ()
        cases = [*suite.cases, *([Case(suite.error.rule)] if suite.error else [])]
        element = ElementTree.SubElement(
            root,
            "testsuite",
            {
                "name": _legal(suite.path),
                "tests": str(len(cases)),
                "failures": str(sum(bool(case.failures) for case in cases)),
                "errors": str(int(suite.error is not None)),
                "skipped": str(sum(case.skipped is not None for case in cases)),
            },
        )
        for case in suite.cases:
            _add(element, suite.path, case, lines)
        if suite.error is not None:
            _add_error(element, suite.path, suite.error, lines)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def cases_of(checked: Sequence[str], problems: Sequence[Problem], failing: Sequence[Problem]) -> tuple[Case, ...]:
    """A case for each rule that was checked, and for any other that a problem names; what is not here is skipped."""
    names = dict.fromkeys((*checked, *(problem.rule for problem in problems)))
    cases = []
    for name in names:
        found = [each for each in problems if each.rule == name]
        if name == MISSING:
            cases.append(Case(name, skipped="\n".join(each.message for each in found)))
        else:
            failed = tuple(each for each in found if each in failing)
            cases.append(Case(name, failed, tuple(each for each in found if each not in failed)))
    return tuple(cases)


def _add(suite: ElementTree.Element, path: str, case: Case, lines: tuple[tuple[int, ...], ...]) -> None:
    first = next(iter((*case.failures, *case.notes)), None)
    element = _case(suite, path, case.name, first, lines)
    if case.failures:
        failure = ElementTree.SubElement(
            element, "failure", {"type": case.name, "message": _legal(case.failures[0].message)}
        )
        failure.text = _legal("\n\n".join(_told(each, lines) for each in case.failures))
    if case.skipped is not None:
        ElementTree.SubElement(element, "skipped", {"message": _legal(case.skipped)})
    if case.notes:
        notes = ElementTree.SubElement(element, "system-out")
        notes.text = _legal("\n\n".join(_told(each, lines) for each in case.notes))


def _add_error(suite: ElementTree.Element, path: str, problem: Problem, lines: tuple[tuple[int, ...], ...]) -> None:
    element = _case(suite, path, problem.rule, problem, lines)
    error = ElementTree.SubElement(element, "error", {"type": problem.rule, "message": _legal(problem.message)})
    error.text = _legal(_told(problem, lines))


def _case(
    suite: ElementTree.Element, path: str, name: str, at: Problem | None, lines: tuple[tuple[int, ...], ...]
) -> ElementTree.Element:
    place = {} if at is None else {"line": str(_line(at, lines))}
    return ElementTree.SubElement(
        suite, "testcase", {"classname": _legal(path), "name": _legal(name), "file": _legal(path), **place}
    )


def _line(problem: Problem, lines: tuple[tuple[int, ...], ...]) -> int:
    return problem.line if problem.cell is None else file_line(lines, problem.cell, problem.line)


def _told(problem: Problem, lines: tuple[tuple[int, ...], ...]) -> str:
    cell = "" if problem.cell is None else f" (cell {problem.cell}, line {problem.line})"
    return f"{problem.path}:{_line(problem, lines)}{cell}: {problem.told}"


def _legal(text: str) -> str:
    """Text with what XML 1.0 has no place for (https://www.w3.org/TR/xml/#charsets) as U+FFFD."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
