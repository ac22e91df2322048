"""What to do first: steps that are alike are one, and what others rest on comes before them."""

from __future__ import annotations

from typing import Any

import pytest

from nbprod.model.readiness import Action, ActionKind, State, Told
from nbprod.readiness import CHECKS
from nbprod.readiness.next_steps import next_steps

P, C, M = State.PROVED, State.CONTRADICTED, State.MISSING


def told(**given: tuple[State, ActionKind | None]) -> dict[str, Told]:
    """All items proved, but those that are given, such as `NB_1`, with the kind of their next step."""
    made = {check.id: Told(P, "shown") for check in CHECKS}
    for name, (state, kind) in given.items():
        cell = 3 if kind is ActionKind.OPEN_CELL else None
        made[name.replace("_", "-")] = Told(state, "cell 3: look", None, None if kind is None else Action(kind, cell))
    return made


RUN, EXPORT, GATHER = ActionKind.RUN, ActionKind.EXPORT, ActionKind.GATHER
DECLARE, SHOW, FLOW = ActionKind.DECLARE, ActionKind.OPEN_CELL, ActionKind.WORKFLOW


@pytest.mark.parametrize(
    "given, expected",
    [
        pytest.param({}, [], id="nothing is open"),
        pytest.param(
            {"NB_1": (M, RUN), "SK_2": (M, RUN), "RP_4": (M, RUN)},
            [("nbprod run 'a b.ipynb'", ("NB-1", "SK-2", "RP-4"), 2)],
            id="one step for many items",
        ),
        pytest.param(
            {"NB_1": (M, RUN), "NB_4": (M, EXPORT)},
            [("nbprod run 'a b.ipynb'", ("NB-1", "NB-4"), 2)],
            id="a run exports as well",
        ),
        pytest.param(
            {"NB_1": (M, RUN), "NB_3": (M, ActionKind.TAG), "NB_4": (M, EXPORT)},
            [("nbprod tag 'a b.ipynb' --apply && nbprod run 'a b.ipynb'", ("NB-1", "NB-3", "NB-4"), 2)],
            id="cells get their roles before the run",
        ),
        pytest.param(
            {"NB_1": (M, RUN), "NB_3": (M, ActionKind.PLAN), "NB_4": (M, EXPORT), "MO_1": (M, GATHER)},
            [("cell 3: look (nbprod export 'a b.ipynb' says where)", ("NB-1", "NB-3", "NB-4", "MO-1"), 3)],
            id="without a plan nothing can be run",
        ),
        pytest.param({"NB_4": (M, EXPORT)}, [("nbprod export 'a b.ipynb'", ("NB-4",), 1)], id="an export alone"),
        pytest.param(
            {"MO_1": (M, GATHER), "MO_3": (M, GATHER), "NB_1": (M, RUN)},
            [("nbprod run 'a b.ipynb'", ("NB-1",), 1), ("nbprod readiness 'a b.ipynb' --gather", ("MO-1", "MO-3"), 2)],
            id="evidence is gathered after the run that it is about",
        ),
        pytest.param(
            {"NB_1": (M, RUN), "SK_6": (C, SHOW)},
            [("look at cell 3: look", ("SK-6",), 1), ("nbprod run 'a b.ipynb'", ("NB-1",), 1)],
            id="what is contradicted comes first",
        ),
        pytest.param(
            {"TM_3": (M, FLOW), "SU_1": (M, DECLARE), "DT_1": (M, DECLARE)},
            [
                ("nbprod readiness 'a b.ipynb' --interview", ("DT-1", "SU-1"), 2),
                ("nbprod init --github", ("TM-3",), 1),
            ],
            id="what brings more comes first",
        ),
        pytest.param(
            {"RT_4": (M, ActionKind.WAIT), "DT_6": (M, ActionKind.WAIT), "RT_3": (M, None)},
            [
                ("promote it through the gates: nbprod versions sales promote", ("RT-3",), 1),
                ("cell 3: look", ("RT-4", "DT-6"), 0),
            ],
            id="what can't be tried yet comes last, with its reason",
        ),
        pytest.param(
            {"RT_3": (M, None)},
            [("promote it through the gates: nbprod versions sales promote", ("RT-3",), 1)],
            id="the item's own words",
        ),
    ],
)
def test_steps(given: dict[str, Any], expected: list[tuple[str, tuple[str, ...], int]]) -> None:
    steps = next_steps(CHECKS, told(**given), "a b.ipynb", "sales")

    assert [(each.text, each.items, each.blocking) for each in steps] == expected


def test_a_path_is_taken_as_it_is() -> None:
    (step,) = next_steps(CHECKS, told(RT_2=(M, None)), "NAME/NOTEBOOK NAME.ipynb", "sales")

    assert step.text.startswith("let CI run it: nbprod run 'NAME/NOTEBOOK NAME.ipynb' in a workflow")
    assert "nbprod run sales --retrain" in step.text
