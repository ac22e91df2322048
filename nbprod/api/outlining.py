"""A notebook read, its dataflow, and what each cell does: what every static verb starts from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from nbprod import notebook as reading
from nbprod.analysis import Analysis, analyse
from nbprod.analysis.below import trained_whole
from nbprod.analysis.environment import pandas_major
from nbprod.analysis.headers import likely_headers, read_headers
from nbprod.analysis.incremental import Analyser
from nbprod.analysis.keys import read_joins
from nbprod.analysis.roles import project_rules, steps_of_cells, suggest
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook, Suggestion

MOST_JOINS = 8
"""Joins one upon the other that are told apart: what the second joins is known once the first is."""


class Outline(Struct, frozen=True):
    """A notebook with its dataflow, what each cell does, and the roles suggested for cells that have none."""

    notebook: Notebook
    analysis: Analysis
    steps: tuple[tuple[str, ...], ...]
    suggestions: tuple[Suggestion, ...]


class Recorded(Struct, frozen=True):
    """What an earlier version knows: columns of raw tables by path, the pandas it ran with, its model, its joins.

    `batch` says that it serves whole batches. `given_names` are those that the kernel is declared to give.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pandas: int | None = None
    model: str | None = None
    joins: Mapping[str, str] = field(default_factory=dict)
    batch: bool = False
    given_names: tuple[str, ...] = ()


def outline(notebook: Notebook, recorded: Recorded | None = None, analyser: Analyser | None = None) -> Outline:
    """Analyse `notebook`; a project's own rules of what cells do are taken from `.nbprod/rules/`.

    `recorded` is what an earlier version of the package knows; `analyser` has analysed this notebook before.
    """
    if recorded is not None and recorded.given_names:
        notebook = replace(notebook, given_names=recorded.given_names)
    analysis = analysis_of(notebook, recorded, analyser)
    rules = project_rules(find_project(Path(notebook.path)).root)
    steps = steps_of_cells(notebook.cells, rules)
    return Outline(notebook, analysis, steps, suggest(notebook, steps, analysis.edges, rules))


def analysis_of(notebook: Notebook, recorded: Recorded | None = None, analyser: Analyser | None = None) -> Analysis:
    """The dataflow of a notebook.

    Column names of raw tables come from the headers of the files beside the notebook, and from what is `recorded` of
    them where the files are not at hand, and so does what the joins of the notebook are. The pandas that counts is the
    recorded one, else the kernel's.
    """
    recorded = recorded or Recorded()
    pandas = recorded.pandas or pandas_major(notebook.kernel)
    work = analyse if analyser is None else analyser.analyse
    folder = Path(notebook.path).parent
    known: Mapping[str, Sequence[str]] = {} if analyser is None else analyser.schemas
    if not known:
        codes = (cell.code for cell in notebook.cells if cell.fault is None)
        known = {**recorded.columns, **likely_headers(codes, folder)}
    joins: Mapping[str, str] = {} if analyser is None else analyser.joins
    analysis = work(notebook, known, pandas, joins)
    headers = {**recorded.columns, **read_headers(analysis.events, folder)}
    if headers != known:
        analysis = work(notebook, headers, pandas, joins)
    below: dict[str, str] = {}
    for _ in range(MOST_JOINS):
        below |= trained_whole(analysis.run)
        told = {**recorded.joins, **read_joins(analysis.run.joined, folder), **below}
        if told == joins:
            break
        joins = told
        analysis = work(notebook, headers, pandas, joins)
    return analysis


def notebook_of(path: str, content: str | Mapping[str, Any] | None = None) -> Notebook:
    """The notebook at `path`, or an editor's unsaved content of it: the file's text, or the notebook as JSON."""
    match content:
        case None:
            return reading.read(path)
        case str():
            return reading.read_text(content, path)
        case _:
            return reading.read_text(json.dumps(content), path)


def with_roles(notebook: Notebook, *, auto: bool) -> Notebook:
    """The notebook with the suggested roles where `auto`; nothing is written.

    Raises NbprodError (`untagged`) where no cell has a role and `auto` is not given.
    """
    if auto:
        roles = {each.cell: each.role for each in outline(notebook).suggestions}
        cells = (replace(cell, role=cell.role or roles.get(cell.index)) for cell in notebook.cells)
        return replace(notebook, cells=tuple(cells))
    if any(cell.role is not None for cell in notebook.cells):
        return notebook
    raise NbprodError(
        "no cell of this notebook has a role",
        code="untagged",
        where=Where(notebook.path),
        hint=f"look at the suggestions with `nbprod tag {quote(notebook.path)}`, or accept them with --auto",
    )
