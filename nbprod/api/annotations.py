"""The type that a parameter's annotation, or the call that makes its default, says of it; read by syntax alone."""

from __future__ import annotations

import ast
import datetime
import decimal
import pathlib
from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct

from nbprod.model.notebook import Notebook
from nbprod.notebook.parsed import nodes_below, parsed, syntax_tree

_SIMPLE: dict[str, Any] = {
    **{f"builtins.{kind.__name__}": kind for kind in (int, float, str, bool, complex, bytes)},
    **{f"pathlib.{name}": pathlib.PurePath for name in ("Path", "PurePath", "PosixPath", "PurePosixPath")},
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "pandas.Timestamp": datetime.datetime,
    "decimal.Decimal": decimal.Decimal,
}
_ELEMENTS: dict[str, Any] = {
    "list": list,
    "List": list,
    "Sequence": list,
    "MutableSequence": list,
    "Iterable": list,
    "Collection": list,
    "set": set,
    "Set": set,
    "AbstractSet": set,
    "MutableSet": set,
    "frozenset": frozenset,
    "FrozenSet": frozenset,
    "tuple": tuple,
    "Tuple": tuple,
    "dict": dict,
    "Dict": dict,
    "Mapping": dict,
    "MutableMapping": dict,
}
_GENERIC = ("builtins.", "typing.", "typing_extensions.", "collections.abc.")
_TYPING = ("typing.", "typing_extensions.")
MADE = frozenset({pathlib.PurePath, datetime.date, datetime.datetime, datetime.time, decimal.Decimal})
"""Classes whose values are made of a text."""


class Meaning(Struct, frozen=True):
    """A type (Any where nothing is known), and the calls that make values of classes in it, as the notebook says."""

    type: Any
    makers: Mapping[type, str] = {}


UNKNOWN = Meaning(Any)


def names_of(notebook: Notebook) -> dict[str, str]:
    """What the notebook's names stand for by its imports; an empty text for what it defines itself."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.fault is not None:
            continue
        for node in nodes_below(parsed(cell.code)):
            match node:
                case ast.Import(names=aliases):
                    found |= {each.asname or each.name.partition(".")[0]: _imported(each) for each in aliases}
                case ast.ImportFrom(module=str(module), names=aliases, level=0):
                    found |= {each.asname or each.name: f"{module}.{each.name}" for each in aliases}
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                    found[name] = ""
    return found


def _imported(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]


def meaning_of(annotation: ast.expr, names: Mapping[str, str]) -> Meaning:
    """The type that an annotation names; UNKNOWN where that is of other libraries or of the notebook."""
    called: dict[type, str] = {}
    kind = _type(annotation, names, called)
    is_open = kind is not Any or _qualified(annotation, names) in {"typing.Any", "builtins.object"}
    return Meaning(kind, called) if is_open else UNKNOWN


def made_by(default: ast.expr, names: Mapping[str, str]) -> Meaning:
    """The type of a default that is made by a call of a class that is known, such as `Path("data")`."""
    match default:
        case ast.Call(func=ast.Attribute(value=maker, attr="fromisoformat")) | ast.Call(func=maker):
            found = meaning_of(maker, names)
            return found if found.type in MADE else UNKNOWN
    return UNKNOWN


def _type(node: ast.expr, names: Mapping[str, str], called: dict[type, str]) -> Any:
    match node:
        case ast.Constant(value=None):
            return NoneType
        case ast.Constant(value=str(text)):
            try:
                return _type(syntax_tree(text.strip(), "eval").body, names, called)
            except (SyntaxError, ValueError):
                return Any
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union(_type(left, names, called), _type(right, names, called))
        case ast.Subscript(value=base, slice=inner):
            return _subscripted(_qualified(base, names), inner, names, called)
        case ast.Name() | ast.Attribute():
            name = _qualified(node, names)
            kind = _SIMPLE.get(name)
            if kind in MADE:
                called[kind] = ast.unparse(node) + (".fromisoformat" if name.startswith("datetime.") else "")
            if kind is not None:
                return kind
            return _ELEMENTS.get(_generic(name), Any)
    return Any


def _subscripted(name: str, inner: ast.expr, names: Mapping[str, str], called: dict[type, str]) -> Any:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    short = name.rpartition(".")[2] if name.startswith(_TYPING) else ""
    if short == "Literal":
        return _choices(parts)
    if short in {"Annotated", "Final", "ClassVar", "Required"}:
        return _type(parts[0], names, called)
    if short in {"Optional", "Union"}:
        found = [_type(each, names, called) for each in parts]
        return _union(*found, *([NoneType] if short == "Optional" else []))
    kind = _ELEMENTS.get(_generic(name))
    if kind is tuple:
        if parts and isinstance(parts[-1], ast.Constant) and parts[-1].value is ...:
            return tuple[_type(parts[0], names, called), ...]  # type: ignore[misc]
        return tuple[tuple(_type(each, names, called) for each in parts)]  # type: ignore[misc]
    if kind is dict and len(parts) == 2:
        return dict[tuple(_type(each, names, called) for each in parts)]  # type: ignore[misc]
    if kind is not None and kind is not dict and len(parts) == 1:
        return kind[_type(parts[0], names, called)]
    return Any


def _choices(parts: Iterable[ast.expr]) -> Any:
    try:
        values = tuple(ast.literal_eval(each) for each in parts)
    except ValueError:
        return Any
    return Literal[values] if all(isinstance(each, str | int | None) for each in values) else Any


def _union(*kinds: Any) -> Any:
    return Any if Any in kinds else Union[tuple(kinds)]  # noqa: UP007 - made of what was found


def _generic(name: str) -> str:
    prefix = next((each for each in _GENERIC if name.startswith(each)), "-")
    return name.removeprefix(prefix)


def _qualified(node: ast.expr, names: Mapping[str, str]) -> str:
    """The whole name of what an annotation names; empty where that is not known."""
    match node:
        case ast.Name(id=name):
            return names.get(name, f"builtins.{name}")
        case ast.Attribute(value=base, attr=attribute):
            above = _qualified(base, names)
            return f"{above}.{attribute}" if above and not above.startswith("builtins.") else ""
    return ""


def name_of(kind: Any) -> str:
    """A type as an annotation spells it."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return "any"
    if kind in (None, NoneType):
        return "None"
    if kind is pathlib.PurePath:
        return "Path"
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, inside))}]"
    if is_union(kind):
        return " | ".join(map(name_of, inside))
    if origin is not None:
        return f"{origin.__name__}[{', '.join('...' if each is ... else name_of(each) for each in inside)}]"
    return str(kind.__name__)


def is_union(kind: Any) -> bool:
    """Whether a type is one of several."""
    return get_origin(kind) is Union


def members_of(kind: Any) -> tuple[Any, ...]:
    """The types that a value may be of."""
    return get_args(kind) if is_union(kind) else (kind,)


def choices_in(kind: Any) -> tuple[Any, ...]:
    """The values that a `Literal` names, also where it is one of several types."""
    return tuple(choice for each in members_of(kind) if get_origin(each) is Literal for choice in get_args(each))
