"""Splits without a seed: each call draws other rows, so that two of them do not set the same rows apart."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from nbprod.analysis import Analysis
from nbprod.analysis.values import Rows


def unseeded_splits(analysis: Analysis) -> dict[int, list[int]]:
    """The calls of `train_test_split` without a seed, by statement: their places among all calls."""
    found: dict[int, list[int]] = {}
    for number, event in enumerate(analysis.events):
        if event.kind == "split" and event.name == "train_test_split" and _draws(event.node):
            found.setdefault(event.statement, []).append(number)
    return found


def _draws(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    seed, shuffle = given.get("random_state"), given.get("shuffle")
    in_order = isinstance(shuffle, ast.Constant) and shuffle.value is False
    unseeded = seed is None or (isinstance(seed, ast.Constant) and seed.value is None)
    return None not in given and unseeded and not in_order


def draw_of(splits: Mapping[int, Sequence[int]], rows: Rows, at: int) -> int:
    """The call without a seed that rows were drawn by, which a call at a place uses; -1 where there is none."""
    calls = splits.get(rows.split, ())
    before = bisect_left(calls, at)
    return calls[before - 1] if before else -1
