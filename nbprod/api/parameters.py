"""A run's parameters: typed against the defaults in the notebook's parameters cell, and put in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Cell, Notebook, Role
from nbprod.notebook.parsed import syntax_tree

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Parameter(Struct, frozen=True):
    """A name that the parameters cell gives a value; `default` is None where that is no literal (`literal` False)."""

    name: str
    default: Any
    literal: bool
    cell: int
    node: ast.expr


def parameters_of(notebook: Notebook) -> dict[str, Parameter]:
    """The parameters by name, in the order of the cell; a name that is set twice counts as set last."""
    found: dict[str, Parameter] = {}
    for cell in notebook.cells:
        if cell.role is Role.PARAMETERS and cell.fault is None:
            found.update((each.name, each) for each in _assigned(cell))
    return found


def kind_of(parameter: Parameter) -> str | None:
    """The name of the type that values of a parameter are of; None where its default says nothing of it."""
    return None if parameter.default is None else type(parameter.default).__name__


def text_of(parameter: Parameter) -> str:
    """The default as a text that `typed` reads."""
    return parameter.default if isinstance(parameter.default, str) else ast.unparse(parameter.node)


def typed(notebook: Notebook, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `given` in the types of their defaults; texts (of a command line) are read as such.

    Raises NbprodError: `no-parameters` where the notebook has no parameters cell, `unknown-parameter` with the
    nearest name, `bad-parameter` for a value of another type.
    """
    known = parameters_of(notebook)
    if given and not known:
        raise NbprodError(
            "the notebook has no parameters cell",
            code="no-parameters",
            where=Where(notebook.path),
            hint=f"mark the cell that sets them: nbprod tag {quote(notebook.path)} --set CELL=parameters",
        )
    values = {}
    for name, value in given.items():
        if name not in known:
            raise _unknown(notebook, name, known)
        values[name] = _value(notebook, known[name], value)
    return values


def read_parameters(path: str) -> dict[str, Any]:
    """The mapping in a YAML or JSON file. Raises NbprodError (`bad-parameters-file`)."""
    import yaml

    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"not valid YAML: {str(error).splitlines()[0]}"
        raise NbprodError(message, code="bad-parameters-file", where=Where(path)) from None
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise NbprodError("parameters are names with values", code="bad-parameters-file", where=Where(path))
    return value


def with_parameters(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """The notebook whose parameters cell sets `values`: what a run with them is the run of. Nothing is written."""
    chosen = [parameter for name, parameter in parameters_of(notebook).items() if name in values]
    cells = list(notebook.cells)
    for parameter in sorted(chosen, key=lambda each: (each.node.lineno, each.node.col_offset), reverse=True):
        cell = cells[parameter.cell]
        text = repr(values[parameter.name])
        cells[parameter.cell] = replace(
            cell,
            source=_replaced(cell.source, parameter.node, text),
            code=_replaced(cell.code, parameter.node, text),
        )
    return replace(notebook, cells=tuple(cells))


def _assigned(cell: Cell) -> Iterable[Parameter]:
    for statement in syntax_tree(cell.code).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                literal, default = _literal(value)
                yield Parameter(name, default, literal, cell.index, value)


def _literal(node: ast.expr) -> tuple[bool, Any]:
    try:
        return True, ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False, None


def _value(notebook: Notebook, parameter: Parameter, value: Any) -> Any:
    default = parameter.default
    if isinstance(value, str) and not isinstance(default, str):
        value = _read(notebook, parameter, value)
    match default:
        case bool():
            fits = isinstance(value, bool)
        case int():
            fits = isinstance(value, int) and not isinstance(value, bool)
        case float():
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            value = float(value) if fits else value
        case None:
            fits = True
        case tuple() | list():
            fits = isinstance(value, list | tuple)
            value = type(default)(value) if fits else value
        case _:
            fits = isinstance(value, type(default))
    if not fits:
        raise _ill_typed(notebook, parameter, value)
    return value


def _read(notebook: Notebook, parameter: Parameter, text: str) -> Any:
    """A text of the command line as the default's type wants it."""
    if isinstance(parameter.default, bool):
        if text.lower() not in _WORDS:
            raise _ill_typed(notebook, parameter, text)
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError):
        # A default that says nothing of the type (None, a call) takes the text as it is.
        if parameter.default is None:
            return text
        raise _ill_typed(notebook, parameter, text) from None


def _unknown(notebook: Notebook, name: str, known: Mapping[str, Parameter]) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return NbprodError(
        f'the notebook has no parameter "{name}"',
        code="unknown-parameter",
        where=_where(notebook, next(iter(known.values()))),
        hint=f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}",
    )


def _ill_typed(notebook: Notebook, parameter: Parameter, value: Any) -> NbprodError:
    return NbprodError(
        f'parameter "{parameter.name}" is {type(parameter.default).__name__}, and {value!r} is not',
        code="bad-parameter",
        where=_where(notebook, parameter),
        hint=f"its default is {parameter.default!r}",
    )


def _where(notebook: Notebook, parameter: Parameter) -> Where:
    return Where(notebook.path, parameter.cell, notebook.cells[parameter.cell].id, parameter.node.lineno)


def _replaced(text: str, node: ast.expr, new: str) -> str:
    lines = text.splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    # `ast` counts columns in UTF-8 bytes.
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset or 0 :].decode()
    # As many lines as before, so that every later line keeps its number.
    return "".join([*lines[:first], head, new, tail, "\n" * (last - first), *lines[last + 1 :]])
