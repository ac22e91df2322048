"""What an idiom is: one notebook pattern with its serving form.

Most statements need no idiom: a reduction is recorded where it stands, everything row-wise runs as it is. An idiom is
for an operation that looks over rows and writes to each of them in one call, such as `pd.get_dummies`. Its file under
`idioms/` holds `IDIOM` and a function of the same name as `IDIOM.function`: the serving form, plain Python over pandas
and NumPy that is copied into the exported package. In fit it computes what the notebook computes and records what a
single row needs; in transform it applies what was recorded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules


@dataclass(frozen=True, slots=True)
class Idiom:
    """`name` is the operation as the analysis calls it; `function` the serving form in the package.

    `method` says that the notebook's call hangs on its operand (`x.rank()`), so that the operand becomes the first
    argument; `drop_attributes` counts the attributes between operand and call (`x.cat.codes` has one: `cat`).
    """

    name: str
    function: str
    method: bool = False
    drop_attributes: int = 0


@cache
def known_idioms() -> dict[str, tuple[Idiom, str]]:
    """Operation → idiom and the module that holds its serving form."""
    package = import_module("nbprod.idioms")
    found: dict[str, tuple[Idiom, str]] = {}
    for module in iter_modules(package.__path__):
        loaded = import_module(f"nbprod.idioms.{module.name}")
        for idiom in getattr(loaded, "IDIOMS", ()):
            found[idiom.name] = (idiom, module.name)
    return found


def find_idiom(name: str) -> Idiom | None:
    known = known_idioms().get(name)
    return known[0] if known else None


def serving_source(functions: Iterable[str]) -> str:
    """The source of these serving forms, in the order of their files, with the helpers that they call."""
    wanted = set(functions)
    parts: list[str] = []
    seen: set[str] = set()
    for module in sorted({module for idiom, module in known_idioms().values() if idiom.function in wanted}):
        text = files("nbprod.idioms").joinpath(module + ".py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        needed = _closure({name for name in defined if name in wanted}, defined)
        for name, node in defined.items():
            if name in needed and name not in seen:
                seen.add(name)
                lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
                parts.append("\n".join(lines))
    return "\n\n\n".join(parts)


def _closure(wanted: set[str], defined: dict[str, ast.FunctionDef]) -> set[str]:
    needed: set[str] = set()
    open_names = set(wanted)
    while open_names:
        name = open_names.pop()
        needed.add(name)
        for node in ast.walk(defined[name]):
            if isinstance(node, ast.Name) and node.id in defined and node.id not in needed:
                open_names.add(node.id)
    return needed
