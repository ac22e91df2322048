"""A cell's source by character: node positions (lines and UTF-8 bytes) to offsets, and edits of ranges."""

from __future__ import annotations

import ast
import io
import tokenize

from msgspec import Struct

from nbprod.notebook.formats import lines_of


class Edit(Struct, frozen=True):
    """Replace the characters from `start` to `end` by `text`. An insertion has `start == end`."""

    start: int
    end: int
    text: str


class Source:
    """The text of one cell with fast look-up of node positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = lines_of(text)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """The offset of a 1-based line and a column in UTF-8 bytes, as `ast` counts."""
        if line > len(self.lines):
            return len(self.text)
        text = self.lines[line - 1]
        if text.isascii():
            return self._starts[line - 1] + column
        return self._starts[line - 1] + len(text.encode()[:column].decode(errors="ignore"))

    def start(self, node: ast.AST) -> int:
        return self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        return self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        return self.text[self.start(node) : self.end(node)]

    def line_of(self, offset: int) -> int:
        """The 1-based line of an offset."""
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            if self._starts[middle + 1] <= offset:
                low = middle + 1
            else:
                high = middle
        return low + 1

    def rendered(self, start: int, end: int, edits: list[Edit]) -> str:
        """The text from `start` to `end` with the edits that lie inside of it."""
        parts: list[str] = []
        at = start
        for edit in sorted((e for e in edits if start <= e.start and e.end <= end), key=lambda e: (e.start, e.end)):
            if edit.start < at:
                continue
            parts.append(self.text[at : edit.start])
            parts.append(edit.text)
            at = edit.end
        parts.append(self.text[at:end])
        return "".join(parts)

    def trailing_comment(self, end: int) -> str:
        """The comment behind an offset on its line, with the blanks before it."""
        rest = self.text[end:].partition("\n")[0]
        return rest.rstrip() if rest.lstrip().startswith("#") else ""

    def leading_comments(self, start: int) -> list[tuple[int, str]]:
        """The comment lines directly above the statement that starts at an offset: (line, text without indentation)."""
        found: list[tuple[int, str]] = []
        line = self.line_of(start) - 1
        while line >= 1:
            text = self.lines[line - 1].strip()
            if not text.startswith("#") or text.startswith(("#|", "#%", "# %%")):
                break
            found.append((line, text))
            line -= 1
        return found[::-1]


def header_end(text: str) -> int:
    """The offset behind the colon that ends a compound statement's header, in the text that starts with it."""
    depth = 0
    lambdas = 0
    starts = [0]
    for line in lines_of(text):
        starts.append(starts[-1] + len(line))
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and token.string == "lambda":
                lambdas += 1
            if token.type != tokenize.OP:
                continue
            if token.string in "([{":
                depth += 1
            elif token.string in ")]}":
                depth -= 1
            elif token.string == ":" and depth == 0:
                if lambdas:
                    lambdas -= 1
                else:
                    return starts[token.end[0] - 1] + token.end[1]
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass
    return text.index(":") + 1


def indented(text: str, prefix: str, *, first: bool = True) -> str:
    """The text with every line indented, except lines inside of strings that span several."""
    inside = _lines_inside_strings(text)
    lines = text.split("\n")
    return "\n".join(
        line if number in inside or not line.strip() or (number == 1 and not first) else prefix + line
        for number, line in enumerate(lines, 1)
    )


def dedented(text: str, column: int) -> str:
    """A statement's text that stood at `column`, moved to the margin; strings that span lines are kept."""
    if column == 0:
        return text
    inside = _lines_inside_strings(text)
    lines = text.split("\n")
    moved = [lines[0]]
    for number, line in enumerate(lines[1:], 2):
        if number in inside:
            moved.append(line)
        else:
            blanks = len(line) - len(line.lstrip(" \t"))
            moved.append(line[min(column, blanks) :])
    return "\n".join(moved)


def _lines_inside_strings(text: str) -> set[int]:
    if '"""' not in text and "'''" not in text:
        return set()
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and token.end[0] > token.start[0]:
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return inside
    return inside
