"""A run's parameters: typed by the notebook's parameters cell, and put in the place of their defaults."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from types import NoneType
from typing import Any, Literal, Union, get_origin

from msgspec import Struct
from msgspec.structs import replace

from nbprod.api.annotations import (
    UNKNOWN,
    Meaning,
    choices_in,
    made_by,
    meaning_of,
    members_of,
    name_of,
    names_of,
)
from nbprod.api.coercing import Misfit, coerced, spelled
from nbprod.documents import value_of
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Cell, Notebook, Role
from nbprod.model.parameter import SecretValue, code_of, without_secrets
from nbprod.notebook.literals import literal_value
from nbprod.notebook.parsed import nodes_below, syntax_tree
from nbprod.notebook.redact import MASK, REFERENCE, is_secret

INJECTED = "injected-parameters"
"""The tag of the cell in which papermill writes the parameters of a run."""

Span = tuple[int, int, int, int]
"""First line and column, last line and column, as `ast` counts them."""

_PREFIX = "env:"
_ESCAPED = "env::"
# Comments that tools read.
_FOR_TOOLS = re.compile(r"#(\||!|\s*%%|\s*(type|noqa|fmt|pylint|mypy|pyright|ruff)\b\s*:?)")


class Parameter(Struct, frozen=True):
    """A name that the parameters cell gives a value, or an annotation alone (then a run must give it one).

    `declared` is what its annotation says of its type, `made` what the call says that makes its default. `default` is
    None where that is no literal (`literal` False); `text` is its code, empty where there is none. A value of a run
    stands in `span` of the cell with `lead` before it, or behind the cell where `span` is None.
    """

    name: str
    declared: Meaning
    made: Meaning
    default: Any
    literal: bool
    cell: int
    line: int
    text: str
    description: str
    span: Span | None
    lead: str = ""

    @property
    def meaning(self) -> Meaning:
        """Its type: the annotation's, with None where that is its default, or else the default's."""
        if self.declared is UNKNOWN:
            return Meaning(type(self.default)) if self.literal and self.default is not None else self.made
        if self.literal and self.default is None and NoneType not in members_of(self.declared.type):
            return replace(self.declared, type=Union[self.declared.type, None])  # noqa: UP007 - made of what was found
        return self.declared

    @property
    def is_required(self) -> bool:
        """Whether a run must give it a value."""
        return not self.text

    @property
    def is_secret(self) -> bool:
        """Whether its name, or its default, looks like a secret."""
        return not isinstance(self.default, bool | float) and is_secret(self.name, self.default or "a text")


def parameters_of(notebook: Notebook) -> dict[str, Parameter]:
    """The parameters by name, in the order of the cell.

    A name that is set twice counts as set last, and keeps the type of an annotation.
    """
    cells = [cell for cell in notebook.cells if cell.role is Role.PARAMETERS and cell.fault is None]
    names = names_of(notebook) if cells else {}
    found: dict[str, Parameter] = {}
    for cell in cells:
        found = _declared(cell, names, found)
    return found


def kind_of(parameter: Parameter) -> str | None:
    """The type of a parameter as an annotation spells it; None where nothing says what it is."""
    return None if parameter.meaning.type is Any else name_of(parameter.meaning.type)


def choices_of(parameter: Parameter) -> tuple[str, ...]:
    """The values that a parameter can have, as texts, where its type counts them up; else none."""
    members = members_of(parameter.meaning.type)
    counted = choices_in(parameter.meaning.type)
    if any(each not in {bool, NoneType} and get_origin(each) is not Literal for each in members):
        return ()
    switches = (True, False) if bool in members else ()
    empty = (None,) if NoneType in members and None not in counted else ()
    return tuple(map(str, (*switches, *counted, *empty)))


def text_of(parameter: Parameter) -> str:
    """The default as a text that `typed` reads; empty where there is none."""
    return _escaped(parameter.default) if isinstance(parameter.default, str) else parameter.text


def typed(notebook: Notebook, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `given` in the types of the parameters; texts (of a command line) are read as such.

    `env:NAME` takes the text of an environment variable, which gives a `SecretValue`, as does what looks like a secret.
    Raises NbprodError: `no-parameters` where the notebook has no parameters cell, `unknown-parameter` with the
    nearest name, `bad-parameter` for a value of another type, `missing-parameter` for a required one that is not
    given, `no-variable` for an environment variable that is not set.
    """
    known = parameters_of(notebook)
    if given and not known:
        raise no_parameters(notebook)
    values = {}
    for name, value in given.items():
        if name not in known:
            raise _unknown(notebook, name, known)
        values[name] = _value(notebook, known[name], value)
    missing = [each for name, each in known.items() if each.is_required and name not in values]
    if missing:
        raise _missing(notebook, missing)
    return values


