"""The verb `inspect` on real cells that were damaged: there is always an answer, and nothing is printed."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest

from nbprod.api.inspecting import inspect_notebook
from nbprod.notebook import read
from tests.damage import damaged

CASES = Path(__file__).parent / "cases"
SEEDS = 8


@pytest.mark.parametrize("case", [path.name for path in sorted(CASES.glob("*.py"))[::7]])
def test_there_is_an_answer_to_damaged_cells(case: str) -> None:
    cells = [cell.source for cell in read(str(CASES / case)).cells]
    for seed in range(SEEDS):
        chance = random.Random(f"{case} {seed}")
        sources = [damaged(cell, chance) if chance.random() < 0.5 else cell for cell in cells]
        document = {
            "cells": [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = inspect_notebook(f"{case}.ipynb", document)
        assert len(report["cells"]) == len(cells)
