"""Trees as text: each is one expression, and a score adds them up in the order in which the library does.

A tree is written as one conditional expression, which takes half the text of statements, and less time: a score stays
where it is until all of a chain is added. A function of too many of them takes Python long to compile, so that many are
written as several. A large tree is no part of the text: it is walked in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .model import Model, UncompiledError
from .writing import written

MOST_NODES = 400
"""Nodes of a tree that is written as an expression; a larger one is walked in a table."""

MOST_DEPTH = 80
"""Parentheses within each other; Python takes no more than 200."""

MOST_INLINE = 20_000
"""Nodes of the trees of one function."""

CHAIN = 50
"""Trees that are added in one expression: Python goes down one level for each when it compiles it."""

OFTEN = 8
"""Comparisons of a feature from which on a whole number is made a float: Python takes three times as long to compare it
with a float as it takes for two of these."""

ZERO = float(np.float32(1e-35))
"""What LightGBM takes for zero, where zeros count as missing (`kZeroThreshold`)."""


@dataclass(frozen=True)
class Tree:
    """The nodes of a tree: their children (left -1 at a leaf), the feature and threshold of the test, and the values.

    All are sequences, or arrays of one dimension. A row goes to the left where the feature is not above the threshold,
    or where `missing_left` holds of the node and the feature is missing. At a node of `choices` it goes to the left
    where the feature is one of these categories (None of them is what is missing); at one of `zeros` what is zero goes
    where the missing go. The value of a leaf is a number, a tuple of them, or the text of an expression.
    """

    left: Any
    right: Any
    feature: Any
    threshold: Any
    missing_left: Any
    values: Any
    choices: Mapping[int, frozenset[Any]] = field(default_factory=dict)
    zeros: frozenset[int] = frozenset()


def as_float64(threshold: float) -> float:
    """The threshold for an `x` of 64 bits where the tree compares `float32(x)`: the largest that is not above it."""
    low = np.float32(threshold)
    if float(low) > threshold:
        low = np.nextafter(low, np.float32(-np.inf))
    if low == -np.inf:
        return -LEAST_TOO_LARGE
    above = np.nextafter(low, np.float32(np.inf))
    middle = (float(low) + float(above)) / 2
    return middle if np.float32(middle) == low else float(np.nextafter(middle, -np.inf))


LEAST_TOO_LARGE = float(2**128 - 2**103)
"""The smallest number of 64 bits that is infinite in 32."""


def depth_of(tree: Tree) -> int:
    """The nodes on the longest way from the root to a leaf."""
    deepest, stack = 0, [(0, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        if tree.left[node] >= 0:
            stack += [(int(tree.left[node]), depth + 1), (int(tree.right[node]), depth + 1)]
    return deepest


def expressions(made: Model, trees: Sequence[Tree], fields: Sequence[str]) -> list[str]:
    """Each tree as an expression over the features; the tables of large ones are put into `made`."""
    texts = []
    for tree in trees:
        if is_large(tree):
            texts.append(f"{_walker(tree)}(TABLES[{len(made.tables)}], given)")
            made.tables.append(_table(tree))
        else:
            texts.append(f"({_expression(tree, 0, fields)})")
    return texts


def is_large(tree: Tree) -> bool:
    """Whether a tree is walked in a table."""
    return len(tree.left) > MOST_NODES or depth_of(tree) >= MOST_DEPTH


def prepare(made: Model, trees: Sequence[Tree], fields: Sequence[str]) -> None:
    """Add what trees need before them: categories as whole numbers, and all features where a table is walked."""
    inner = [(tree, node) for tree in trees for node in range(len(tree.left)) if tree.left[node] >= 0]
    uses = Counter(int(tree.feature[node]) for tree, node in inner)
    made.compared |= {feature for feature, count in uses.items() if count >= OFTEN}
    chosen = {int(tree.feature[node]) for tree in trees for node in tree.choices if not is_large(tree)}
    made.statements += [f"{_category(fields[at])} = category({fields[at]})" for at in sorted(chosen)]
    if any(map(is_large, trees)):
        made.statements.append(f"given = ({', '.join(fields)},)")


def one_by_one(total: str) -> Callable[[Sequence[str]], list[str]]:
    """What adds expressions to a total, from the first to the last."""
    return lambda texts: [
        f"{total} = {' + '.join((total, *texts[at : at + CHAIN]))}" for at in range(0, len(texts), CHAIN)
    ]


def in_32_bits(total: str) -> Callable[[Sequence[str]], list[str]]:
    """What adds expressions to a total, each time rounded to 32 bits."""
    return lambda texts: [f"{total} = summed(({', '.join((total, *texts))}))"]


def added(
    made: Model,
    trees: Sequence[Tree],
    fields: Sequence[str],
    totals: Sequence[str],
    statements: Callable[[Sequence[str]], list[str]],
) -> list[str]:
    """The statements that add trees to totals: where there are many nodes these stand in functions.

    `statements` gives those that add the expressions of some trees.
    """
    texts = expressions(made, trees, fields)
    parts = list(_parts(trees))
    if len(parts) == 1:
        return statements(texts)
    lines = []
    for part in parts:
        name = f"trees_{len(made.functions)}"
        arguments = [*totals, *_names(trees[part], fields)]
        body = [*statements(texts[part]), f"return {', '.join(totals)}"]
        made.functions.append("\n    ".join([f"def {name}({', '.join(arguments)}):", *body]))
        lines.append(f"{', '.join(totals)} = {name}({', '.join(arguments)})")
    return lines


def _parts(trees: Sequence[Tree]) -> Iterator[slice]:
    """Trees that stand together in one function."""
    start, nodes = 0, 0
    for at, tree in enumerate(trees):
        size = 1 if is_large(tree) else len(tree.left)
        if at > start and nodes + size > MOST_INLINE:
            yield slice(start, at)
            start, nodes = at, 0
        nodes += size
    yield slice(start, len(trees))


def _names(trees: Sequence[Tree], fields: Sequence[str]) -> list[str]:
    """The variables that trees read."""
    if any(any(isinstance(value, str) for value in tree.values) for tree in trees):
        return list(fields)
    names = {
        _category(fields[tree.feature[node]]) if node in tree.choices else fields[tree.feature[node]]: None
        for tree in trees
        if not is_large(tree)
        for node in range(len(tree.left))
        if tree.left[node] >= 0
    }
    return [*names, "given"] if any(map(is_large, trees)) else list(names)


def _category(name: str) -> str:
    """The variable that holds a feature as a whole number."""
    return f"c{name[1:]}"


def _expression(tree: Tree, node: int, fields: Sequence[str]) -> str:
    if tree.left[node] < 0:
        value = tree.values[node]
        return value if isinstance(value, str) else written(value)
    left, right = int(tree.left[node]), int(tree.right[node])
    then = _expression(tree, left, fields)
    is_leaf = tree.left[left] < 0 and not isinstance(tree.values[left], str)
    return f"{then if is_leaf else f'({then})'} if {_test(tree, node, fields)} else {_expression(tree, right, fields)}"


def _test(tree: Tree, node: int, fields: Sequence[str]) -> str:
    """Whether a row goes to the left; what is missing goes where the tree has learned to send it."""
    x, threshold = fields[tree.feature[node]], tree.threshold[node]
    if node in tree.choices:
        members = _members(tree.choices[node])
        return f"{_category(x)} in {{{', '.join(map(repr, members))}}}" if members else "False"
    is_left = bool(tree.missing_left[node])
    test = f"not {x} > {written(threshold)}" if is_left else f"{x} <= {written(threshold)}"
    if node in tree.zeros and (threshold < ZERO if is_left else threshold >= -ZERO):
        is_zero = f"-{ZERO!r} <= {x} <= {ZERO!r}"
        return f"{test} or {is_zero}" if is_left else f"{test} and not {is_zero}"
    return test


def _members(choices: frozenset[Any]) -> list[Any]:
    """Categories in their order, and at last what is missing."""
    return sorted(choices, key=lambda each: (each is None, each))


def _table(tree: Tree) -> list[Any]:
    """A tree as a table: feature, threshold, left, right and, where not all go to the right, where missing ones go.

    Each node comes before its children; a leaf is None and its value. In place of a threshold stand the categories that
    go to the left.
    """
    if any(isinstance(value, str) for value in tree.values) or tree.zeros:
        raise UncompiledError("a large tree with leaves that compute, or with zeros that count as missing")
    walker, order = _walker(tree), [0]
    for node in order:  # which grows
        if tree.left[node] >= 0:
            order += [int(tree.left[node]), int(tree.right[node])]
    place = {node: at for at, node in enumerate(order)}
    table: list[Any] = []
    for node in order:
        if tree.left[node] < 0:
            table.append((None, tree.values[node]))
            continue
        test = _members(tree.choices[node]) if node in tree.choices else tree.threshold[node]
        left, right = place[int(tree.left[node])], place[int(tree.right[node])]
        missing = () if walker == "walk" else (left if tree.missing_left[node] else right,)
        table.append((int(tree.feature[node]), test, left, right, *missing))
    return table


def _walker(tree: Tree) -> str:
    """The function of rows.py that walks the table of a tree."""
    if tree.choices:
        return "walk_choices"
    has_left = any(tree.missing_left[node] for node in range(len(tree.left)) if tree.left[node] >= 0)
    return "walk_missing" if has_left else "walk"
