"""What is found in a running kernel for the comparison with its package: only looked at, and never changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbprod.notebook.parsed import syntax_tree

Manifest = Mapping[str, Any]


class Found(Struct, frozen=True):
    """An object of the kernel under the name that people know it by; `labels` has the labels of its rows.

    `is_given`: it is what the model is given; else it is a frame that the features are made in.
    """

    name: str
    value: Any
    labels: Any = None
    is_given: bool = False


def given_to_model(manifest: Manifest, namespace: Mapping[str, Any]) -> tuple[Found | None, str]:
    """The matrix that the training call names, or why there is none to be had.

    Names are looked up, and columns chosen by literal names; a call would run the notebook's code, and is not made.
    """
    call = syntax_tree(f"({manifest['model']['text']}\n)", mode="eval").body
    if not isinstance(call, ast.Call):
        return None, "the training call could not be read"
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given = call.args[0] if call.args else named.get("X")
    labels = call.args[1] if len(call.args) > 1 else named.get("y")
    if given is None or isinstance(given, ast.Starred):
        return None, "the training call does not say what it is given"
    text = ast.unparse(given)
    try:
        value = looked_up(given, namespace)
    except LookupError as error:
        return None, f"the model is given {text}, but {error}"
    try:
        of_rows = None if labels is None else looked_up(labels, namespace)
    except LookupError:
        of_rows = None
    has_labels = hasattr(of_rows, "index") and hasattr(of_rows, "iloc")
    return Found(text, value, of_rows if has_labels else None, is_given=True), ""


def looked_up(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """The value of a name, or of columns of a frame chosen by literal names or by a list that is there.

    Raises LookupError in words for whatever else it would take the notebook's code to compute.
    """
    match node:
        case ast.Name(id=name):
            if name not in namespace:
                raise LookupError(f"there is no {name} in the kernel")
            return namespace[name]
        case ast.Subscript(value=inner, slice=key):
            frame, chosen = looked_up(inner, namespace), _key(key, namespace)
            if not is_frame(frame):
                raise LookupError(f"{ast.unparse(inner)} is no DataFrame")
            gone = [name for name in ([chosen] if isinstance(chosen, str) else chosen) if name not in frame.columns]
            if gone:
                raise LookupError(f"{ast.unparse(inner)} has no column {gone[0]!r}")
            return frame[chosen]
        case ast.Attribute(value=inner, attr="values"):
            frame = looked_up(inner, namespace)
            if is_frame(frame):
                return frame
    raise LookupError("that would take running it")


def is_frame(value: Any) -> bool:
    """Whether it is pandas' own DataFrame, whose methods are no code of the notebook."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def _key(node: ast.expr, namespace: Mapping[str, Any]) -> str | list[str]:
    try:
        key = ast.literal_eval(node)
    except ValueError:
        key = looked_up(node, namespace) if isinstance(node, ast.Name) else None
    if isinstance(key, str):
        return key
    if isinstance(key, list) and all(isinstance(each, str) for each in key):
        return list(key)
    raise LookupError("that would take running it")


def frames_made(manifest: Manifest, namespace: Mapping[str, Any]) -> list[Found]:
    """The frames that a step of some feature writes to, where they are in the kernel."""
    wanted = sorted({at for feature in manifest["features"] for at in feature["steps"]})
    steps = [manifest["steps"][at] for at in wanted if manifest["steps"][at]["binding"] != "train-only"]
    names = dict.fromkeys(name for step in steps for name in _targets(step["source"]))
    return [Found(name, namespace[name]) for name in names if is_frame(namespace.get(name))]


def _targets(source: str) -> Iterator[str]:
    """The names that a statement assigns to, or whose columns it assigns or drops in place."""
    for node in ast.walk(syntax_tree(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield from _root(node)
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            yield from _root(node.value.func)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def makes(feature: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The step that makes a feature: the last one that assigns its column, else that names it, else its last one."""
    name = str(feature["name"]).removesuffix("_*")
    own: list[Mapping[str, Any]] = [steps[at] for at in feature["steps"] if steps[at]["binding"] != "train-only"]
    assigning = [step for step in own if name in _columns_assigned(step["source"])]
    naming = [step for step in own if name in _columns_named(step["source"])]
    return next(iter((assigning or naming or own)[::-1]), None)


def _columns_assigned(source: str) -> set[Any]:
    """The literal keys and attributes that a statement assigns to: `df["a"] = …`, `df.loc[rows, "a"] = …`."""
    stores = [node for node in ast.walk(syntax_tree(source)) if isinstance(getattr(node, "ctx", None), ast.Store)]
    keys = {
        each.value
        for node in stores
        if isinstance(node, ast.Subscript)
        for each in ast.walk(node.slice)
        if isinstance(each, ast.Constant)
    }
    return keys | {node.attr for node in stores if isinstance(node, ast.Attribute)}


def _columns_named(source: str) -> set[Any]:
    nodes = list(ast.walk(syntax_tree(source)))
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return constants | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
