"""The static analysis against what generated programs do when they run."""

from __future__ import annotations

import os
import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from nbprod.analysis import Analysis, analyse
from nbprod.notebook import read_text
from tests.analysis.executed import Observed, execute
from tests.analysis.programs import programs

EXAMPLES = int(os.environ.get("NBPROD_ORACLE_EXAMPLES", "40"))
BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def analysis_of(cells: list[str]) -> Analysis:
    """The analysis of these cells."""
    return analyse(read_text("".join(f"# %%\n{cell}\n\n" for cell in cells), "nb.py"))


def observed_of(cells: list[str], capsys: pytest.CaptureFixture[str]) -> list[Observed]:
    """What the cells did, and nothing on the terminal."""
    with warnings.catch_warnings(), capsys.disabled(), open(os.devnull, "w") as nowhere:  # noqa: PTH123
        warnings.simplefilter("ignore")
        from contextlib import redirect_stdout

        with redirect_stdout(nowhere):
            return execute(cells)


def missed(cells: list[str], observed: list[Observed]) -> list[str]:
    """What the cells did and the analysis does not know of."""
    analysis = analysis_of(cells)
    edges = {(edge.source, edge.target, name) for edge in analysis.edges for name in edge.names}
    found = []
    for number, one in enumerate(observed):
        effects = analysis.effects[number]
        writes = {*effects.defines, *effects.updates}
        found += [f"cell {number} binds {name}" for name in sorted(one.binds - writes)]
        found += [f"cell {number} changes {name}" for name in sorted(one.changes - writes)]
        found += [f"cell {number} reads {name}" for name in sorted(one.reads - set(effects.uses))]
        found += [f"{a}->{number} {name}" for a, name in sorted(one.edges) if not _leads(edges, a, number, name)]
    return found


def _leads(edges: set[tuple[int, int, str]], source: int, target: int, name: str) -> bool:
    """Whether a name flows from one cell to another, if through cells that may write it and have read it."""
    nearer = {a for a, b, each in edges if b == target and each == name and a >= source}
    return source in nearer or any(_leads(edges, source, cell, name) for cell in nearer)


def invented(cells: list[str], observed: list[Observed]) -> list[str]:
    """What the analysis says of the cells and they did not do."""
    analysis = analysis_of(cells)
    found = []
    for number, one in enumerate(observed[1:], 1):
        effects = analysis.effects[number]
        found += [f"cell {number} binds {name}" for name in sorted(set(effects.defines) - one.binds)]
        found += [f"cell {number} changes {name}" for name in sorted(set(effects.updates) - one.changes - one.binds)]
        found += [f"cell {number} reads {name}" for name in sorted(set(effects.uses) - one.reads)]
    return found


@BOUNDED
@given(cells=programs())
def test_all_that_happens_is_known(cells: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert missed(cells, observed_of(cells, capsys)) == []


@BOUNDED
@given(cells=programs(deep=0))
def test_nothing_else_is_said_of_straight_code(cells: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invented(cells, observed_of(cells, capsys)) == []
