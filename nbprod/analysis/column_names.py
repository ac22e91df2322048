"""Names of columns that are made of their names before, or tested: `df.columns.str.lower()`, `.str.contains("^x")`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis import functions
from nbprod.analysis.values import Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

TEXT_CHANGES = frozenset({"lower", "upper", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "replace"})
"""Methods of `.str` that give a name for each name, as Python's own methods do."""

TEXT_TESTS = frozenset({"contains", "match", "startswith", "endswith"})
"""Methods of `.str` that tell for each name whether it passes."""

ARGUMENTS = {"replace": ("pat", "repl"), "strip": ("to_strip",), "lstrip": ("to_strip",), "rstrip": ("to_strip",)}


def changed(
    run: Interpreter, index: Value, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> tuple[str, ...] | None:
    """The names after a method of `.str`; None where they are not known before, or the arguments are not."""
    named = {key: value.const for key, value in kwargs.items()}
    is_pattern = named.pop("regex", name == "replace" and run.pandas_major < 2)
    places = ARGUMENTS.get(name, ())
    given = [*(value.const for value in args), *(named.pop(key) for key in places[len(args) :] if key in named)]
    names = _texts(index, given)
    if names is None or named or len(given) != (len(places) if name == "replace" else len(given[:1])):
        return None
    if is_pattern is True:
        made = _replaced(names, *given)
    else:
        made = tuple(getattr(text, name)(*given) for text in names) if is_pattern is False else None
    return made if made is None or len(set(made)) == len(made) else None


def _texts(index: Value, given: Sequence[object]) -> list[str] | None:
    """The names of an index where all of them, and the arguments, are known texts."""
    if not index.is_const or not all(isinstance(text, str) for text in (*given, *index.const)):
        return None
    return list(index.const)


def _replaced(names: Sequence[str], pattern: str, by: str) -> tuple[str, ...] | None:
    try:
        return tuple(re.sub(pattern, by, name) for name in names)
    except (re.error, IndexError):
        return None


def tested(index: Value, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> list[str] | None:
    """The names of a table's columns that pass a test of their text; None where that is not known."""
    given = [value.const for value in args]
    names = _texts(index, given)
    if names is None or kwargs or len(given) != 1 or not index.parts or index.maybe:
        return None
    text = str(given[0])
    if name in ("startswith", "endswith"):
        return [each for each in names if getattr(each, name)(text)]
    try:
        test = re.compile(text)
    except re.error:
        return None
    return [each for each in names if (test.match if name == "match" else test.search)(each)]


def of_function(run: Interpreter, names: Iterable[object], function: Value) -> tuple[str, ...] | None:
    """What a function of the notebook, or a method of `str`, makes of names; None where that is not known."""
    made: list[object]
    match function.kind:
        case "function":
            made = [functions.call_function(run, function, [run.constant(name)], {}).const for name in names]
        case "lib" | "method" if (method := getattr(str, function.name.rpartition(".")[2], None)) is not None:
            made = [method(name) for name in names if isinstance(name, str)]
        case _:
            return None
    texts = tuple(name for name in made if isinstance(name, str))
    return texts if len(set(texts)) == len(made) else None
