"""`.str` of a column, and what its methods do to a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from .nodes import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    TEXT,
    Lost,
    Node,
    Value,
    derived,
    literal,
    unless_missing,
)
from .operations import kind_of
from .tables import (
    Column,
    lost,
    standing,
    with_line,
)


class Texts:
    """`.str` of a column."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __getitem__(self, key: Any) -> Any:
        return self._call("__getitem__", (key,), {})

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: self._call(name, args, options)

    def _call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        shadow = getattr(self.column.shadow.str, name)(*args, **options)
        if name in ("split", "rsplit") and not options.get("expand") and isinstance(shadow, pd.Series):
            return Parts(self.column, name, args, options, shadow)
        if not isinstance(shadow, pd.Series):
            return standing(shadow, what=f".str.{name}()")
        try:
            value = text_method(name, self.column.value, args, options, shadow.dtype)
        except (TypeError, ValueError, AttributeError) as fault:
            value = lost(f".str.{name}(): {fault}")
        return standing(shadow, with_line(value))


class Parts(Column):
    """What `.str.split` gives: lists, of which one part is taken next."""

    def __init__(self, column: Column, name: str, args: tuple[Any, ...], options: dict[str, Any], shadow: Any) -> None:
        super().__init__(shadow, lost(f".str.{name}() without taking one part"))
        self.__dict__["split"] = (column, name, args, options)

    def __getattr__(self, name: str) -> Any:
        return PartsTexts(self) if name == "str" else super().__getattr__(name)


