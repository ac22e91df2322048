"""What magics and shell lines read and define: `!ls {folder}`, `%store table`, `%run other.py`, `%%sql … :low`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbprod.analysis.modules import names_of_script
from nbprod.analysis.scopes import free_names
from nbprod.analysis.values import Value
from nbprod.notebook.parsed import syntax_tree

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter
    from nbprod.model.notebook import Magic

_BRACED = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})")
_DOLLAR = re.compile(r"(?<![\\$])\$([^\W\d]\w*)")
_READS_ARGUMENTS = frozenset(
    {"store", "who", "whos", "pinfo", "pinfo2", "pfile", "psource", "pdoc", "pdef", "page", "pprint"}
)
_OF_PYTHON = frozenset({"time", "timeit", "prun", "lprun", "memit", "mprun", "capture"})


def apply_magic(run: Interpreter, magic: Magic) -> None:
    """The effects of one line, as far as its text tells them."""
    words = magic.text.split()[1:]
    if magic.name in _READS_ARGUMENTS and "-r" not in words and "-d" not in words:
        _read(run, [word.partition(".")[0] for word in words])
    if magic.name == "run":
        _run_script(run, words)
    elif magic.name not in _OF_PYTHON:
        _read(run, interpolated(magic.text))


def interpolated(text: str) -> list[str]:
    """Names whose values IPython puts into a line: those in `{expression}` and `$name`."""
    found = list(_DOLLAR.findall(text))
    for expression in _BRACED.findall(text):
        try:
            found.extend(sorted(free_names(syntax_tree(expression.strip(), mode="eval"))))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return list(dict.fromkeys(found))


def _read(run: Interpreter, names: list[str]) -> None:
    for name in names:
        if name in run.state.names:
            run.effects.use(name, run.state)


def _run_script(run: Interpreter, words: list[str]) -> None:
    """`%run other.py` binds what the script binds; what that is cannot be known where the script is not there."""
    script = next((word for word in words if word.endswith((".py", ".ipynb"))), None)
    names = names_of_script(script, run.folder) if script is not None else None
    if names is None:
        run.open_imports.append(run.at)
        return
    for name in names:
        run.bind(name, run.identified(Value("unknown")))
