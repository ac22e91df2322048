"""The example projects that come with nbprod: copied for a try, and edited to show what an edit does."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

import nbprod
from nbprod.errors import NbprodError, Where

DESCRIPTION = "demo.toml"


class Edit(Struct, frozen=True):
    """One natural change of the notebook's preprocessing: in the cell that contains a text, old becomes new."""

    cell_contains: str
    old: str
    new: str
    summary: str


class Example(Struct, frozen=True):
    """An example project in `folder`: its notebook, the package's name, an edit and one record to serve."""

    folder: Path
    name: str
    notebook: str
    edit: Edit
    record: dict[str, Any]


def examples() -> dict[str, Path]:
    """The examples that there are, by name: shipped with the package, or in the source tree."""
    package = Path(nbprod.__file__).parent
    for place in (package / "examples", package.parent / "examples"):
        found = {path.parent.name: path.parent for path in sorted(place.glob(f"*/{DESCRIPTION}"))}
        if found:
            return found
    raise NbprodError(
        "the examples are not installed", code="no-examples", where=Where(str(package)), hint="install nbprod again"
    )


def copy_example(name: str, folder: str | None) -> Example:
    """Copy an example into `folder`, by default a new one below `nbprod-demo`, and make a project of it.

    Raises NbprodError for an example that there is not and for a folder that holds something already.
    """
    known = examples()
    if name not in known:
        raise NbprodError(f'there is no example "{name}"', code="no-example", hint=f"there are: {', '.join(known)}")
    place = Path(folder) if folder is not None else _free(Path("nbprod-demo"), name)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise NbprodError(
            "the folder holds something already",
            code="occupied-folder",
            where=Where(str(place)),
            hint="give a new folder: nbprod demo DIR",
        )
    shutil.copytree(known[name], place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("pipelines", ".nbprod", ".*"))
    example = described(place)
    table = f'[pipelines.{example.name}]\nnotebook = "{example.notebook}"\n'
    (place / "nbprod.toml").write_text(table, encoding="utf-8")
    return example


def described(folder: Path) -> Example:
    """The example in `folder`, by its `demo.toml`."""
    table = tomllib.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    return Example(folder, table["name"], table["notebook"], Edit(**table["edit"]), table["record"])


def apply_edit(example: Example) -> int:
    """Make the example's edit in its notebook; gives the code cell that changed."""
    path = example.folder / example.notebook
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for index, cell in enumerate(code):
        source = "".join(cell["source"])
        if example.edit.cell_contains in source and example.edit.old in source:
            changed = source.replace(example.edit.old, example.edit.new)
            cell["source"] = changed.splitlines(keepends=True)
            path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            return index
    raise NbprodError(
        "no cell holds the text that the example edits", code="no-edit", where=Where(str(path)), hint=example.edit.old
    )


def _free(parent: Path, name: str) -> Path:
    number = 1
    while (parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return parent / (name if number == 1 else f"{name}-{number}")
