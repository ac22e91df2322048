"""Magics and shell lines masked, so that a cell is plain Python with every statement in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache
from tokenize import TokenError
from typing import Any

from msgspec import Struct

from nbprod.model.notebook import Magic, Role, SyntaxFault
from nbprod.notebook.parsed import children, parsed, syntax_tree
from nbprod.notebook.syntax import input_transformer

_COULD_BE_MAGIC = re.compile(r"^\s*[%!?,;/]|\?\s*$|=\s*[%!]|^\s*(?:>>>|In \[\d+\]:|\.\.\.)|^[ \t]+\S", re.MULTILINE)
_CELL_MAGIC = re.compile(r"%%(\S+)[ \t]*(.*)")
_NAME = re.compile(r"[^\W\d]\w*")

# Cell magics whose body runs as Python in the notebook's own namespace.
_BODY_IS_PYTHON = frozenset(
    {*Role, "time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "scalene", "snakeviz", "pyinstrument"}
    | {"heat", "memray_flamegraph", "trace", "debug", "wandb", "notify", "chime", "tb", "cache", "skip_if", "wait"}
)
# Line magics that run the rest of their line as Python, with the options that take a value.
_LINE_IS_PYTHON = {"time": "", "timeit": "nrp", "prun": "lsTD", "lprun": "fmTDsu", "memit": "rti", "mprun": "fTc"}
_RUNS_ASIDE = frozenset({"timeit", "memit"})
_PYLAB = "import numpy; import numpy as np; import matplotlib.pyplot as plt"
_PYLAB_NAMES = ("numpy", "np", "plt")
_LINE_LIMIT = 500

DEEPEST = 250
"""Levels of a syntax tree, each of which takes the analysis some calls of its own."""

_PYTHON_2 = (
    (re.compile(r"Missing parentheses in call to 'print'"), "this is Python 2: `print x` is `print(x)` in Python 3"),
    (re.compile(r"Missing parentheses in call to 'exec'"), "this is Python 2: `exec code` is `exec(code)` in Python 3"),
    (re.compile(r"multiple exception types must be parenth"), "this is Python 2: write `except (A, B) as e:`"),
    (re.compile(r"leading zeros in decimal integer"), "this is Python 2: an octal number is written `0o17`"),
)
_CONFLICT = re.compile(r"^(?:<<<<<<<|>>>>>>>)(?: |$)", re.MULTILINE)


class Masked(Struct, frozen=True):
    """A cell's code as plain Python, what was masked in it, and why it does not parse, if it does not."""

    code: str
    magics: tuple[Magic, ...] = ()
    fault: SyntaxFault | None = None


@lru_cache(maxsize=1024)
def mask(source: str) -> Masked:
    """`source` as plain Python of the same number of lines, each statement on its own line and column.

    A masked line becomes `pass` where it is indented, else an empty line; `x = !ls` becomes `x = None`. The
    Python behind `%time` and its like stays, moved to the start of its line.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    fault = _fault(text)
    if fault is None or not _COULD_BE_MAGIC.search(text):
        return Masked(text, fault=fault)
    masking = _Masking(text.split("\n"))
    masking.run()
    code = "\n".join(masking.lines)
    return Masked(code, tuple(sorted(masking.magics, key=lambda magic: magic.line)), _fault(code))


def mask_body(source: str, name: str) -> Masked:
    """A cell that is written in another language as a whole."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    return Masked("\n" * text.count("\n"), (Magic(1, text.partition("\n")[0], name, is_cell=True),))


def _fault(code: str) -> SyntaxFault | None:
    if "\0" in code:
        return SyntaxFault("the cell holds a null byte", code.count("\n", 0, code.index("\0")) + 1)
    try:
        tree = parsed(code)
    except SyntaxError as error:
        return _described(code, error)
    except UnicodeEncodeError as error:
        return SyntaxFault("the cell holds a character that is no valid text", code.count("\n", 0, error.start) + 1)
    except (RecursionError, MemoryError):
        return SyntaxFault("the code is nested too deeply to be parsed", 1)
    line = _too_deep(code, tree) if len(code) > DEEPEST // 2 else 0
    return SyntaxFault(f"the code is nested more than {DEEPEST} levels deep, and is left out", line) if line else None


