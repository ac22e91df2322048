"""What an idiom is: one notebook pattern with its serving form.

Most statements need no idiom: a reduction is recorded where it stands, everything row-wise runs as it is. An idiom is
for an operation that looks over rows and writes to each of them in one call, such as `pd.get_dummies`. Its file under
`idioms/` holds `IDIOMS` and the functions that they name: the serving forms, plain Python over pandas and NumPy that
is copied into the exported package. In fit a serving form returns what the notebook's own call returns and records
what a single row needs; in replay it applies what was recorded. Its parameters carry the names of the notebook's call.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from msgspec import Struct


class Idiom(Struct, frozen=True):
    """`name` is the operation as the analysis calls it; `function` the serving form in the package.

    `method` says that the notebook's call hangs on its operand (`x.rank()`), so that the operand becomes the first
    argument; `drop_attributes` counts the attributes between operand and call (`x.cat.codes` has one: `cat`).
    """

    name: str
    function: str
    method: bool = False
    drop_attributes: int = 0


@cache
def known_idioms() -> Mapping[str, tuple[Idiom, str]]:
    """Operation → idiom and the module that holds its serving form."""
    return {
        idiom.name: (idiom, module)
        for module in _modules()
        for idiom in getattr(import_module(f"nbprod.idioms.{module}"), "IDIOMS", ())
    }


def find_idiom(name: str) -> Idiom | None:
    """The idiom of an operation, None where no serving form of it is known."""
    known = known_idioms().get(name)
    return known[0] if known else None


def serving_source(functions: Iterable[str]) -> str:
    """The source of these serving forms, in the order of their files, with the helpers that they call."""
    definitions = _definitions()
    needed: set[str] = set()
    open_names = set(functions)
    while open_names:
        name = open_names.pop()
        needed.add(name)
        open_names |= definitions[name].calls - needed
    return "\n\n\n".join(one.source for name, one in definitions.items() if name in needed)


class _Definition(Struct, frozen=True):
    source: str
    calls: frozenset[str]


def _modules() -> list[str]:
    return sorted(module.name for module in iter_modules(import_module("nbprod.idioms").__path__))


@cache
def _definitions() -> Mapping[str, _Definition]:
    """Each function of the idioms' files: its source and the others among them that it calls."""
    found: dict[str, tuple[ast.FunctionDef, str]] = {}
    for module in _modules():
        text = (Path(__file__).parent / "idioms" / f"{module}.py").read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                if node.name in found:
                    raise ValueError(f"two idioms define {node.name}, and a package may need both")
                lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
                found[node.name] = (node, "\n".join(lines))
    return {
        name: _Definition(
            source,
            frozenset(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id in found),
        )
        for name, (node, source) in found.items()
    }
