"""The package of a notebook as a server may touch it: inside of the folder that it shows."""

from __future__ import annotations

from pathlib import Path

from nbprod.api.packages import Target, target_in_project
from nbprod.errors import NbprodError, Where
from nbprod.server.site import Site
from nbprod.tracking.store import FOLDER


def readable(site: Site, notebook: str) -> Target:
    """The package of a notebook, in the server's folder or in the project around the notebook.

    Raises NbprodError: `not-found`, `outside-root`.
    """
    target = _target(notebook)
    inside = (site.root.expanduser().resolve(), target.project.root.resolve())
    if not any(target.root.resolve().is_relative_to(each) for each in inside):
        raise _outside(target.root, "the folder of the packages")
    return target


def writable(site: Site, notebook: str) -> Target:
    """The package of a notebook whose project lies in the server's folder with all that is written.

    Raises NbprodError: `not-found`, `outside-root`.
    """
    target, root = _target(notebook), site.root.expanduser().resolve()
    written = {
        "the project's folder": target.project.root,
        "the folder of the packages": target.root,
        "the folder of runs": target.project.root / FOLDER,
    }
    for what, folder in written.items():
        if not folder.resolve().is_relative_to(root):
            raise _outside(folder, what)
    return target


def _target(notebook: str) -> Target:
    path = Path(notebook)
    if path.suffix not in {".ipynb", ".py"}:
        raise NbprodError("this is no notebook: .ipynb or .py", code="not-a-notebook", where=Where(notebook))
    if not path.is_file():
        raise NbprodError("there is no such notebook", code="not-found", where=Where(notebook))
    return target_in_project(notebook)


def _outside(folder: Path, what: str) -> NbprodError:
    return NbprodError(
        f"{what} lies outside of the folder that this Jupyter server shows",
        code="outside-root",
        where=Where(str(folder)),
        hint="start the server in the project's folder, or use the command line",
    )