def _too_deep(code: str, tree: ast.Module) -> int:
    """The line of the statement that is nested deeper than code that people write, 0 where there is none."""
    lines = code.split("\n")
    for statement in tree.body:
        own = lines[statement.lineno - 1 : statement.end_lineno]
        if sum(map(len, own)) < DEEPEST // 2:  # each level takes a character, but for a few at the end
            continue
        level: list[ast.AST] = [statement]
        for _ in range(DEEPEST):
            level = [child for node in level for child in children(node)]
            if not level:
                break
        else:
            return statement.lineno
    return 0


def _described(code: str, error: SyntaxError) -> SyntaxFault:
    message = error.msg or "invalid syntax"
    conflict = _CONFLICT.search(code)
    if conflict is not None:
        return SyntaxFault("merge-conflict markers stand in the cell", code.count("\n", 0, conflict.start()) + 1)
    for pattern, kind in _PYTHON_2:
        if pattern.search(message):
            return SyntaxFault(kind, error.lineno or 1)
    lines = code.count("\n") + 1
    return SyntaxFault(message, min(max(error.lineno or 1, 1), lines))


class _Masking:
    """The lines of one cell while their magics are masked one after another."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.magics: list[Magic] = []
        self.ipython = input_transformer()

    def run(self) -> None:
        self._strip_layout()
        start = self._cell_magics()
        if start is None:
            return
        for _ in range(_LINE_LIMIT):
            try:
                found = self._first(start)
            except (SyntaxError, TokenError, RuntimeError, RecursionError):
                return
            if found is None:
                return
            found()

    def _strip_layout(self) -> None:
        """Removes a common indentation and pasted prompts, as IPython does before it runs a cell."""
        kept = [line + "\n" for line in self.lines]
        of_first = _without_first_indent
        cleaners = (self.ipython.leading_indent, of_first, self.ipython.classic_prompt, self.ipython.ipython_prompt)
        for cleaner in cleaners:
            kept = cleaner(kept)
        if len(kept) == len(self.lines):
            self.lines = [line.rstrip("\n") for line in kept]

    def _cell_magics(self) -> int | None:
        """Masks the cell magics at the top; the line where Python begins, None where the body is none.

        Magics may stack (`%%capture` over `%%time`); comments above them are let through, as Colab does.
        """
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if not line.strip() or line.lstrip().startswith("#"):
                at += 1
                continue
            match = _CELL_MAGIC.match(line)
            if match is None or re.match(r"%%\w+\?", line):
                break
            name, options = match[1], match[2].strip()
            names = _assigned_by_cell_magic(name, options)
            self.magics.append(Magic(at + 1, line, name, is_cell=True, assigns=names))
            self.lines[at] = " = ".join((*names, "None")) if names else ""
            if name not in _BODY_IS_PYTHON:
                self.lines[at + 1 :] = [""] * (len(self.lines) - at - 1)
                return None
            at += 1
        return at if any(line.strip() for line in self.lines[at:]) else None

    def _first(self, start: int) -> Callable[[], None] | None:
        """The masking of the first special line, as IPython's own transformers find it."""
        lines = [*([""] * start), *self.lines[start:]]
        tokens = self.ipython.make_tokens_by_line([line + "\n" for line in lines])
        kinds: tuple[tuple[Any, Callable[[Any], None]], ...] = (
            (self.ipython.MagicAssign, self._assignment),
            (self.ipython.SystemAssign, self._assignment),
            (self.ipython.EscapedCommand, self._command),
            (self.ipython.HelpEnd, self._help),
        )
        found = [(hit.sortby(), rank, hit, act) for rank, (kind, act) in enumerate(kinds) if (hit := kind.find(tokens))]
        if not found:
            return None
        _, _, hit, act = min(found, key=lambda item: item[:2])
        return lambda: act(hit)

    def _extent(self, line: int) -> int:
        """The last line of a command that goes on over backslashes."""
        while self.lines[line].endswith("\\") and line + 1 < len(self.lines):
            line += 1
        return line

    def _replace(self, first: int, last: int, text: str) -> str:
        original = "\n".join(self.lines[first : last + 1])
        self.lines[first : last + 1] = [text, *([""] * (last - first))]
        return original

    def _assignment(self, hit: Any) -> None:
        line, column = hit.start_line, hit.start_col
        last = self._extent(line)
        left, right = self.lines[line][:column], self.lines[line][column:]
        name, stays = "!", ""
        if right.startswith("%"):
            name, _, rest = right[1:].partition(" ")
            if name in _LINE_IS_PYTHON and _parses(_without_options(name, rest)):
                stays = _without_options(name, rest)
        value = " " * (len(right) - len(stays)) + stays if stays else "None"
        original = self._replace(line, last, left + value)
        self.magics.append(Magic(line + 1, original.strip(), name, assigns=_targets(left)))

    def _command(self, hit: Any) -> None:
        line, column = hit.start_line, hit.start_col
        indent, text = self.lines[line][:column], self.lines[line][column:]
        match text[0]:
            case "%":
                self._line_magic(line, indent, text.lstrip("%"))
            case "!" | "?":
                original = self._replace(line, self._extent(line), _empty(indent))
                self.magics.append(Magic(line + 1, original.strip(), text[0]))
            case escape:
                last = self._extent(line)
                call = str(self.ipython.tr[escape](" ".join(text[1:].split()))) if text[1:].strip() else ""
                original = self._replace(line, last, indent + call if _parses(call) else _empty(indent))
                self.magics.append(Magic(line + 1, original.strip(), escape))

    def _line_magic(self, line: int, indent: str, text: str) -> None:
        name, _, rest = text.partition(" ")
        last = self._extent(line)
        statement = _without_options(name, rest) if name in _LINE_IS_PYTHON else ""
        whole = "\n".join([statement, *self.lines[line + 1 : last + 1]])
        if statement and _parses(whole) and not (name in _RUNS_ASIDE and not _is_expression(whole)):
            self.magics.append(Magic(line + 1, "\n".join(self.lines[line : last + 1]).strip(), name))
            self.lines[line] = indent + statement
            return
        names, code = _defined_by_line_magic(name, rest)
        original = self._replace(line, last, indent + code if code else _empty(indent))
        self.magics.append(Magic(line + 1, original.strip(), name, assigns=names))

    def _help(self, hit: Any) -> None:
        indent = self.lines[hit.start_line][: hit.start_col]
        original = self._replace(hit.start_line, max(hit.q_line, hit.start_line), _empty(indent))
        self.magics.append(Magic(hit.start_line + 1, original.strip(), "?"))


