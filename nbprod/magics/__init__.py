"""The magics of `%load_ext nbprod`: role magics on cells, and the verbs as `%nbprod VERB`."""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from nbprod.magics.verbs import (
    COMMANDS,
    NAMES_A_PACKAGE,
    READS_PACKAGES,
    VERBS,
    gives_output,
    gives_target,
    notebooks_of,
    prints,
    unknown,
)
from nbprod.magics.watching import Past
from nbprod.model.notebook import Role

_ROLE_LINE = re.compile(r"%%(" + "|".join(Role) + r")(?:[ \t].*)?\n?$")
_HELP_LINE = re.compile(r"([ \t]*%nbprod[ \t]+[a-z]+)[ \t]*\?{1,2}[ \t]*(\n?)$")


def load(shell: Any) -> None:
    """Registers the magics, and lets `%%features` cells run as the ordinary cells that they are."""
    magics = NbprodMagics(shell)
    shell.register_magics(magics)
    shell.events.register("post_run_cell", magics.past.after_cell)
    for transform in (_without_role, _with_help):
        if transform not in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.append(transform)
    shell.set_hook("complete_command", _completions, str_key="%nbprod")


def unload(shell: Any) -> None:
    """Takes away what `load` has added."""
    for transform in (_without_role, _with_help):
        if transform in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transform)
    magics = shell.magics_manager.registry.pop(NbprodMagics.__name__, None)
    if magics is not None:
        shell.events.unregister("post_run_cell", magics.past.after_cell)
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


def _with_help(lines: list[str]) -> list[str]:
    """`%nbprod check?` asks for the verb's help; IPython would look for a variable `check`."""
    return [_HELP_LINE.sub(r"\1 --help\2", line) for line in lines]


def _completions(shell: Any, event: Any) -> list[str]:
    return list(import_module("nbprod.magics.completion").completions(shell, event))


