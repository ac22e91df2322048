"""From a line of the exported module to the notebook's cell and line, also after the module was edited by hand."""

from __future__ import annotations

import ast
import difflib
import hashlib
from pathlib import Path
from typing import Any

Place = tuple[int, int]


class SourceMap:
    """Places in the notebook for the lines of one module of the package."""

    def __init__(self, folder: Path, module: str, manifest: dict[str, Any]) -> None:
        self.path = folder / module
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        entries = [(int(row[0]), int(row[1]), int(row[3])) for row in manifest.get("source_map", {}).get(module, [])]
        recorded = manifest.get("files", {}).get(module)
        self.edited = recorded is not None and recorded != hashlib.sha256(text.encode("utf-8")).hexdigest()
        if self.edited:
            entries = _realigned(text, manifest)
        self.places = {line: (cell, cell_line) for line, cell, cell_line in entries}
        self.starts = statement_starts(_parsed(text))

    def statement(self, line: int) -> int:
        """The first line of the innermost statement (or compound header) that `line` belongs to."""
        return self.starts.get(line, line)

    def place(self, line: int) -> Place | None:
        """Cell and line for a module line: its own entry, else its statement's, else the nearest one above."""
        for candidate in (line, self.statement(line)):
            if candidate in self.places:
                return self.places[candidate]
        above = [known for known in self.places if known < line]
        return self.places[max(above)] if above else None


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def statement_starts(tree: ast.AST) -> dict[int, int]:
    """For each line the first line of the innermost statement there; a compound statement counts by its header."""
    starts: dict[int, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
            for line in range(node.lineno, max(end, node.lineno) + 1):
                starts[line] = max(starts.get(line, 0), node.lineno)
    return starts


def _realigned(text: str, manifest: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Align the lines that the steps should have with those that stand there now."""
    expected: list[tuple[str, int, int]] = []
    for step in manifest.get("steps", []):
        for offset, line in enumerate(str(step.get("code", "")).splitlines()):
            if line.strip():
                expected.append((line.strip(), step["cell"], min(step["line"] + offset, step["end_line"])))
    actual = [line.strip() for line in text.splitlines()]
    matcher = difflib.SequenceMatcher(a=[line for line, _, _ in expected], b=actual, autojunk=False)
    entries: list[tuple[int, int, int]] = []
    for tag, a_start, a_end, b_start, b_end in matcher.get_opcodes():
        if tag in ("equal", "replace") and a_end > a_start:
            for offset in range(b_end - b_start):
                _, cell, cell_line = expected[min(a_start + offset, a_end - 1)]
                if tag == "equal" or actual[b_start + offset]:
                    entries.append((b_start + offset + 1, cell, cell_line))
    return entries
