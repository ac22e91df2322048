"""The TypeScript types of the answers: `python -m nbprod.server.typescript` writes labextension/src/generated.ts."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.inspect import (
    AnyType,
    BoolType,
    DictType,
    EnumType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

import nbprod
from nbprod.api import answers

GENERATED = Path(nbprod.__file__).parents[1] / "labextension" / "src" / "generated.ts"
WIDTH = 80
HEADER = """\
/**
 * The answers of the server extension.
 *
 * Made from nbprod/api/answers.py by `python -m nbprod.server.typescript`: edit
 * them there.
 */
"""


def main() -> None:
    """Write the types where the front end finds them."""
    GENERATED.write_text(typescript(), encoding="utf-8")


def typescript() -> str:
    """The types of all answers, as prettier lays them out."""
    structs = tuple(_answers())
    enums = sorted({kind for struct in structs for kind in _enums_of(struct)}, key=lambda kind: kind.__name__)
    return "\n".join([HEADER, *map(_alias, enums), *map(_interface, structs)])


def _answers() -> Iterator[type[Struct]]:
    """The answers in the order of their file."""
    for value in vars(answers).values():
        if isinstance(value, type) and issubclass(value, answers.Answer) and value is not answers.Answer:
            yield value


def _enums_of(struct: type[Struct]) -> set[type[Enum]]:
    found: set[type[Enum]] = set()
    waiting: list[Type] = [each.type for each in _fields(struct)]
    while waiting:
        match waiting.pop():
            case EnumType(cls=kind):
                found.add(kind)
            case UnionType(types=parts):
                waiting += parts
            case VarTupleType(item_type=part) | DictType(value_type=part):
                waiting.append(part)
    return found


def _alias(kind: type[Enum]) -> str:
    head, names = f"export type {kind.__name__} =", [_quoted(each.value) for each in kind]
    one_line = f"  {' | '.join(names)};"
    is_split = len(f"{head} {one_line}") > WIDTH + 2 and len(one_line) <= WIDTH
    return _doc(kind) + (f"{head}\n{one_line}\n" if is_split else _fitted(head, names, ""))


def _interface(struct: type[Struct]) -> str:
    base = struct.__mro__[1]
    extends = "" if base is answers.Answer else f" extends I{base.__name__}"
    inherited = set() if base is answers.Answer else {each.encode_name for each in _fields(base)}
    lines = [_field(each) for each in _fields(struct) if each.encode_name not in inherited]
    return f"{_doc(struct)}export interface I{struct.__name__}{extends} {{\n" + "".join(lines) + "}\n"


def _field(field: Field) -> str:
    is_optional = not field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT
    head = f"  readonly {field.encode_name}{'?' if is_optional else ''}:"
    return _fitted(head, _options(field.type), "  ")


def _fitted(head: str, options: Sequence[str], indent: str) -> str:
    """A union on one line where it fits, else an option a line."""
    line = f"{head} {' | '.join(options)};"
    if len(line) <= WIDTH or len(options) == 1:
        return line + "\n"
    return head + "".join(f"\n{indent}  | {option}" for option in options) + ";\n"


def _options(kind: Type) -> list[str]:
    match kind:
        case UnionType(types=parts):
            return [
                text for part in sorted(parts, key=lambda part: isinstance(part, NoneType)) for text in _options(part)
            ]
        case LiteralType(values=values):
            return [_quoted(each) for each in values]
        case _:
            return [_text(kind)]


def _text(kind: Type) -> str:
    match kind:
        case StrType():
            return "string"
        case IntType() | FloatType():
            return "number"
        case BoolType():
            return "boolean"
        case NoneType():
            return "null"
        case AnyType():
            return "unknown"
        case EnumType(cls=enum):
            return enum.__name__
        case StructType(cls=struct):
            return f"I{struct.__name__}"
        case VarTupleType(item_type=part):
            options = _options(part)
            return f"readonly ({' | '.join(options)})[]" if len(options) > 1 else f"readonly {options[0]}[]"
        case DictType(value_type=part):
            return f"Readonly<Record<string, {' | '.join(_options(part))}>>"
    raise TypeError(f"no TypeScript for {kind}")


def _quoted(value: Any) -> str:
    return f"'{value}'"


def _fields(struct: type[Struct]) -> tuple[Field, ...]:
    kind = type_info(struct)
    assert isinstance(kind, StructType)
    return kind.fields


def _doc(kind: type) -> str:
    """The docstring as a comment; nothing where the class has none of its own."""
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(vars(kind).get("__doc__") or "").split("\n\n")]
    if paragraphs == [""] or paragraphs == [inspect.getdoc(StrEnum)]:
        return ""
    if len(paragraphs) == 1 and len(paragraphs[0]) <= WIDTH - len("/**  */"):
        return f"/** {paragraphs[0]} */\n"
    lines: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        lines += [""] if number else []
        lines += textwrap.wrap(paragraph, WIDTH - len(" * "), break_on_hyphens=False)
    body = "".join(f" * {line}".rstrip() + "\n" for line in lines)
    return f"/**\n{body} */\n"


if __name__ == "__main__":
    main()
