"""The magics of `%load_ext nbprod`: role magics on cells, and the verbs as `%nbprod VERB`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from nbprod.model.notebook import Role

VERBS = {
    "check": "has the notebook moved away from its package? findings too",
    "inspect": "cells, dataflow, findings and plan, without running anything",
    "plan": "the plan, as `inspect` shows it: steps, what they learn, what is refused",
    "export": "extract the notebook into a versioned package",
    "verify": "prove by replay that the package equals the notebook",
    "readiness": "the checklist for production, with evidence",
    "versions": "the ledger of the package",
    "explain": "the cells and lines that the value of NAME depends on",
    "tag": "the cells' roles and suggestions",
    "diff": "compare two versions, or a notebook and a version",
}
# Options that a verb of the magic stands for, and the command's own name for it.
_COMMANDS = {"plan": ("inspect",), "explain": ("inspect", "--slice")}
_NAMES_A_PACKAGE = frozenset({"versions", "diff"})
_ROLE_LINE = re.compile(r"%%(" + "|".join(Role) + r")(?:[ \t].*)?\n?$")


def load(shell: Any) -> None:
    """Registers the magics, and lets `%%features` cells run as the ordinary cells that they are."""
    shell.register_magics(NbprodMagics)
    if _without_role not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_without_role)
    shell.set_hook("complete_command", _completions, str_key="%nbprod")


def unload(shell: Any) -> None:
    """Takes away what `load` has added."""
    if _without_role in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_without_role)
    for kind, names in (("cell", [role.value for role in Role]), ("line", ["nbprod"])):
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)


def _without_role(lines: list[str]) -> list[str]:
    """A cell without its role magic, each line where it was, so that errors name the notebook's lines.

    Another cell magic below it has to come first to be one.
    """
    if not lines or not _ROLE_LINE.match(lines[0]):
        return lines
    below = lines[1:]
    return _without_role(below) if below and below[0].startswith("%%") else ["\n", *below]


def _completions(_shell: Any, event: Any) -> list[str]:
    """The verbs, then notebooks and packages, for the word after `%nbprod`."""
    words = event.line.split()
    if len(words) < 2 or (len(words) == 2 and not event.line.endswith(" ")):
        return list(VERBS)
    paths = [path.name for path in Path().iterdir() if path.suffix in (".ipynb", ".py")]
    packages = [path.parent.name for path in Path("pipelines").glob("*/versions.json")]
    return sorted([*paths, *packages])


@magics_class
class NbprodMagics(Magics):
    """nbprod in the notebook."""

    shell: Any

    @line_magic
    def nbprod(self, line: str) -> None:
        """Run a verb of nbprod on this notebook, as it is saved.

        ::

            %nbprod check               has the notebook moved away from its package?
            %nbprod inspect             cells, dataflow, findings and plan
            %nbprod plan                the plan: steps, what they learn, what is refused
            %nbprod export              extract the notebook into a versioned package
            %nbprod verify              prove by replay that the package equals the notebook
            %nbprod readiness           the checklist for production, with evidence
            %nbprod versions [NAME]     the ledger of the package
            %nbprod explain NAME        the cells and lines that the value of NAME depends on

        Options are those of the command line: `%nbprod inspect --format json`. Another notebook is given by its
        path: `%nbprod check sales.ipynb`. The exit code is left in `_exit_code`.
        """
        words = shlex.split(line)
        if not words or words[0] in ("-h", "--help"):
            print("\n".join(f"%nbprod {verb:<10} {meaning}" for verb, meaning in VERBS.items()))
            return
        verb, *rest = words
        if verb not in VERBS:
            raise UsageError(_unknown(verb))
        arguments = self._arguments(verb, rest)
        app = import_module("nbprod.cli.app").app
        code = app.main(arguments, prog_name="%nbprod", standalone_mode=False)
        self.shell.user_ns["_exit_code"] = int(code or 0)

    def _arguments(self, verb: str, rest: list[str]) -> list[str]:
        """The command line that the magic stands for, on this notebook where none is given."""
        command = _COMMANDS.get(verb, (verb,))
        if {"-h", "--help"} & set(rest):
            return [command[0], "--help"]
        if verb == "explain":
            if not rest or rest[0].startswith("-"):
                raise UsageError("%nbprod explain NAME: which variable?")
            name, *rest = rest
            return ["inspect", *(rest if _gives_target(rest) else [self._notebook(), *rest]), "--slice", name]
        if _gives_target(rest):
            return [*command, *rest]
        if verb in _NAMES_A_PACKAGE:
            return [*command, *rest] if verb == "diff" else [*command, _package(self._notebook()), *rest]
        return [*command, self._notebook(), *rest]

    def _notebook(self) -> str:
        path = notebook_path(self.shell.user_ns, os.environ)
        if path is None:
            raise UsageError("which notebook is this? Give its path: %nbprod check sales.ipynb")
        return path

    @cell_magic
    def data(self, _line: str, cell: str) -> None:
        """Mark the cell as the one that loads raw rows, and run it."""
        self._run(cell)

    @cell_magic
    def features(self, _line: str, cell: str) -> None:
        """Mark the cell as one that prepares features, and run it."""
        self._run(cell)

    @cell_magic
    def train(self, _line: str, cell: str) -> None:
        """Mark the cell as the one that fits the model, and run it."""
        self._run(cell)

    @cell_magic
    def evaluate(self, _line: str, cell: str) -> None:
        """Mark the cell as one that measures the model, and run it."""
        self._run(cell)

    @cell_magic
    def explore(self, _line: str, cell: str) -> None:
        """Mark the cell as one to leave out of the package, and run it."""
        self._run(cell)

    @cell_magic
    def parameters(self, _line: str, cell: str) -> None:
        """Mark the cell as the one with parameters, and run it.

        papermill itself looks for the cell tag "parameters"; `nbprod run` takes either.
        """
        self._run(cell)

    def _run(self, cell: str) -> None:
        """Runs a body that came here other than as a cell, where the role's line was taken off before."""
        self.shell.run_cell("\n" + cell, store_history=False).raise_error()


def notebook_path(namespace: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """The path of the notebook that this kernel runs, as Jupyter, VS Code or papermill tell it; else None."""
    told = (
        namespace.get("__vsc_ipynb_file__"),
        namespace.get("PAPERMILL_INPUT_PATH"),
        environment.get("JPY_SESSION_NAME"),
    )
    return next((str(path) for word in told if isinstance(word, str) for path in _places(word) if path.is_file()), None)


def _places(word: str) -> Iterable[Path]:
    """Where a session's name may lie: as it is, or, if the kernel runs elsewhere, in the kernel's folder."""
    path = Path(word.partition(":")[2] if word.startswith("RTC:") else word)
    return (path, Path(path.name))


def _gives_target(words: list[str]) -> bool:
    """Whether the words name a notebook or package themselves."""
    return bool(words) and (
        not words[0].startswith("-") or any(Path(word).suffix in (".ipynb", ".py") for word in words)
    )


def _package(path: str) -> str:
    from nbprod.versions.names import suggest_name

    return suggest_name(Path(path).stem)


def _unknown(verb: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(verb, VERBS, 1)
    hint = f'did you mean "%nbprod {near[0]}"?' if near else f"verbs: {', '.join(VERBS)}"
    return f'there is no verb "{verb}": {hint}'
