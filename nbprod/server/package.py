"""What the routes about a package do, each in a thread; what they need is imported when one of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.api.answers import Declarations, Executed, Initialised, Preview, Readiness, RunParameters, Runs, Versions
from nbprod.server.site import Site

if TYPE_CHECKING:
    from nbprod.api.packages import Target


def writable(site: Site, notebook: str) -> Target:
    """The package of a notebook, where it may be written."""
    from nbprod.server import projects

    return projects.writable(site, notebook)


def readable(site: Site, notebook: str) -> Target:
    """The package of a notebook, where it may be read."""
    from nbprod.server import projects

    return projects.readable(site, notebook)


def previewed(site: Site, notebook: str, text: str | None, version: int | None) -> Preview:
    """The text of the package."""
    from nbprod.api.previewing import preview_notebook

    return preview_notebook(readable(site, notebook), notebook, text, version)


def versions(site: Site, notebook: str) -> Versions:
    """The versions of the package."""
    from nbprod.api.listing import version_list

    return version_list(readable(site, notebook))


def promoted(site: Site, notebook: str, version: int) -> Versions:
    """The versions once `champion` stands for one of them. Raises NbprodError where a gate stops it."""
    from nbprod.api import promoting
    from nbprod.api.listing import version_list

    target = writable(site, notebook)
    stopped = promoting.stopped(promoting.promoted(target, version))
    if stopped is not None:
        raise stopped
    return version_list(target)


def rolled_back(site: Site, notebook: str) -> Versions:
    """The versions once `champion` stands again for what it stood for before."""
    from nbprod.api import promoting
    from nbprod.api.listing import version_list

    target = writable(site, notebook)
    promoting.rolled_back(target)
    return version_list(target)


def runs(site: Site, notebook: str) -> Runs:
    """The runs of the package, with the executed notebooks as the browser knows them."""
    from nbprod.api.listing import run_list

    found = run_list(readable(site, notebook)).runs
    return Runs(tuple(replace(each, executed=each.executed and site.shown(each.executed)) for each in found))


def parameters(site: Site, notebook: str) -> RunParameters:
    """What a run can be given."""
    from nbprod.api.listing import parameter_list

    readable(site, notebook)
    return parameter_list(notebook)


def executed(site: Site, notebook: str, run_id: str) -> Executed:
    """The notebook of a run, where the browser can open it."""
    from nbprod.api.listing import executed_copy

    return Executed(site.shown(executed_copy(writable(site, notebook), notebook, run_id)))


def initialised(site: Site, notebook: str, *, pre_commit: bool, github: bool) -> Initialised:
    """The project's configuration, with a hook and a workflow where they are asked for."""
    from nbprod.api.starting import init_project

    root = str(writable(site, notebook).project.root)
    report = init_project(root, notebooks=[notebook], pre_commit=pre_commit, github=github)
    return Initialised(tuple(map(site.shown, report["written"])), tuple(map(site.shown, report["kept"])))


def declarations(site: Site, notebook: str) -> Declarations:
    """What can be declared of the pipeline, and what is."""
    from nbprod.api.declaring import declared_of

    return _shown(site, declared_of(readable(site, notebook)))


def declared(site: Site, notebook: str, values: Mapping[str, str]) -> Declarations:
    """Declare values in the project's configuration; gives what is declared then."""
    from nbprod.api.declaring import declared as write

    write(writable(site, notebook), notebook, values)
    return declarations(site, notebook)


def _shown(site: Site, told: Declarations) -> Declarations:
    """A configuration that the browser can't open is none."""
    source = told.configuration and site.shown(told.configuration)
    return replace(told, configuration=None if source is None or Path(source).is_absolute() else source)


def readiness(site: Site, notebook: str) -> Readiness:
    """The checklist, with the paths in it as the browser knows them; a configuration that it can't open is none."""
    from nbprod.api.readying import checklist

    told = checklist(readable(site, notebook), notebook)
    items = tuple(replace(each, evidence=site.shown_text(each.evidence)) for each in told.items)
    source = told.configuration and site.shown(told.configuration)
    known = None if source is None or Path(source).is_absolute() else source
    return replace(told, items=items, configuration=known)
