"""Values that a run is given for its notebook's parameters: how they are written as code, and which are not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Made(Struct, frozen=True):
    """A value that an expression makes, such as a path or a date: the text that stands for it, and the expression."""

    text: str
    code: str

    def __str__(self) -> str:
        return self.text


class SecretValue:
    """A value that is written nowhere. As text it is what stands for it: a reference such as `env:NAME`, or a mask.

    No struct, so that no encoder writes its fields.
    """

    __slots__ = ("shown", "value")

    def __init__(self, value: Any, shown: str) -> None:
        self.value = value
        self.shown = shown

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return self.shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretValue) and (self.value, self.shown) == (other.value, other.shown)

    def __hash__(self) -> int:
        return hash(self.shown)


def code_of(value: Any) -> str:
    """An expression that gives `value`: literals of Python, and what `Made` says."""
    match value:
        case Made():
            return value.code
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case dict():
            return "{" + ", ".join(f"{code_of(key)}: {code_of(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(code_of, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(code_of, value)) + ("," if len(value) == 1 else "") + ")"
        case set() | frozenset():
            # In the order of the text: the same value gives the same bytes.
            inner = ", ".join(sorted(map(code_of, value)))
            spelled = "{" + inner + "}" if inner else "set()"
            return f"frozenset({spelled if inner else ''})" if isinstance(value, frozenset) else spelled
        case _:
            return repr(value)


def as_json(value: Any) -> Any:
    """`value` as JSON takes it, for the metadata of a notebook; a secret as what stands for it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case dict():
            return {str(key): as_json(each) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case _:
            return str(value)


def without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that may be written."""
    return {name: value for name, value in values.items() if not isinstance(value, SecretValue)}