def _without_first_indent(lines: list[str]) -> list[str]:
    """The lines without the indentation of the first, where they have it: so IPython 8 ran such a cell.

    https://github.com/ipython/ipython/blob/8.0.0/IPython/core/inputtransformer2.py, `leading_indent`
    """
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines


def _empty(indent: str) -> str:
    return indent + "pass" if indent else ""


def _parses(code: str) -> bool:
    return bool(code.strip()) and _fault(code) is None


def _is_expression(code: str) -> bool:
    return all(isinstance(statement, ast.Expr) for statement in syntax_tree(code).body)


def _without_options(magic: str, text: str) -> str:
    """The Python statement of a line magic, without the magic's own options."""
    takes_value = _LINE_IS_PYTHON[magic]
    text = text.strip()
    option_form = r"-(\w+)\s*" if takes_value else r"--([\w-]+)\s*"
    while option := re.match(option_form, text):
        text = text[option.end() :]
        if option[1] in takes_value:
            text = text.partition(" ")[2].lstrip()
    return text


def _targets(left: str) -> tuple[str, ...]:
    """The names that `left`, the text up to and with the last `=`, assigns."""
    code = left.strip() + " None"
    if not _parses(code):
        return tuple(dict.fromkeys(_NAME.findall(left)))
    nodes = ast.walk(syntax_tree(code))
    return tuple(
        dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    )


def _defined_by_line_magic(name: str, rest: str) -> tuple[tuple[str, ...], str]:
    """Names that a line magic defines, and the Python that says so."""
    match name:
        case "pylab":
            return _PYLAB_NAMES, _PYLAB
        case "store" if rest.split()[:1] == ["-r"]:
            names = tuple(word for word in rest.split()[1:] if word.isidentifier())
            return names, " = ".join((*names, "None")) if names else ""
        case _:
            return (), ""


def _assigned_by_cell_magic(name: str, options: str) -> tuple[str, ...]:
    """Names that a cell magic defines by its first line: `%%capture out`, `%%bash --out files`, `%%sql rows <<`."""
    words = options.split()
    match name:
        case "capture" | "bigquery":
            return tuple(word for word in words[:1] if word.isidentifier())
        case "sql":
            return (words[0],) if len(words) > 1 and words[1] == "<<" and words[0].isidentifier() else ()
        case _ if name in _BODY_IS_PYTHON:
            return ()
        case _:
            named = re.findall(r"--(?:out|err|proc)[= ]\s*([^\W\d]\w*)", options)
            return tuple(dict.fromkeys(named))
