"""The verb `init`: the configuration, a pre-commit hook and a CI workflow, added to what is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from nbprod.api.schedules import Kind, scheduled
from nbprod.api.workflows import SETUP
from nbprod.config import find_project, read_config
from nbprod.documents import value_of
from nbprod.errors import NbprodError, Where
from nbprod.versions import suggest_name

PRE_COMMIT = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/nbprod.yml"

HOOK = """\
- repo: local
  hooks:
    - id: nbprod-check
      name: nbprod check
      entry: nbprod check
      language: system
      files: \\.ipynb$
"""

EXPORT_HOOK = """\
    - id: nbprod-export-check
      name: nbprod export --check
      entry: nbprod export --check --auto
      language: system
      files: {files}
"""

STEPS = """\
name: nbprod
on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
"""


# Code scanning takes the SARIF file of a public repository without more: github/codeql-action/upload-sarif.
UPLOAD = """\
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: nbprod
          path: nbprod-reports/
          if-no-files-found: ignore
"""


def init_project(
    folder: str = ".",
    *,
    notebooks: Sequence[str] = (),
    pre_commit: bool = False,
    github: bool = False,
    schedule: Kind | None = None,
) -> dict[str, Any]:
    """Write `[tool.nbprod]` into pyproject.toml where there is one, else nbprod.toml, and what else is asked for.

    Nothing that exists is replaced: files are added to, and what is there already is listed under `kept`.
    `schedule` writes what trains again the pipelines that state a cadence. Raises NbprodError for a notebook that does
    not exist, for a file that can't be added to, and as `scheduled` does.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NbprodError("there is no such folder", code="not-found", where=Where(folder))
    pipelines = {suggest_name(Path(each).name): _relative(Path(each), root) for each in notebooks}
    changes = [_configuration(root, pipelines)]
    if pre_commit:
        changes.append(_pre_commit(root, _notebooks(root, pipelines)))
    if github:
        changes.append(_workflow(root, _notebooks(root, pipelines)))
    if schedule is not None:
        changes += scheduled(root, find_project(root).config, schedule)
    written = {path: text for path, text in changes if text is not None}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {
        "written": [path.as_posix() for path in written],
        "kept": [path.as_posix() for path, text in changes if text is None],
        "pipelines": pipelines,
    }


def _relative(notebook: Path, root: Path) -> str:
    if not notebook.is_file():
        said = "this is a folder, and no notebook" if notebook.is_dir() else "there is no such notebook"
        hint = "nbprod init alone is for the project of this folder" if notebook.is_dir() else None
        raise NbprodError(said, code="not-found", where=Where(str(notebook)), hint=hint)
    if not notebook.resolve().is_relative_to(root.resolve()):
        raise NbprodError(
            "the notebook lies outside of the project",
            code="outside",
            where=Where(str(notebook)),
            hint="move it inside",
        )
    return notebook.resolve().relative_to(root.resolve()).as_posix()


def _configuration(root: Path, pipelines: dict[str, str]) -> tuple[Path, str | None]:
    """The configuration file and its new text; None where it says all of this already."""
    import tomlkit

    own, shared = root / "nbprod.toml", root / "pyproject.toml"
    path = shared if shared.is_file() and not own.is_file() else own
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    existing = read_config(path) if path.is_file() else None
    document = tomlkit.parse(before)
    table: Any = document
    if path == shared:
        table = document.setdefault("tool", tomlkit.table(is_super_table=True)).setdefault("nbprod", tomlkit.table())
    if existing is None or "output" not in table:
        table["output"] = existing.output if existing else "pipelines"
    known = {each.notebook for each in existing.pipelines.values()} if existing else set()
    for name, notebook in pipelines.items():
        if notebook in known:
            continue
        tables = table.setdefault("pipelines", tomlkit.table(is_super_table=True))
        if name in tables:
            raise NbprodError(
                f'there is a pipeline "{name}" for another notebook already',
                code="name-taken",
                where=Where(str(path)),
                hint=f"write [pipelines.NAME] for {notebook} by hand, with another name",
            )
        tables[name] = {"notebook": notebook}
    text = tomlkit.dumps(document)
    return path, text if text != before else None


def _notebooks(root: Path, pipelines: dict[str, str]) -> list[str]:
    """The notebooks that have a pipeline, by their paths in the project."""
    configured = find_project(root).config.pipelines.values()
    return sorted({*pipelines.values(), *(each.notebook for each in configured if each.notebook)})


def hook_of(notebooks: Sequence[str]) -> str:
    """The hooks: `nbprod check` for every notebook, `nbprod export --check` for those that have a pipeline."""
    if not notebooks:
        return HOOK
    from yaml import safe_dump

    pattern = f"^({'|'.join(map(re.escape, notebooks))})$"
    return HOOK + EXPORT_HOOK.format(files=safe_dump(pattern, width=10_000).removesuffix("...\n").strip())


def _pre_commit(root: Path, notebooks: Sequence[str]) -> tuple[Path, str | None]:
    path, hook = root / PRE_COMMIT, hook_of(notebooks)
    if not path.is_file():
        return path, f"repos:\n{_indented(hook, 2)}"
    before = path.read_text(encoding="utf-8")
    return path, None if "nbprod-check" in before else _with_hook(before, path, hook)


def _with_hook(text: str, path: Path, hook: str) -> str:
    """The hook behind the last of `repos`, in the file's own indentation, the rest as it was."""
    lines = text.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines) if line.startswith("repos:")), None)
    if start is not None:
        inside = [n for n, line in enumerate(lines) if n > start and line.strip()]
        end = next((n for n in inside if not lines[n].startswith((" ", "-", "#"))), len(lines))
        first = next((lines[n] for n in inside if lines[n].lstrip().startswith("- ")), "  - ")
        last = "" if not lines or lines[end - 1].endswith("\n") else "\n"
        new = "".join(lines[:end]) + last + _indented(hook, len(first) - len(first.lstrip())) + "".join(lines[end:])
        old_value, new_value = _loaded(text), _loaded(new)
        if new_value and old_value and new_value.get("repos") == [*old_value["repos"], *value_of(hook)]:
            return new
    raise NbprodError(
        "the hook can't be added to this file",
        code="not-added",
        where=Where(str(path)),
        hint=f"add it under repos by hand:\n{_indented(hook, 2)}",
    )


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        value = value_of(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("repos"), list) else None


def _workflow(root: Path, notebooks: Sequence[str]) -> tuple[Path, str | None]:
    path = root / WORKFLOW
    if path.exists():
        return path, None
    named = " ".join(map(quote, notebooks)) or "."
    checks = [
        f"nbprod check {named} --format github --report nbprod-reports/check.sarif --report nbprod-reports/check.xml"
    ]
    checks += [f"nbprod export {quote(each)} --check --auto --format github" for each in notebooks]
    steps = "".join(f"      - run: {each}\n" for each in ("pip install nbprod", *checks))
    return path, f"{STEPS}{SETUP}{steps}{UPLOAD}"


def _indented(text: str, width: int) -> str:
    from textwrap import indent

    return indent(text, " " * width)
