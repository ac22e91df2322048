"""The calls that the syntax tree of a cell gains before it runs: each hands its argument back, and keeps a copy.

Cells keep their text and their positions.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from .recorder import Recorder

NAME = "__nbprod_capture__"
RETURNS = {"fit": "fitted", "predict": "result"}
"""What the recorder is told with the value that a call of a kind returns."""


class Points(ast.NodeTransformer):
    """IPython's hook: adds the calls to the tree of the cell that is about to run.

    A place is found by what it says and how often the same text stood before it in the cell, and not by its line:
    IPython drops leading blank lines, dedents, and joins continued magics before it parses.
    """

    def __init__(self, places: list[dict[str, Any]], recorder: Recorder) -> None:
        self.places = places
        self.recorder = recorder
        self.cell: int | None = None

    def visit(self, node: ast.AST) -> ast.AST:
        wanted = [place for place in self.places if place["cell"] == self.cell]
        if not wanted or not isinstance(node, ast.Module):
            return node
        try:
            changed = copy.deepcopy(node)
            found = [(place, target) for place in wanted for target in [find(changed, place)] if target is not None]
            for place, target in found:
                wrap_call(changed, target, place)
            return ast.fix_missing_locations(changed)
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong here, the notebook must run as it is
            self.recorder.notes.append(f"the cell's syntax tree could not be extended: {fault!r}")
            return node


def parse_place(place: dict[str, Any]) -> ast.AST:
    """The call that a place speaks of, as this Python parses it."""
    call: ast.expr = ast.parse("(" + place["text"] + "\n)", mode="eval").body
    return call


def preorder(node: ast.AST) -> list[ast.AST]:
    """The node and all below it, parents first."""
    nodes = [node]
    for child in ast.iter_child_nodes(node):
        nodes.extend(preorder(child))
    return nodes


def find(tree: ast.AST, place: dict[str, Any]) -> ast.AST | None:
    """The place's node in `tree`, None where another cell or a magic's own text is running."""
    wanted = ast.dump(parse_place(place))
    equal = [node for node in preorder(tree) if isinstance(node, ast.Call) and ast.dump(node) == wanted]
    return equal[place["occurrence"]] if len(equal) > place["occurrence"] else None


def method(name: str, at: ast.AST, *arguments: ast.expr) -> ast.expr:
    """A call of the recorder that stands at the position of `at`."""
    function = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
    call = ast.Call(function, list(arguments), [])
    for node in (function.value, function, call):
        ast.copy_location(node, at)
    return call


def constant(value: Any, at: ast.AST) -> ast.expr:
    """A literal at the position of `at`."""
    return ast.copy_location(ast.Constant(value), at)


def wrap_call(tree: ast.AST, target: ast.AST, place: dict[str, Any]) -> None:
    """The call's receiver, arguments and result each pass through the recorder; the frames of a traceback stay.

    Of a call that reads rows the result counts alone.
    """
    assert isinstance(target, ast.Call)
    key = place["key"]
    if place["kind"] == "raw":
        replace(tree, target, method("raw", target, constant(key, target), target))
        return
    if isinstance(target.func, ast.Attribute):
        receiver = target.func.value
        target.func.value = method("receiver", receiver, constant(key, receiver), receiver)
    slots: list[tuple[str, ast.AST]] = []
    for position, argument in enumerate(target.args):
        slots.append(("*" if isinstance(argument, ast.Starred) else str(position), argument))
    slots.extend((keyword.arg or "**", keyword) for keyword in target.keywords)
    for slot, node in slots:
        last = constant(node is slots[-1][1], target)
        if isinstance(node, (ast.Starred, ast.keyword)):
            value = node.value
            node.value = method("argument", value, constant(key, value), constant(slot, value), value, last)
        else:
            assert isinstance(node, ast.expr)
            target.args[target.args.index(node)] = method(
                "argument", node, constant(key, node), constant(slot, node), node, last
            )
    if place["kind"] in RETURNS:
        replace(tree, target, method(RETURNS[place["kind"]], target, constant(key, target), target))


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put `new`, which holds `old`, where `old` stood."""
    inside = set(map(id, ast.walk(new)))
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        for field, value in ast.iter_fields(node):
            if value is old:
                setattr(node, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