def as_recorded(notebook: Notebook, values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values as the texts that `typed` reads them from; a secret stays one, and shows what stands for it."""
    known = parameters_of(notebook)
    return {
        name: value if isinstance(value, SecretValue) else _recorded(known[name], value)
        for name, value in values.items()
    }


def in_clear(values: Mapping[str, Any]) -> Iterator[str]:
    """What to say of secrets that a run was given as they are."""
    for name, value in values.items():
        if isinstance(value, SecretValue) and value.shown == MASK:
            yield f"{name} looks like a secret and is given in clear: as env:VARIABLE it is taken from the environment"


def read_parameters(path: str) -> dict[str, Any]:
    """The mapping in a YAML or JSON file. Raises NbprodError (`bad-parameters-file`)."""
    try:
        value = value_of(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise NbprodError(f"not valid YAML: {error}", code="bad-parameters-file", where=Where(path)) from None
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise NbprodError("parameters are names with values", code="bad-parameters-file", where=Where(path))
    return value


def with_parameters(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """The notebook whose parameters cell sets `values`: what a run with them is the run of. Nothing is written.

    Secrets are left out: what a package is made of does not hang on them.
    """
    chosen = [each for name, each in parameters_of(notebook).items() if name in without_secrets(values)]
    if not chosen:
        return notebook
    injected = next((cell.index for cell in notebook.cells if INJECTED in cell.tags), None)
    if injected is not None:
        # A notebook that papermill has executed: a run writes its parameters over those of the run before.
        chosen = [replace(each, cell=injected, span=None) for each in chosen]
    cells = list(notebook.cells)
    if injected is not None:
        cells[injected] = replace(cells[injected], source="# Parameters", code="# Parameters")
    for parameter in sorted(chosen, key=lambda each: each.span or (0, 0), reverse=True):
        cell = cells[parameter.cell]
        text = code_of(values[parameter.name])
        cells[parameter.cell] = replace(
            cell, source=_placed(cell.source, parameter, text), code=_placed(cell.code, parameter, text)
        )
    return replace(notebook, cells=tuple(cells))


# ------------------------------------------------------------------------------------------ what the cell says


class _Binding(Struct, frozen=True):
    """A statement that sets a name; `value` is its default's expression, which is `shared` with what else is set."""

    name: str
    statement: ast.stmt
    value: ast.expr | None
    annotation: ast.expr | None = None
    shared: bool = False
    unpacked: bool = False


def _declared(cell: Cell, names: Mapping[str, str], before: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters of one cell; `before` are those of the cells above."""
    body = syntax_tree(cell.code).body
    comments = _comments(cell.code)
    found = dict(before)
    for number, statement in enumerate(body):
        for binding in _bindings(statement):
            said = comments.get(statement.lineno, "")
            is_free = not binding.shared and not _is_used(binding.name, body[number + 1 :])
            found[binding.name] = _parameter(cell, binding, names, said, found.get(binding.name), is_free=is_free)
    return found


def _bindings(statement: ast.stmt) -> Iterator[_Binding]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            yield _Binding(name, statement, value, annotation)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield _Binding(name, statement, value)
        case ast.Assign(targets=[ast.Tuple(elts=left) | ast.List(elts=left)], value=value):
            right = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            if len(left) == len(right) and all(isinstance(each, ast.Name) for each in left):
                pairs = zip(left, right, strict=True)
                yield from (_Binding(to.id, statement, part) for to, part in pairs if isinstance(to, ast.Name))
            else:
                yield from (_Binding(name, statement, value, shared=True, unpacked=True) for name in _stored(left))
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                unpacked = not isinstance(target, ast.Name)
                yield from (
                    _Binding(name, statement, value, shared=True, unpacked=unpacked) for name in _stored([target])
                )


def _stored(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        for node in nodes_below(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _is_used(name: str, later: Sequence[ast.stmt]) -> bool:
    """Whether the rest of the cell reads or sets a name again; functions read it when they are called."""
    statements = (each for each in later if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(isinstance(node, ast.Name) and node.id == name for each in statements for node in nodes_below(each))


def _parameter(
    cell: Cell, binding: _Binding, names: Mapping[str, str], said: str, before: Parameter | None, *, is_free: bool
) -> Parameter:
    value = binding.value
    declared = meaning_of(binding.annotation, names) if binding.annotation is not None else UNKNOWN
    if value is None and before is not None and before.text:
        return replace(before, declared=declared)
    if declared is UNKNOWN and before is not None:
        declared = before.declared
    try:
        literal, default = (False, None) if value is None or binding.unpacked else (True, literal_value(value, names))
    except ValueError:
        literal, default = False, None
    return Parameter(
        name=binding.name,
        declared=declared,
        made=UNKNOWN if value is None or binding.unpacked else made_by(value, names),
        default=default,
        literal=literal,
        cell=cell.index,
        line=binding.statement.lineno if value is None else value.lineno,
        text="" if value is None else ast.unparse(value),
        description=said or (before.description if before is not None else ""),
        span=_span(binding.statement, value) if is_free else None,
        lead=" = " if value is None else "",
    )


def _span(statement: ast.stmt, value: ast.expr | None) -> Span:
    """Where a value of a run stands: for the default, or behind the annotation where there is none."""
    node = statement if value is None else value
    end = node.end_lineno or node.lineno, node.end_col_offset or 0
    return (*end, *end) if value is None else (node.lineno, node.col_offset, *end)


def _comments(code: str) -> dict[int, str]:
    """By the line at which a statement begins: the comment behind it, or else those right above it."""
    behind: dict[int, str] = {}
    alone: dict[int, str] = {}
    start = 0
    starts: list[int] = []
    for token in _tokens(code):
        match token.type:
            case tokenize.COMMENT if start or token.line.lstrip()[:1] != "#":
                behind[start or starts[-1]] = _said(token.string)
            case tokenize.COMMENT:
                alone[token.start[0]] = _said(token.string)
            case tokenize.NEWLINE:
                start = 0
            case tokenize.NL | tokenize.INDENT | tokenize.DEDENT | tokenize.ENDMARKER:
                continue
            case _ if not start:
                start = token.start[0]
                starts.append(start)
    return {line: behind.get(line) or _above(line, alone) for line in starts}


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, IndentationError):
        return []


def _above(line: int, alone: Mapping[int, str]) -> str:
    said: list[str] = []
    while line - 1 in alone:
        line -= 1
        said.insert(0, alone[line])
    return " ".join(filter(None, said))


def _said(comment: str) -> str:
    """What a comment says to people."""
    return "" if _FOR_TOOLS.match(comment) else comment.strip("# \t")


# ------------------------------------------------------------------------------------------------------- values


def _value(notebook: Notebook, parameter: Parameter, given: Any) -> Any:
    value, hidden = given, ""
    if isinstance(given, str) and given.startswith(_PREFIX):
        value = _looked_up(notebook, parameter, given)
        hidden = "" if given.startswith(_ESCAPED) else given
    try:
        value = coerced(value, parameter.meaning.type)
    except Misfit as misfit:
        untold = hidden or (MASK if is_secret(parameter.name, given) else "")
        raise _ill_typed(notebook, parameter, misfit, untold) from None
    if not isinstance(value, str):
        if not hidden and _has_reference(value):
            hidden = MASK if is_secret("value", repr(value)) else repr(value)
        value = _looked_up_inside(notebook, parameter, value)
    if not hidden and is_secret(parameter.name, value):
        hidden = MASK
    value = spelled(value, parameter.meaning.makers)
    return SecretValue(value, hidden) if hidden else value


def _looked_up(notebook: Notebook, parameter: Parameter, text: str) -> str:
    """The text that `env:NAME` stands for; of `env::` a colon is taken, and the rest is meant as it is."""
    if text.startswith(_ESCAPED):
        return _PREFIX + text.removeprefix(_ESCAPED)
    if not REFERENCE.fullmatch(text):
        raise NbprodError(
            f'parameter "{parameter.name}" is given as {text!r}, which names no environment variable',
            code="bad-parameter",
            where=_where(notebook, parameter),
            hint=f"a text that begins with {_PREFIX} is written with two colons: {_escaped(text)}",
        )
    variable = text.removeprefix(_PREFIX)
    if variable not in os.environ:
        raise NbprodError(
            f'parameter "{parameter.name}" is taken from the environment variable {variable}, which is not set',
            code="no-variable",
            where=_where(notebook, parameter),
            hint=f"set {variable} where nbprod runs; a text that begins with {_PREFIX} is written {_escaped(text)}",
        )
    return os.environ[variable]


def _looked_up_inside(notebook: Notebook, parameter: Parameter, value: Any) -> Any:
    """`value` with what its parts refer to."""
    match value:
        case str() if value.startswith(_PREFIX):
            return _looked_up(notebook, parameter, value)
        case dict():
            return {key: _looked_up_inside(notebook, parameter, each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return type(value)(_looked_up_inside(notebook, parameter, each) for each in value)
        case _:
            return value


def _has_reference(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_reference, value.values()))
        case list() | tuple() | set() | frozenset():
            return any(map(_has_reference, value))
        case _:
            return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def _escaped(text: str) -> str:
    return _ESCAPED + text.removeprefix(_PREFIX) if text.startswith(_PREFIX) else text


def _recorded(parameter: Parameter, value: Any) -> str:
    text = _escaped(value) if isinstance(value, str) else str(value)
    if isinstance(value, set | frozenset):
        text = code_of(set(value))
    try:
        again = spelled(coerced(_unescaped(text), parameter.meaning.type), parameter.meaning.makers)
    except Misfit:
        return repr(value)
    return text if again == value and type(again) is type(value) else repr(value)


def _unescaped(text: str) -> str:
    return _PREFIX + text.removeprefix(_ESCAPED) if text.startswith(_ESCAPED) else text


# ------------------------------------------------------------------------------------------------------- errors


def no_parameters(notebook: Notebook) -> NbprodError:
    """Why a notebook has no parameters."""
    broken = next((cell for cell in notebook.cells if cell.role is Role.PARAMETERS and cell.fault is not None), None)
    if broken is not None and broken.fault is not None:
        where = Where(notebook.path, broken.index, broken.id, broken.fault.line)
        message = f"the parameters cell {broken.index} does not parse: {broken.fault.message}"
        return NbprodError(message, code="no-parameters", where=where, hint="mend the cell")
    cells = [cell for cell in notebook.cells if cell.role is Role.PARAMETERS]
    return NbprodError(
        "the parameters cell sets no name" if cells else "the notebook has no parameters cell",
        code="no-parameters",
        where=Where(notebook.path, cells[0].index, cells[0].id) if cells else Where(notebook.path),
        hint=f"mark the cell that sets them: nbprod tag {quote(notebook.path)} --set CELL=parameters",
    )


def _unknown(notebook: Notebook, name: str, known: Mapping[str, Parameter]) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return NbprodError(
        f'the notebook has no parameter "{name}"',
        code="unknown-parameter",
        where=_where(notebook, next(iter(known.values()))),
        hint=f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}",
    )


def _ill_typed(notebook: Notebook, parameter: Parameter, misfit: Misfit, hidden: str) -> NbprodError:
    from difflib import get_close_matches

    value = repr(misfit.value) if not hidden else "what is given" if hidden == MASK else f"the value of {hidden}"
    place = f" at {parameter.name}{misfit.place}" if misfit.place else ""
    near = [] if hidden else get_close_matches(str(misfit.value), map(str, choices_in(parameter.meaning.type)), n=1)
    default = f"its default is {parameter.default!r}" if parameter.literal else f"its default is {parameter.text}"
    return NbprodError(
        f'parameter "{parameter.name}" is {name_of(parameter.meaning.type)}, and {value}{place} {misfit.reason}',
        code="bad-parameter",
        where=_where(notebook, parameter),
        hint=f'did you mean "{near[0]}"?' if near else default if parameter.text else "it has no default",
    )


def _missing(notebook: Notebook, missing: Sequence[Parameter]) -> NbprodError:
    first = missing[0]
    names = " and ".join(f'"{each.name}"' for each in missing)
    return NbprodError(
        f"the notebook gives {names} no value, and neither does this run",
        code="missing-parameter",
        where=_where(notebook, first),
        hint=f"give it: -p {first.name} {'env:VARIABLE' if first.is_secret else 'VALUE'} "
        f"({kind_of(first) or 'any literal'}); or set a default in the cell",
    )


def _where(notebook: Notebook, parameter: Parameter) -> Where:
    return Where(notebook.path, parameter.cell, notebook.cells[parameter.cell].id, parameter.line)


# ------------------------------------------------------------------------------------------------------- the text


def _placed(text: str, parameter: Parameter, value: str) -> str:
    if parameter.span is None:
        # The rest of the cell uses the name, so it is set behind it, where papermill sets it.
        return f"{text.rstrip()}\n{parameter.name} = {value}"
    first, start, last, end = parameter.span
    lines = text.splitlines(keepends=True)
    # `ast` counts columns in UTF-8 bytes.
    head = lines[first - 1].encode()[:start].decode()
    tail = lines[last - 1].encode()[end:].decode()
    # As many lines as before, so that every later line keeps its number.
    filled = "\n" * (last - first)
    return "".join([*lines[: first - 1], head, parameter.lead, value, tail, filled, *lines[last:]])
