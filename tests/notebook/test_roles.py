"""Roles from tags, comments and magics; conflicts and near misses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbprod.model.finding import Severity
from nbprod.model.notebook import MarkedBy, Notebook, Role
from nbprod.notebook import read_text
from nbprod.notebook.roles import role_findings


def one_cell(source: str, *tags: str) -> Notebook:
    cell: dict[str, Any] = {"cell_type": "code", "id": "c0ffee", "source": source, "metadata": {"tags": list(tags)}}
    return read_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "churn.ipynb")


@pytest.mark.parametrize(
    "source, tags, role, by",
    [
        pytest.param("x = 1", ["train"], Role.TRAIN, MarkedBy.TAG, id="a tag"),
        pytest.param("x = 1", ["slow", "parameters"], Role.PARAMETERS, MarkedBy.TAG, id="a tag among others"),
        pytest.param("#| nbprod: features\nx = 1", [], Role.FEATURES, MarkedBy.COMMENT, id="a first-line comment"),
        pytest.param(
            "\n# note\n# | nbprod:Data\nx = 1", [], Role.DATA, MarkedBy.COMMENT, id="a comment below comments"
        ),
        pytest.param("%%evaluate\nx = 1", [], Role.EVALUATE, MarkedBy.MAGIC, id="a cell magic"),
        pytest.param("%%time\n%%explore --x\nx = 1", [], Role.EXPLORE, MarkedBy.MAGIC, id="a cell magic below another"),
        pytest.param("# %%train\nx = 1", [], Role.TRAIN, MarkedBy.MAGIC, id="a cell magic that jupytext commented out"),
        pytest.param("%%train\nx = 1", ["train"], Role.TRAIN, MarkedBy.TAG, id="two marks that agree"),
        pytest.param("x = 1\n#| nbprod: train", [], None, None, id="a comment below code is none"),
        pytest.param("x = '''\n%%train\n'''", [], None, None, id="a magic in a string is none"),
        pytest.param("x = 1", ["hide-input"], None, None, id="another tag is none"),
    ],
)
def test_role(source: str, tags: list[str], role: Role | None, by: MarkedBy | None) -> None:
    (cell,) = one_cell(source, *tags).cells
    assert (cell.role, cell.marked_by) == (role, by)
    assert role_findings(one_cell(source, *tags)) == ()


@pytest.mark.parametrize(
    "source, tags, message, line",
    [
        pytest.param("x = 1", ["train", "features"], 'the tag "train" and the tag "features"', 1, id="two tags"),
        pytest.param(
            "# a\n#| nbprod: data\nx = 1",
            ["train"],
            'the tag "train" and the comment `#| nbprod: data`',
            2,
            id="a tag and a comment",
        ),
        pytest.param(
            "%%evaluate\n#| nbprod: data\nx = 1",
            [],
            "the comment `#| nbprod: data` and the magic `%%evaluate`",
            1,
            id="a comment and a magic",
        ),
    ],
)
def test_a_conflict_names_both_marks(source: str, tags: list[str], message: str, line: int) -> None:
    (finding,) = role_findings(one_cell(source, *tags))
    assert (finding.rule, finding.severity) == ("conflicting-role", Severity.ERROR)
    assert finding.message == f"cell 0 has two roles: {message}"
    assert (finding.cell, finding.cell_id, finding.line) == (0, "c0ffee", line)


@pytest.mark.parametrize(
    "source, tags, message, hint",
    [
        pytest.param("x", ["feature"], 'cell 0 is tagged "feature"', 'did you mean "features"?', id="a near tag"),
        pytest.param("x", ["Train"], 'cell 0 is tagged "Train"', 'did you mean "train"?', id="a tag in capitals"),
        pytest.param(
            "x", ["evaluation"], 'cell 0 is tagged "evaluation"', 'did you mean "evaluate"?', id="another form"
        ),
        pytest.param(
            "#| nbprod: trian\nx", [], 'cell 0 is marked "trian"', 'did you mean "train"?', id="a near comment"
        ),
        pytest.param(
            "#| nbprod: xyz\nx",
            [],
            'cell 0 is marked "xyz"',
            "the roles are parameters, data, features, train, evaluate, explore",
            id="a comment far from any role",
        ),
        pytest.param(
            "%%feature\nx", [], "cell 0 begins with `%%feature`", "did you mean `%%features`?", id="a near magic"
        ),
    ],
)
def test_an_unknown_role_is_told_with_what_was_meant(source: str, tags: list[str], message: str, hint: str) -> None:
    (finding,) = role_findings(one_cell(source, *tags))
    assert (finding.rule, finding.message, finding.hint) == ("unknown-role", message, hint)


@pytest.mark.parametrize(
    "tag",
    [
        *(
            "hide-input",
            "remove-cell",
            "raises-exception",
            "skip",
            "slide",
            "solution",
            "exercise",
            "injected-parameters",
        ),
        *(
            "date",
            "database",
            "metadata",
            "explain",
            "rain",
            "strain",
            "test",
            "plot",
            "feature-flag",
            "value",
            "exercise",
            "",
        ),
    ],
)
def test_ordinary_tags_raise_nothing(tag: str) -> None:
    assert role_findings(one_cell("x = 1", tag)) == ()
