"""What an agent can ask: verbs that read notebooks and packages, and neither run nor write anything.

The docstrings are what an agent is told of a tool. Each gives what the command line prints as JSON, long lists left out
where an agent can ask for them, and raises NbprodError.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from nbprod import api
from nbprod.api.inside import is_notebook, resolve_inside
from nbprod.api.packages import Target, package_of, target_of
from nbprod.errors import NbprodError

Tool = Callable[..., dict[str, Any]]
Reference = str | int | None


class Tools:
    """The tools on the notebooks below the folder `root`, which is the working directory as well."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def all(self) -> tuple[Tool, ...]:
        """Each tool; its name is that of the function."""
        return (
            self.inspect,
            self.slice,
            self.check,
            self.preview,
            self.stale,
            self.diff,
            self.versions,
            self.show,
            self.trace,
            self.readiness,
            self.explain,
        )

    def inspect(self, notebook: str) -> dict[str, Any]:
        """Cells with roles and effects, dataflow between cells, findings (leakage, health), and the plan of the
        serving code: features, steps with their binding time, what is refused and why. `notebook` is a path of an
        .ipynb or .py file. Code cells count from 0, lines from 1 within a cell."""
        return api.inspect_notebook(self._inside(notebook))

    def slice(self, notebook: str, name: str) -> dict[str, Any]:
        """The cells and lines that a variable's value at the end of the notebook, or a feature, depends on."""
        return api.slice_notebook(self._inside(notebook), name)

    def check(self, notebook: str, against: Reference = None) -> dict[str, Any]:
        """Has the notebook moved away from its exported package? The verdict with each divergence by feature, and
        findings with cell, line and hint. `against` is a version's number or alias; the newest one by default."""
        return api.check_notebook(self._inside(notebook), reference=_text(against))

    def preview(self, notebook: str, version: int | None = None, with_lines: bool = False) -> dict[str, Any]:
        """The text of the package that the notebook would be exported as, or of an exported `version`. With
        `with_lines` each line of a module comes with its cell and line in the notebook."""
        from nbprod.api.previewing import preview_notebook

        path = self._inside(notebook)
        told: dict[str, Any] = to_builtins(preview_notebook(target_of(path), path, None, version))
        left_out = frozenset() if with_lines else frozenset({"lines"})
        files = [{key: value for key, value in file.items() if key not in left_out} for file in told["files"]]
        return told | {"files": files}

    def stale(self, notebook: str) -> dict[str, Any]:
        """What an export of the notebook would change in its package, as a diff; refusals, where there are any, with
        cell, line, reason and a way out. Nothing is written."""
        return api.export_notebook(self._inside(notebook), auto=True, check=True, diff=True)

    def diff(self, before: str, after: str) -> dict[str, Any]:
        """What differs between two versions (NAME@VERSION), or a version and a notebook, by feature."""
        return api.diff(self._side(before), self._side(after))

    def versions(self, name: str) -> dict[str, Any]:
        """The ledger of the package `name`: every version, why it came, its learned state, run and aliases."""
        return api.versions_of(name)

    def show(self, name: str, version: Reference = None) -> dict[str, Any]:
        """One version of the package `name`: features, inputs, model, files that were edited by hand. `version` is a
        number or alias; the newest fitted one by default."""
        return api.show_version(name, _text(version))

    def trace(self, name: str, version: Reference = None, feature: str | None = None) -> dict[str, Any]:
        """The run, data, parameters and notebook cells behind the answers of a version (the champion by default), or
        behind one of its features; the steps of features are told of the one that is named."""
        self._hold_to_own_store(package_of(name))
        told = api.trace(name, _text(version), feature)
        return told if feature is not None else told | {"features": [each["name"] for each in told["features"]]}

    def readiness(self, notebook: str, items: list[str] | None = None) -> dict[str, Any]:
        """May this go live? Blockers, score and next steps, and the items of the checklist with state and evidence:
        those with the ids `items`, and by default those that are open (`open` has their ids). Nothing is run: what
        takes time is known by the evidence that was gathered before."""
        path = self._inside(notebook)
        self._hold_to_own_store(target_of(path))
        wanted = None if items is None else frozenset(api.check_of(each).id for each in items)
        told = api.readiness_report(path)
        if wanted is None:
            wanted = frozenset(told["open"])
        return told | {"items": [each for each in told["items"] if each["id"] in wanted]}

    def explain(self, item: str) -> dict[str, Any]:
        """What an item of the checklist (such as SK-3) asks, why, its source, and the next step."""
        check = api.check_of(item)
        words = ("id", "title", "why", "source", "step", "blocking", "optional", "keys", "is_promise", "gathered")
        return {word: to_builtins(getattr(check, word)) for word in words}

    def _inside(self, path: str) -> str:
        """A notebook's path from the root, where it lies inside of it; it may be given as an absolute one."""
        root = self.root.resolve()
        given = Path(path)
        below = given.relative_to(root).as_posix() if given.is_relative_to(root) else path
        return resolve_inside(root, below).relative_to(root).as_posix()

    def _side(self, text: str) -> str:
        return self._inside(text) if is_notebook(text) else text

    def _hold_to_own_store(self, target: Target) -> None:
        """Raise NbprodError where runs lie in a store elsewhere: to ask one is to write into it, or to call a server.

        A repository that an agent looks at names it in its configuration.
        """
        from nbprod.api.tracked import store_of
        from nbprod.tracking import default_uri, redact_text
        from nbprod.tracking.store import database_path

        uri = store_of(target)
        file = database_path(uri)
        is_own = uri == default_uri(target.project.root)
        if not is_own and (file is None or not file.resolve().is_relative_to(self.root.resolve())):
            raise NbprodError(
                f"the runs of {target.name} are in {redact_text(uri)}, which is not asked for an agent",
                code="other-store",
                hint="a person can ask it: nbprod readiness NOTEBOOK, nbprod versions NAME trace",
            )


def _text(reference: Reference) -> str | None:
    return None if reference is None else str(reference)
