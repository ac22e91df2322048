"""What may come next on a line that begins with `%nbprod`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbprod.magics.verbs import COMMANDS, VERBS

if TYPE_CHECKING:
    from nbprod.api.packages import Target


def completions(shell: Any, event: Any) -> list[str]:
    """Verbs; then options, an option's choices, notebooks, packages, and what `explain` can explain."""
    words = event.text_until_cursor.split()
    typed = "" if event.text_until_cursor.endswith(" ") or not words else words.pop()
    if len(words) < 2:
        return list(VERBS)
    verb, before = words[1], words[-1]
    options = options_of(verb)
    if typed.startswith("-"):
        return sorted(options)
    if options.get(before):
        return sorted(options[before])
    if verb == "explain" and len(words) == 2:
        return sorted({*_features(shell.user_ns), *_variables(shell.user_ns)})
    if before in ("--raw", "--frame"):
        return sorted(_variables(shell.user_ns))
    return sorted([*_notebooks(), *_packages(shell.user_ns)])


def options_of(verb: str) -> dict[str, tuple[str, ...]]:
    """The options of a verb of the magic, each with its choices."""
    own: dict[str, tuple[str, ...]] = {"--live": (), "--raw": (), "--frame": ()} if verb == "check" else {}
    if verb not in VERBS or verb == "readiness":
        return own
    command = import_module(f"nbprod.cli.verbs.{COMMANDS.get(verb, (verb,))[0]}").command
    found = {
        name: tuple(getattr(parameter.type, "choices", ()))
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("-")
    }
    return {**found, **own}


def _features(namespace: Mapping[str, Any]) -> Iterable[str]:
    """The features of the newest version of this notebook's package."""
    from nbprod import versions
    from nbprod.errors import NbprodError

    target = _target(namespace)
    try:
        newest = None if target is None else versions.latest(target.root, target.name)
    except NbprodError:
        return ()
    if target is None or newest is None:
        return ()
    manifest = versions.read_manifest(versions.version_folder(target.root, target.name, newest.number)) or {}
    return tuple(str(each["name"]) for each in manifest.get("features", ()))


def _variables(namespace: Mapping[str, Any]) -> Iterable[str]:
    """The notebook's own variables."""
    hidden = {"In", "Out", "exit", "quit", "open", "get_ipython"}
    return (
        name
        for name, value in list(namespace.items())
        if not name.startswith("_") and name not in hidden and not isinstance(value, ModuleType)
    )


def _notebooks() -> Iterable[str]:
    return (path.name for path in Path().iterdir() if path.suffix in (".ipynb", ".py"))


def _packages(namespace: Mapping[str, Any]) -> Iterable[str]:
    """The packages beside this notebook's; those of the current directory where nobody tells which it is."""
    from nbprod.api.packages import known_packages, packages_folder
    from nbprod.config import find_project
    from nbprod.errors import NbprodError

    target = _target(namespace)
    try:
        return known_packages(packages_folder(None, find_project(Path.cwd())) if target is None else target.root)
    except NbprodError:
        return ()


def _target(namespace: Mapping[str, Any]) -> Target | None:
    """The package of this notebook; None where nobody tells which it is, or its configuration can't be taken."""
    from nbprod.api.current import notebook_path
    from nbprod.api.packages import target_in_project
    from nbprod.errors import NbprodError

    path = notebook_path(namespace, os.environ)
    try:
        return None if path is None else target_in_project(path)
    except NbprodError:
        return None
