"""One Python module as it grows: lines, and for each the notebook line that it came from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from nbprod.model.plan import Step
from nbprod.notebook.parsed import parsed
from nbprod.plan.source import indented

INDENT = "    "


class Module(Struct):
    """The text of a module. `origins` maps its 1-based lines to (cell, line)."""

    lines: list[str] = field(default_factory=list)
    origins: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def add_step(self, step: Step, prefix: str = "") -> None:
        """A step's code, indented, with the origin of each of its lines."""
        text = indented(step.code, prefix) if prefix else step.code
        for number, line in enumerate(text.split("\n")):
            self.lines.append(line)
            origin = step.lines[number] if number < len(step.lines) else 0
            if origin:
                self.origins[len(self.lines)] = (step.cell, origin)

    def add_text(self, text: str, step: Step, prefix: str = "") -> None:
        for line in indented(text, prefix).split("\n"):
            self.lines.append(line)
            self.origins[len(self.lines)] = (step.cell, step.line)

    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n") + "\n"


def add_steps(module: Module, steps: Sequence[Step]) -> None:
    """Steps in order inside a function, with a blank line around the functions among them."""
    defined = False
    for number, step in enumerate(steps):
        defines = _defines(step)
        if number and (defined or defines):
            module.add("")
        module.add_step(step, INDENT)
        defined = defines


def _defines(step: Step) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in parsed(step.code).body)


def add_body(module: Module, steps: Sequence[Step], headings: dict[int, str]) -> None:
    """Steps in order inside a function: one blank line between cells, the author's headings as comments.

    Neighbouring steps under the same condition share it.
    """
    heading = ""
    cell: int | None = None
    defined = False
    for group in grouped(steps):
        first = group[0]
        defines = _defines(first)
        if cell is not None and (first.cell != cell or defined or defines):
            module.add("")
        defined = defines
        title = headings.get(first.cell, "")
        if title and title != heading:
            module.add(f"{INDENT}# {title}")
        heading = headings.get(group[-1].cell, "") or heading
        cell = group[-1].cell
        if not first.guard:
            module.add_step(first, INDENT)
            continue
        module.add(f"{INDENT}if learned.{first.guard}:")
        for step in group:
            module.add_step(step, INDENT * 2)
        otherwise = [step for step in group if step.otherwise]
        if otherwise:
            module.add(f"{INDENT}else:")
            for step in otherwise:
                module.add_text(step.otherwise, step, INDENT * 2)


def grouped(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps one by one, except that neighbours under one condition are together."""
    groups: list[list[Step]] = []
    for step in steps:
        if step.guard and groups and groups[-1][0].guard == step.guard:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def import_lines(statements: Iterable[str]) -> list[str]:
    """Import statements in order: the standard library, then others; names of one module together."""
    import sys

    plain = sorted({s for s in statements if s.startswith("import ")})
    names: dict[str, set[str]] = {}
    for statement in statements:
        if statement.startswith("from "):
            source, _, name = statement[5:].partition(" import ")
            names.setdefault(source, set()).add(name)
    lines = [(s.split()[1].partition(".")[0], 0, s) for s in plain]
    for source in sorted(names):
        wanted = ", ".join(sorted(names[source], key=str.lower))
        lines.append((source.partition(".")[0], 1, _wrapped(source, wanted)))
    own = [line for line in lines if line[0] in sys.stdlib_module_names]
    other = [line for line in lines if line[0] not in sys.stdlib_module_names]
    result: list[str] = []
    for part in (own, other):
        if part and result:
            result.append("")
        result.extend(text for _, _, text in sorted(part, key=lambda line: (line[1], line[2])))
    return result


def _wrapped(source: str, names: str) -> str:
    line = f"from {source} import {names}"
    if len(line) <= 100:
        return line
    inner = "".join(f"{INDENT}{name},\n" for name in names.split(", "))
    return f"from {source} import (\n{inner})"