@magics_class
class NbprodMagics(Magics):
    """nbprod in the notebook."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.past = Past(shell)

    @line_magic
    def nbprod(self, line: str) -> Any:
        """Run a verb of nbprod on this notebook, as it is saved.

        ::

            %nbprod check               has the notebook moved away from its package?
            %nbprod check --live        does the frame in this kernel equal the package's transform?
            %nbprod inspect             cells, dataflow, findings and plan
            %nbprod plan                the plan: steps, what they learn, what is refused
            %nbprod export              extract the notebook into a versioned package
            %nbprod verify              prove by replay that the package equals the notebook
            %nbprod readiness           the checklist for production, with evidence
            %nbprod versions [NAME]     the ledger of the package
            %nbprod explain NAME        the cells and lines that a variable or feature depends on
            %nbprod tag                 the cells' roles and suggestions
            %nbprod diff A B            two versions, or a notebook and a version

        Options are those of the command line (`%nbprod check?` shows a verb's), and with `--format json` or
        `--format text` the command's own output is printed. Another notebook is given by its path:
        `%nbprod check sales.ipynb`. The exit code is left in `_exit_code`.

        Example::

            found = %nbprod check
            found.report["verdict"]
        """
        words = shlex.split(line)
        if not words or words[0] in ("-h", "--help"):
            print("\n".join(f"%nbprod {verb:<10} {meaning}" for verb, meaning in VERBS.items()))
            return None
        verb, *rest = words
        if verb not in VERBS:
            raise UsageError(unknown(verb))
        if verb == "check" and "--live" in rest and not {"-h", "--help"} & set(rest):
            return self._answered("live", self._live(rest))
        if verb == "readiness":
            return self._answered(verb, self._readiness(rest))
        arguments = self._arguments(verb, rest)
        calling = import_module("nbprod.magics.calling")
        if prints(rest):
            self._leave(calling.printed(arguments))
            if verb == "check" and "--help" in arguments:
                print(import_module("nbprod.magics.live").HELP)
            return None
        code, reports = calling.reported(arguments)
        self._leave(code)
        shown = [self._shown(verb, report, arguments) for report in reports if "error" not in report]
        return shown[0] if len(shown) == 1 else shown or None

    def _leave(self, code: int) -> None:
        self.shell.user_ns["_exit_code"] = code

    def _shown(self, verb: str, report: dict[str, Any], arguments: list[str]) -> Any:
        sources = import_module("nbprod.magics.calling").sources_of(report, arguments)
        shown = import_module("nbprod.magics.shown").Shown(
            verb, report, sources, (self.shell, self.shell.execution_count)
        )
        shown.display()
        return shown

    def _answered(self, verb: str, answer: tuple[int, dict[str, Any] | None]) -> Any:
        code, report = answer
        self._leave(code)
        return None if report is None else self._shown(verb, report, [])

    def _live(self, rest: list[str]) -> tuple[int, dict[str, Any] | None]:
        live = import_module("nbprod.magics.live")
        try:
            asked = live.asked_for(rest)
        except ValueError as error:
            raise UsageError(str(error)) from None
        path = asked.notebook or self._notebook()
        answer: tuple[int, dict[str, Any] | None] = live.compared(path, self.shell.user_ns, self.past, asked)
        return answer

    def _readiness(self, rest: list[str]) -> tuple[int, dict[str, Any] | None]:
        if prints(rest):
            print("%nbprod readiness [NOTEBOOK]\n\nThe checklist for production, each item with its evidence.")
            return 0, None
        path = rest[0] if gives_target(rest) else self._notebook()
        answer: tuple[int, dict[str, Any] | None] = import_module("nbprod.magics.calling").readiness(path)
        return answer

    def _arguments(self, verb: str, rest: list[str]) -> list[str]:
        """The command line that the magic stands for, on this notebook where none is given."""
        command = COMMANDS.get(verb, (verb,))
        if {"-h", "--help"} & set(rest):
            return [command[0], "--help"]
        if verb == "explain":
            if not rest or rest[0].startswith("-"):
                raise UsageError("%nbprod explain NAME: which variable or feature?")
            name, *rest = rest
            return ["inspect", *(rest if gives_target(rest) else [self._notebook(), *rest]), "--slice", name]
        words = [*command, *self._targets(verb, rest)]
        if verb in READS_PACKAGES and not gives_output(rest):
            words += self._output(notebooks_of(words))
        return words

    def _targets(self, verb: str, rest: list[str]) -> list[str]:
        if gives_target(rest) or verb == "diff":
            return rest
        path = self._notebook()
        return [_package(path) if verb in NAMES_A_PACKAGE else path, *rest]

    def _output(self, notebooks: list[str]) -> list[str]:
        """Where the packages lie: in the project of the notebooks, as the panels have it; else as in a terminal."""
        from nbprod.api.current import notebook_path
        from nbprod.errors import NbprodError

        current = notebook_path(self.shell.user_ns, os.environ)
        try:
            folders = {_packages(path) for path in notebooks or ([current] if current else [])}
        except NbprodError:
            return []  # a configuration that can't be read: the command itself tells of it
        return ["--output", folders.pop()] if len(folders) == 1 else []

    def _notebook(self) -> str:
        from nbprod.api.current import notebook_path

        path = notebook_path(self.shell.user_ns, os.environ)
        if path is None:
            raise UsageError("which notebook is this? Give its path: %nbprod check sales.ipynb")
        return path

    @cell_magic
    def data(self, _line: str, cell: str) -> None:
        """Mark the cell as the one that loads raw rows, and run it.

        Example::

            %%data
            df = pd.read_csv("sales.csv")
        """
        self._run(cell)

    @cell_magic
    def features(self, _line: str, cell: str) -> None:
        """Mark the cell as one that prepares features, and run it.

        The cell runs as it would without the magic, here and under papermill. nbprod takes what it does to the raw
        rows into the package; what it learns from all rows (the median) is learned once, in training.

        Example::

            %%features
            df["age"] = df["age"].fillna(df["age"].median())
            df["is_adult"] = (df["age"] >= 18).astype(int)
        """
        self._run(cell)

    @cell_magic
    def train(self, _line: str, cell: str) -> None:
        """Mark the cell as the one that fits the model, and run it.

        Example::

            %%train
            model = LogisticRegression(random_state=0).fit(X_train, y_train)
        """
        self._run(cell)

    @cell_magic
    def evaluate(self, _line: str, cell: str) -> None:
        """Mark the cell as one that measures the model, and run it.

        Example::

            %%evaluate
            accuracy = accuracy_score(y_test, model.predict(X_test))
        """
        self._run(cell)

    @cell_magic
    def explore(self, _line: str, cell: str) -> None:
        """Mark the cell as one to leave out of the package, and run it.

        Example::

            %%explore
            df["age"].hist()
        """
        self._run(cell)

    @cell_magic
    def parameters(self, _line: str, cell: str) -> None:
        """Mark the cell as the one with parameters, and run it.

        papermill itself looks for the cell tag "parameters"; `nbprod run` takes either.

        Example::

            %%parameters
            test_size = 0.2
        """
        self._run(cell)

    def _run(self, cell: str) -> None:
        """Runs a body that came here other than as a cell, where the role's line was taken off before."""
        self.shell.run_cell("\n" + cell, store_history=False).raise_error()


def _package(path: str) -> str:
    from nbprod.api.packages import target_of

    return target_of(path).name


def _packages(path: str) -> str:
    """The folder of a notebook's packages, from the current directory where it lies below."""
    from nbprod.api.packages import target_in_project

    folder = target_in_project(path).root
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
