"""A notebook as it is edited, studied beside the newest version of its package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from nbprod import versions
from nbprod.api.checking import compared
from nbprod.api.inspecting import edited_notebook
from nbprod.api.outlining import notebook_of
from nbprod.api.packages import Target, recorded
from nbprod.api.studying import Study, study
from nbprod.model.finding import Comparison, Verdict
from nbprod.model.run import Version


class Beside(Struct, frozen=True):
    """What is known of the notebook, the newest version (None before an export), and how the two compare."""

    known: Study
    version: Version | None
    comparison: Comparison


@contextmanager
def studied_beside(target: Target, path: str, content: str | Mapping[str, Any] | None = None) -> Iterator[Beside]:
    """The notebook at `path`, whose unsaved text is `content`, beside the newest version of its package `target`.

    What is asked of the study is asked within: another caller's edit may change the analysis that it rests on. Raises
    NbprodError where there is no notebook.
    """
    with edited_notebook(path) as analyser:
        notebook = notebook_of(path, content)
        known = study(notebook, model=target.settings.model, auto=True, recorded=recorded(target), analyser=analyser)
        version = versions.latest(target.root, target.name)
        if version is None:
            yield Beside(known, None, Comparison(notebook.path, None, Verdict.NOT_EXPORTED))
        else:
            yield Beside(known, version, compared(known, target, version))