class PartsTexts:
    """`.str` of such lists."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def __getitem__(self, key: Any) -> Any:
        return self.get(key)

    def get(self, key: Any) -> Any:
        shadow = self.parts.shadow.str[key]
        if not isinstance(key, int):
            return standing(shadow, what=".str.split() of several parts")
        return self._of_parts(shadow, lambda split, value: unless_missing(f"{split}[{key}]", TEXT, value))

    def len(self) -> Any:
        def counted(split: str, value: Node) -> Value:
            count, kind = (f"float(len({split}))", FLOAT) if value.optional else (f"len({split})", INTEGER)
            return unless_missing(count, kind, value)

        return self._of_parts(self.parts.shadow.str.len(), counted)

    def _of_parts(self, shadow: Any, made: Callable[[str, Node], Value]) -> Any:
        """What is made of the parts of a text, whose expression is given to `made`."""
        column, name, args, options = self.parts.__dict__["split"]
        value = column.value
        pat = options.get("pat", args[0] if args else None)
        is_plain = pat is None or (isinstance(pat, str) and len(pat) == 1)
        if not (isinstance(value, Node) and value.kind == TEXT and is_plain and set(options) <= {"pat", "n"}):
            return standing(shadow, with_line(value if isinstance(value, Lost) else lost(f".str.{name}()")))
        times = options.get("n", args[1] if len(args) > 1 else -1)
        split = f"{{0}}.{name}({literal(pat)}{'' if times in (-1, 0) else f', {times}'})"
        return standing(shadow, with_line(made(split, value)))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.parts.shadow.str, name)
        return lambda *args, **options: standing(found(*args, **options), what=f".str.split().str.{name}()")


def text_method(name: str, value: Value, args: tuple[Any, ...], options: dict[str, Any], made: Any) -> Value:
    """`.str.name(...)`."""
    if isinstance(value, Lost):
        return value
    if value.kind != TEXT:
        return Lost(f".str.{name} of {value.kind} values", value.line)
    if name in ("lower", "upper", "title", "capitalize", "swapcase", "casefold") and not args and not options:
        return unless_missing(f"{{0}}.{name}()", TEXT, value)
    if name in ("strip", "lstrip", "rstrip"):
        given = args[0] if args else options.get("to_strip")
        return unless_missing(f"{{0}}.{name}({'' if given is None else literal(given)})", TEXT, value)
    if name == "len" and not args:
        return unless_missing(
            "float(len({0}))" if value.optional else "len({0})", FLOAT if value.optional else INTEGER, value
        )
    if name in ("isdigit", "isalpha", "isnumeric", "isalnum", "isupper", "islower", "isspace", "isdecimal"):
        return _test(f"{{0}}.{name}()", value, made)
    if name in ("startswith", "endswith") and len(args) == 1 and isinstance(args[0], (str, tuple)) and not options:
        return _test(f"{{0}}.{name}({literal(args[0])})", value, made)
    if name == "contains":
        return _contains(value, made, *args, **options)
    if name in ("get", "__getitem__") and len(args) == 1 and isinstance(args[0], int):
        # an index beyond the end raises, and the package's own code says what that gives
        return unless_missing(f"{{0}}[{args[0]}]", TEXT, value)
    if name in ("slice", "__getitem__"):
        given = {**dict(zip(("start", "stop", "step"), args)), **options}
        is_part = name == "__getitem__" and isinstance(args[0], slice)
        one = args[0] if is_part else slice(*map(given.get, ("start", "stop", "step")))
        shown = f"[{'' if one.start is None else one.start}:{'' if one.stop is None else one.stop}" + (
            "]" if one.step is None else f":{one.step}]"
        )
        return unless_missing(f"{{0}}{shown}", TEXT, value)
    if name == "replace":
        return _replace(value, *args, **options)
    if name == "extract":
        return _extract(value, *args, **options)
    if name in ("zfill", "ljust", "rjust", "center", "removeprefix", "removesuffix") and args and not options:
        return unless_missing(f"{{0}}.{name}({', '.join(map(literal, args))})", TEXT, value)
    if name == "count" and len(args) == 1 and not options:
        found = "len({PATTERN}.findall({0}))"
        found = f"float({found})" if value.optional else found
        return unless_missing(found, FLOAT if value.optional else INTEGER, value, PATTERN=re.compile(args[0]))
    return Lost(f".str.{name}", value.line)


def _test(text: str, value: Node, made: Any) -> Value:
    """A test of a text: of a missing one it is False where that is a boolean in pandas."""
    if not value.optional:
        return derived(text, BOOLEAN, value)
    if kind_of(made) == BOOLEAN:
        return derived(f"{{0}} is not None and {text}", BOOLEAN, value)
    return unless_missing(text, BOOLEAN, value)


def _contains(
    value: Node, made: Any, pat: Any, case: bool = True, flags: int = 0, na: Any = None, regex: bool = True
) -> Value:
    if not isinstance(pat, str):
        return Lost(".str.contains of a pattern object")
    if regex and (re.escape(pat) != pat or not case or flags):
        text = "{PATTERN}.search({0}) is not None"
        constants: dict[str, Any] = {"PATTERN": re.compile(pat, flags | (0 if case else re.IGNORECASE))}
    elif case:
        text, constants = f"{literal(pat)} in {{0}}", {}
    else:
        return Lost(".str.contains without case")
    if not value.optional:
        return derived(text, BOOLEAN, value, **constants)
    if na is False or (na in (None, "no_default") and kind_of(made) == BOOLEAN):
        return derived(f"{{0}} is not None and {text}", BOOLEAN, value, **constants)
    if na is True:
        return derived(f"{{0}} is None or {text}", BOOLEAN, value, **constants)
    return unless_missing(text, BOOLEAN, value, **constants)


def _replace(value: Node, pat: Any = None, repl: Any = None, n: int = -1, case: Any = None, flags: int = 0,
             regex: bool = False) -> Value:  # fmt: skip
    if not isinstance(repl, str) or case is not None:
        return Lost(".str.replace with a function or without case")
    if regex or isinstance(pat, re.Pattern):
        pattern = re.compile(pat, flags) if isinstance(pat, str) else pat
        times = "" if n < 0 else f", {n}"
        return unless_missing(f"{{PATTERN}}.sub({literal(repl)}, {{0}}{times})", TEXT, value, PATTERN=pattern)
    return unless_missing(f"{{0}}.replace({literal(pat)}, {literal(repl)}{'' if n < 0 else f', {n}'})", TEXT, value)


def _extract(value: Node, pat: str, flags: int = 0, expand: bool = True) -> Value:
    pattern = re.compile(pat, flags)
    if expand or pattern.groups != 1:
        return Lost(".str.extract of several groups")
    found = "group_of({PATTERN}.search({0}))"
    text = f"None if {{0}} is None else {found}" if value.optional else found
    return derived(text, TEXT, value, optional=True, PATTERN=pattern)
